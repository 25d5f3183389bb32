import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kubeassume } from "../support/kubeassume.ts";
import { cannotRun } from "./support/cache.ts";
import { startIssuer } from "./support/issuer.ts";
import { PERMISSION_CASES } from "./support/permission-cases.ts";
import type { PermissionCase } from "./support/permission-cases.ts";
import { ACCOUNT, BUCKET, EXISTING_ROLE } from "./support/permission-stage.ts";
import type { Stage } from "./support/permission-stage.ts";
import { startMotoAccount, startSandboxAccount } from "./support/restricted-accounts.ts";
import type { IdentityPolicy } from "./support/restricted-accounts.ts";
import { createServiceAccountKey } from "./support/service-account-keys.ts";
import { stoppedAfterAll } from "./support/stopped.ts";
import { makeTemporaryFolder } from "./support/temporary.ts";

interface Outcome {
  readonly exit: number | null;
  /** Everything that says why. */
  readonly said: string;
}

describe("what the cases below use", () => {
  it.each([...new Set(PERMISSION_CASES.map(({ command }) => command))])("is all that `permissions aws --for %s` allows", async (command) => {
    const policy = await printPolicy(command, "https://oidc.example.com");
    const used = PERMISSION_CASES.filter((one) => one.command === command).flatMap(({ uses }) => uses);
    expect([...new Set(policy.Statement.flatMap(({ Action }) => Action))].sort()).toEqual([...new Set(used)].sort());
  });
});

describe.skipIf(await cannotRun("moto")).each([
  ["moto", startMotoAccount],
  ["the sandbox", startSandboxAccount],
])("with the policy of `permissions aws`, at %s", (place, start) => {
  const running = stoppedAfterAll();
  let stage: Stage;
  let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;

  const run = (policy: IdentityPolicy, { args }: PermissionCase): Promise<Outcome> =>
    stage.account.asPerson(policy, async (env) => {
      const ran = await kubeassume([...args(stage), "-o", "json"], { env: { ...env, KUBEASSUME_CA_FILE: stage.issuer.caFile }, cwd: stage.directory });
      const { error, data } = ran.json<{ error: unknown; data: { checks?: readonly { status: string }[] } | null }>();
      return { exit: ran.exit, said: JSON.stringify([error, data?.checks?.filter(({ status }) => status === "fail")], null, 1) };
    });
  const prepare = async (one: PermissionCase): Promise<void> => {
    await stage.account.reset();
    await one.prepare(stage);
  };

  beforeAll(async () => {
    const account = await running(start());
    const issuer = await running(startIssuer({ upstream: account.gatewayTo(BUCKET), path: "/prod" }));
    folder = await makeTemporaryFolder("permissions");
    const key = createServiceAccountKey();
    await writeFile(join(folder.directory, "sa.pub"), key.publicKeyPem);
    stage = { account, issuer, key, directory: folder.directory };
  });
  afterAll(() => folder.remove());

  const cases = PERMISSION_CASES.filter(({ sandboxOnly }) => sandboxOnly === undefined || place === "the sandbox");
  it.each(cases.map((one) => [`${one.command} ${one.title}`, one] as const))("%s succeeds, and is refused without any one action", { timeout: 120_000 }, async (_, one) => {
    const policy = await printPolicy(one.command, stage.issuer.url);
    const needed = one.uses.filter((action) => !stage.account.blindTo.includes(action));
    if (one.goesOn) await prepare(one);
    for (const action of needed) {
      if (!one.goesOn) await prepare(one);
      const { exit, said } = await run(without(policy, action), one);
      expect({ action, exit, said }).toMatchObject({ exit: expect.toBeOneOf([3, 4, 5]), said: expect.stringContaining(`${action} of`) });
    }
    if (!one.goesOn) await prepare(one);
    const { exit, said } = await run(policy, one);
    expect({ exit, said: exit === 0 ? "" : said }).toEqual({ exit: 0, said: "" });
  });
});

async function printPolicy(command: string, issuer: string): Promise<IdentityPolicy> {
  const place = ["--issuer-url", issuer, "--account-id", ACCOUNT, "--bucket", BUCKET, "--role-arn", EXISTING_ROLE];
  const { exit, stdout, stderr } = await kubeassume(["permissions", "aws", "--for", command, ...place]);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
  return JSON.parse(stdout) as IdentityPolicy;
}

function without({ Version, Statement }: IdentityPolicy, action: string): IdentityPolicy {
  const left = Statement.map((statement) => ({ ...statement, Action: statement.Action.filter((one) => one !== action) }));
  return { Version, Statement: left.filter(({ Action }) => Action.length > 0) };
}
