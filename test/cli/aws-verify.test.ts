import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectEnvelope } from "../support/output-schema.ts";
import { type Scene, startScene } from "../support/scene.ts";

const ROLE = "arn:aws:iam::123456789012:role/kubeassume/app";
const APP = { namespace: "demo", name: "app" };

interface Verdict {
  readonly accepted: boolean;
  readonly code: string | null;
  readonly cloudMessage: string | null;
  readonly session: { readonly subject: string; readonly principal: string } | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly checks: readonly { readonly id: string; readonly status: string; readonly hint: string }[];
  readonly exchange: { readonly accepted: boolean; readonly code: string | null } | null;
}

let scene: Scene;
let token: string;

beforeAll(async () => {
  scene = await startScene();
  const issuer = ["--issuer-url", scene.issuer];
  const ran = await Promise.all([scene.run(["setup", "aws", ...issuer]), scene.run(["grant", "aws", ...issuer, "--service-account", "demo/app", "--role-name", "app"])]);
  expect(ran.map(({ exit }) => exit)).toEqual([0, 0]);
  token = scene.sandbox.cluster.mintToken(APP, { audiences: ["sts.amazonaws.com"] });
  await scene.file("token.jwt", `${token}\n`);
});

afterAll(() => scene.close());

beforeEach(() => scene.forget());

async function verify(exit: number, args: readonly string[], options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {}) {
  const { ran, document } = await scene.runJson(["verify", "aws", ...args], options);
  expect(ran.exit, ran.stderr).toBe(exit);
  return { ran, ...expectEnvelope<Verdict>("VerifyReport", document) };
}

describe("verify accepts a good token", () => {
  it("of a service account, minted for it, with the issuer and the records read side by side", async () => {
    const { data } = await verify(0, ["--service-account", "demo/app", "--role-arn", ROLE]);
    expect(data).toMatchObject({ accepted: true, code: null, session: { subject: "system:serviceaccount:demo:app" } });
    expect(scene.writes()).toEqual([]);
  });

  it("of a file, and asks the real STS with --exchange", async () => {
    const { data, warnings } = await verify(0, ["--token-file", "token.jwt", "--role-arn", ROLE, "--exchange"]);
    expect(data).toMatchObject({ accepted: true, exchange: { accepted: true, code: null } });
    expect(warnings).toEqual([]);
    expect(scene.calls().map(({ action }) => action)).toContain("AssumeRoleWithWebIdentity");
  });

  it("with no issuer named: the token's own says whose grant's role is meant", async () => {
    const { exit } = await scene.run(["grant", "aws", "--issuer-url", scene.issuer, "--service-account", "demo/default"]);
    expect(exit).toBe(0);
    expect((await verify(0, ["--service-account", "demo/default"])).data.session?.principal).toContain("assumed-role/demo.default-");
  });

  it("of standard input", async () => {
    expect((await verify(0, ["--token-file", "-", "--role-arn", ROLE], { input: token })).data.accepted).toBe(true);
  });
});

describe("verify with token, JWKS and trust from files", () => {
  /** Neither credentials, nor a cluster, nor a name or an endpoint that answers. */
  const NOTHING = { AWS_SHARED_CREDENTIALS_FILE: "/dev/null", AWS_CONFIG_FILE: "/dev/null", AWS_REGION: "", AWS_DEFAULT_REGION: "", AWS_ENDPOINT_URL_IAM: "http://127.0.0.1:1", AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1", KUBECONFIG: "", HTTPS_PROXY: "http://127.0.0.1:1", HTTP_PROXY: "http://127.0.0.1:1", NO_PROXY: "" };
  let files: readonly string[];

  beforeAll(async () => {
    const [provider] = scene.aws.state.providers.values();
    const role = scene.aws.state.roles.get("app");
    const trust = {
      provider: { Url: provider?.url, ClientIDList: provider?.clientIds, ThumbprintList: provider?.thumbprints, Arn: provider?.arn },
      role: { Arn: role?.arn, MaxSessionDuration: 3600, AssumeRolePolicyDocument: encodeURIComponent(role?.assumeRolePolicyDocument ?? "") },
    };
    await scene.file("trust.json", JSON.stringify(trust));
    await scene.file("jwks.json", JSON.stringify({ keys: scene.sandbox.cluster.keys.jwks }));
    files = ["--token-file", "token.jwt", "--jwks-file", "jwks.json", "--trust-file", "trust.json"];
  });

  it("needs no network and no credentials", async () => {
    const { data } = await verify(0, files, { env: NOTHING });
    expect(data).toMatchObject({ accepted: true, session: { principal: ROLE.replace(":iam:", ":sts:").replace("role/kubeassume/app", "assumed-role/app/kubeassume") } });
    expect(scene.calls()).toEqual([]);
  });

  it("asks the real STS for the role of the trust file, where no flag names another", async () => {
    const { data } = await verify(0, [...files, "--exchange"]);
    expect(data).toMatchObject({ accepted: true, exchange: { accepted: true, code: null } });
  });

  it("judges at any time, and never shows the signature", async () => {
    const { ran, data } = await verify(3, [...files, "--at", "2099-01-01T00:00:00Z"], { env: NOTHING });
    expect(data).toMatchObject({ accepted: false, code: "ExpiredTokenException", session: null, claims: { sub: "system:serviceaccount:demo:app" } });
    const signature = token.split(".")[2] ?? "";
    expect(ran.stdout + ran.stderr).not.toContain(signature);
    expect(await readFile(`${scene.dir}/token.jwt`, "utf8")).toContain(signature);
  });
});

describe("verify refuses input that means nothing, before it judges", () => {
  it.each([
    ["a day that no calendar has", ["--at", "2026-02-30T00:00:00Z"]],
    ["a date without a time", ["--at", "2026-02-28"]],
    ["a duration in words", ["--duration-seconds", "1h"]],
  ])("%s", async (_name, args) => {
    const { data, error } = await verify(2, ["--token-file", "token.jwt", "--role-arn", ROLE, ...args]);
    expect(data).toBeNull();
    expect(error).toMatchObject({ code: "FLAG_INVALID", message: expect.stringContaining(String(args[1])) });
  });
});

describe("verify refuses in AWS's words, says which rule, and how to mend it, as STS does", () => {
  const cases = [
    ["another audience", { audiences: ["vault"] }, APP, "InvalidIdentityToken", /--audience vault/],
    ["another service account", { audiences: ["sts.amazonaws.com"] }, { namespace: "demo", name: "other" }, "AccessDenied", /kubeassume grant aws --issuer-url \S+ --service-account demo\/app --service-account demo\/other /],
    ["an expired token", { audiences: ["sts.amazonaws.com"], issuedAt: new Date(0) }, APP, "ExpiredTokenException", /fresh token/],
  ] as const;

  it.each(cases)("%s", async (_name, options, account, code, hint) => {
    const minted = scene.sandbox.cluster.mintToken(account, options);
    const { data, error, warnings } = await verify(3, ["--token-file", "-", "--role-arn", ROLE, "--exchange"], { input: minted });
    expect(data).toMatchObject({ accepted: false, code, exchange: { accepted: false, code } });
    expect(error).toMatchObject({ code: "TOKEN_REFUSED", hint: expect.stringMatching(hint) });
    expect(data.checks.filter(({ status }) => status === "fail")[0]?.hint).toMatch(hint);
    expect(warnings).toEqual([]);
  });

  it("a forged signature", async () => {
    const [head, body] = token.split(".");
    const forged = `${head}.${body}.${Buffer.alloc(256, 7).toString("base64url")}`;
    const { data } = await verify(3, ["--token-file", "-", "--role-arn", ROLE], { input: forged });
    expect(data).toMatchObject({ accepted: false, code: "InvalidIdentityToken" });
  });

  it("a disagreement with the real STS is a warning", async () => {
    scene.breakWith((_request, { action }) => (action === "AssumeRoleWithWebIdentity" ? { kind: "status", when: "before", status: 403, headers: { "content-type": "text/xml" }, body: "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>" } : null));
    const { data, warnings } = await verify(3, ["--token-file", "token.jwt", "--role-arn", ROLE, "--exchange"]);
    scene.breakWith(null);
    expect(data).toMatchObject({ accepted: true, exchange: { accepted: false, code: "AccessDenied" } });
    expect(warnings.map(({ code }) => code)).toEqual(["VERDICTS_DIFFER"]);
  });
});
