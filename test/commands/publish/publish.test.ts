import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../../src/commands/run.ts";
import type { World } from "../../../src/commands/world.ts";
import { awsStandIns, type RunningAwsStandIns, startAwsStandIns } from "../../../src/federation/clouds/aws/sandbox/index.ts";
import { type Sandbox, startSandbox } from "../../../src/federation/sandbox/start-sandbox.ts";
import { rsaKey } from "../../federation/oidc/keys.ts";

interface Ran {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Envelope {
  readonly kind: string;
  readonly ok: boolean;
  readonly data: { readonly keys: { kid: string; status: string }[]; readonly steps: { action: string; status: string; target: string }[] };
  readonly error: { readonly code: string; readonly message: string } | null;
}

const key = rsaKey("from-file");
let root: string;
let cwd: string;
let sandbox: Sandbox;
let aws: RunningAwsStandIns;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kubeassume-publish-"));
  const start = async (host: Parameters<typeof startAwsStandIns>[0]) => (aws = await startAwsStandIns(host));
  sandbox = await startSandbox({ clouds: { aws: { ...awsStandIns, start } }, dir: join(root, "sandbox"), now: () => new Date() });
});
afterAll(async () => {
  await sandbox.close();
  await rm(root, { recursive: true, force: true });
});
beforeEach(async () => {
  cwd = await mkdtemp(join(root, "cwd-"));
  await writeFile(join(cwd, "jwks.json"), JSON.stringify({ keys: [key.jwk] }));
});
afterEach(() => aws.state.buckets.clear());

async function kubeassume(args: readonly string[], answer?: string): Promise<Ran> {
  const out: string[] = [];
  const errors: string[] = [];
  const isTTY = answer !== undefined;
  const world: World = {
    argv: args,
    env: { ...sandbox.env, HOME: cwd, NO_COLOR: "1" },
    cwd,
    stdout: { write: (text) => void out.push(text), isTTY: false, columns: 80 },
    stderr: { write: (text) => void errors.push(text), isTTY, columns: 80 },
    stdin: { isTTY, readAll: async () => "", readLine: async () => answer ?? null },
    now: () => new Date(),
    signal: new AbortController().signal,
  };
  const exit = await run(world, "0.0.0-test");
  return { exit, stdout: out.join(""), stderr: errors.join("") };
}

async function json(args: readonly string[]): Promise<{ readonly ran: Ran; readonly document: Envelope }> {
  const ran = await kubeassume([...args, "--output", "json"]);
  return { ran, document: JSON.parse(ran.stdout) as Envelope };
}

const writes = () => sandbox.requests.filter(({ service, method }) => service === "aws.s3" && !["GET", "HEAD"].includes(method)).length;
const toBucket = (...more: string[]) => ["publish", "s3", "--bucket", "oidc", "--issuer-url", sandbox.issuerUrl, ...more];
const toFolder = (...more: string[]) => ["publish", "dir", "--path", "site", "--issuer-url", sandbox.issuerUrl, ...more];

describe("kubeassume publish s3", () => {
  it("publishes the cluster's keys, answers one document, and changes nothing the second time", async () => {
    const first = await json(toBucket("--create-bucket"));
    expect([first.ran.exit, first.document.kind, first.document.ok]).toEqual([0, "PublishResult", true]);
    expect(first.document.data).toMatchObject({ issuer: sandbox.issuerUrl, discoveryUrl: `${sandbox.issuerUrl}/.well-known/openid-configuration`, jwksUrl: `${sandbox.issuerUrl}/openid/v1/jwks` });
    expect(first.document.data.keys.map(({ kid }) => kid).sort()).toEqual(sandbox.cluster.keys.jwks.map(({ kid }) => kid).sort());
    expect(first.document.data.steps.every((step) => step.action === "create" && step.status === "done")).toBe(true);
    const second = await json(toBucket("--create-bucket"));
    expect(new Set(second.document.data.steps.map((step) => step.action))).toEqual(new Set(["none"]));
  });

  it("answers a plan and sends no write with --dry-run", async () => {
    const before = writes();
    const { ran, document } = await json(toBucket("--create-bucket", "--dry-run"));
    expect([ran.exit, document.kind, writes() - before]).toEqual([0, "Plan", 0]);
    expect(new Set(document.data.steps.map((step) => step.status))).toEqual(new Set(["planned"]));
  });

  it("shows the plan on stderr and the result on stdout, and asks on a terminal", async () => {
    const declined = await kubeassume(toBucket("--create-bucket"), "n");
    expect([declined.exit, declined.stdout, aws.state.buckets.size]).toEqual([6, "", 0]);
    expect(declined.stderr).toContain("create s3.bucket s3://oidc");
    const confirmed = await kubeassume(toBucket("--create-bucket"), "yes");
    expect(confirmed.exit).toBe(0);
    expect(confirmed.stdout).toContain(sandbox.issuerUrl);
  });

  it("names what --prune-keys removes", async () => {
    await kubeassume(toBucket("--create-bucket", "--jwks-file", "jwks.json"));
    expect((await json(toBucket())).document.data.keys).toContainEqual({ kid: "from-file", status: "kept" });
    const { document } = await json(toBucket("--prune-keys"));
    expect(document.data.keys).toContainEqual({ kid: "from-file", status: "removed" });
    expect((await json(toBucket())).document.data.keys.map(({ kid }) => kid)).not.toContain("from-file");
  });

  it("takes what no flag says from kubeassume.yaml", async () => {
    const config = ["apiVersion: kubeassume.dev/v1", "kind: Federation", `issuer: ${sandbox.issuerUrl}`, "publish:", "  - s3: { bucket: oidc, jwksFile: jwks.json }"];
    await writeFile(join(cwd, "kubeassume.yaml"), `${config.join("\n")}\n`);
    const { ran, document } = await json(["publish", "s3", "--create-bucket"]);
    expect([ran.exit, document.data.keys]).toEqual([0, [{ kid: "from-file", status: "added" }]]);
  });

  it.each([
    ["an empty set", '{"keys":[]}', "JWKS_EMPTY"],
    ["a private key", JSON.stringify({ keys: [{ ...key.jwk, d: "c2VjcmV0LWNhbmFyeQ" }] }), "JWKS_PRIVATE_KEY"],
    ["a symmetric key", JSON.stringify({ keys: [{ kty: "oct", kid: "x", k: "c2VjcmV0LWNhbmFyeQ" }] }), "JWKS_SYMMETRIC_KEY"],
    ["half a file", '{"keys":[{"kty":"RSA"', "JWKS_MALFORMED"],
    ["a file of 2 MiB", " ".repeat(2 * 1024 * 1024), "FILE_UNREADABLE"],
  ])("refuses %s before any write, and shows nothing of it", async (_, text, code) => {
    const before = writes();
    await writeFile(join(cwd, "jwks.json"), text);
    const { ran, document } = await json(toBucket("--create-bucket", "--jwks-file", "jwks.json"));
    expect([ran.exit, document.error?.code, writes() - before]).toEqual([2, code, 0]);
    expect(ran.stdout + ran.stderr).not.toContain("c2VjcmV0LWNhbmFyeQ");
  });
});

describe("kubeassume publish dir", () => {
  it("writes public keys that are given as PEM, with the kid that Kubernetes computes", async () => {
    await writeFile(join(cwd, "sa.pub"), key.publicKey.export({ type: "spki", format: "pem" }));
    const { ran, document } = await json(toFolder("--public-key-file", "sa.pub"));
    expect(ran.exit).toBe(0);
    const [published] = (JSON.parse(await readFile(join(cwd, "site/openid/v1/jwks"), "utf8")) as { keys: { kid: string }[] }).keys;
    expect(published?.kid).toMatch(/^[\w-]{43}$/);
    expect(document.data.keys).toEqual([{ kid: published?.kid, status: "added" }]);
  });

  it("refuses a private key file, and two kinds of keys at once", async () => {
    await writeFile(join(cwd, "sa.key"), key.privateKey.export({ type: "pkcs8", format: "pem" }));
    expect((await json(toFolder("--public-key-file", "sa.key"))).document.error?.code).toBe("KEY_FILE_PRIVATE");
    expect((await json(toFolder("--public-key-file", "sa.key", "--jwks-file", "jwks.json"))).document.error?.code).toBe("FLAGS_CONFLICT");
    await expect(readFile(join(cwd, "site/openid/v1/jwks"))).rejects.toThrow("ENOENT");
  });
});
