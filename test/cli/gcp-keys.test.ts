import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Provider } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import { AUDIENCE, type Bench, changed, codesOf, edit, PROVIDER, provider, type Sent, startGcpBench, type StatusData } from "../support/gcp-bench.ts";
import { PRIVATE_JWK, PRIVATE_PEM, PUBLIC_JWK } from "../support/bad-issuers.ts";

const APP = { namespace: "demo", name: "app" };
const P384 = { ...generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({ format: "jwk" }), kid: "p384", use: "sig", alg: "ES384" };

let bench: Bench;
let upload: readonly string[];
let restore: () => void;
/** The cluster's keys at the beginning of each test: the one that signs, and one that does not yet. */
let signing: string;
let spare: string;

/** Nothing serves the issuer: whoever asks it gets a closed connection. */
const withoutIssuer = (): void => bench.scene.breakWith(({ service }) => (service === "issuer" ? { kind: "reset", when: "before" } : null));

beforeAll(async () => {
  bench = await startGcpBench();
  upload = ["setup", "gcp", ...bench.place, "--keys", "upload"];
  const { keys } = bench.scene.sandbox.cluster;
  signing = keys.signingKid;
  spare = await keys.add("ec");
  withoutIssuer();
  await bench.succeed(upload);
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => {
  restore();
  withoutIssuer();
  const { keys } = bench.scene.sandbox.cluster;
  keys.signWith(signing);
  for (const { kid = "" } of keys.jwks) if (kid !== signing && kid !== spare) keys.remove(kid);
});

type Key = Readonly<Record<string, string>>;

const stored = (): readonly Key[] => (JSON.parse(provider(bench.state).oidc.jwksJson) as { readonly keys: readonly Key[] }).keys;
const kids = (keys: readonly Key[] = stored()): readonly string[] => keys.map(({ kid = "" }) => kid).sort();
const clusterKids = (): readonly string[] => bench.scene.sandbox.cluster.keys.jwks.map(({ kid = "" }) => kid).sort();
const storeKeys = (keys: readonly object[]): Provider => edit(bench.state.providers, PROVIDER, { oidc: { ...provider(bench.state).oidc, jwksJson: `${JSON.stringify({ keys }, null, 4)}\n` } });
const masks = (): readonly (string | undefined)[] => bench.sent().map(({ query }: Sent) => query["updateMask"]);
const exchange = (exit = 0): Promise<{ readonly exit: number | null }> => {
  const token = bench.scene.sandbox.cluster.mintToken(APP, { audiences: [AUDIENCE] });
  return bench.run(["verify", "gcp", ...bench.place, "--token-file", "-", "--exchange"], { input: token }).then((ran) => {
    expect(ran.exit, ran.stderr).toBe(exit);
    return ran;
  });
};

describe("a private cluster, whose issuer nobody serves", () => {
  it("uploads the cluster's keys with the members that Google takes, and asks nobody for the issuer", async () => {
    bench.state.pools.clear();
    bench.state.providers.clear();
    bench.forget();
    const { data } = await bench.succeed(upload);
    expect(data.steps.map(({ action }) => action)).toEqual(["create", "create"]);
    expect(kids()).toEqual(clusterKids());
    expect(stored().every((key) => Object.keys(key).every((name) => ["kty", "alg", "use", "kid", "n", "e", "crv", "x", "y"].includes(name)))).toBe(true);
    expect(bench.scene.calls().filter(({ service }) => service === "issuer")).toEqual([]);
    expect(bench.scene.calls()).toContainEqual(expect.objectContaining({ service: "cluster", action: "GET /openid/v1/jwks" }));
  });

  it("exchanges its tokens, and after a rotation again, with no moment in which either key is missing", async () => {
    await bench.succeed(["grant", "gcp", ...bench.place, "--service-account", "demo/app", "--role", "roles/viewer"]);
    await exchange();
    const { keys } = bench.scene.sandbox.cluster;
    const next = await keys.add("ec");
    await bench.succeed(upload);
    expect(kids()).toEqual([signing, spare, next].sort());
    keys.signWith(spare);
    await exchange();
    keys.remove(next);
    await bench.succeed(upload);
    expect(kids(), "live tokens may be signed with one that the cluster has not any more").toEqual([signing, spare, next].sort());
    await exchange();
    const { data } = await bench.succeed<StatusData>(["status", "gcp", ...bench.place, "--keys", "upload"]);
    expect(data.checks.filter(({ status }) => status === "fail")).toEqual([]);
  });

  it("is refused by Google, and status says so, when the keys were rotated and not uploaded", async () => {
    const { keys } = bench.scene.sandbox.cluster;
    keys.signWith(await keys.add("ec"));
    await exchange(3);
    const { data } = await bench.fail<StatusData>(3, ["status", "gcp", ...bench.place, "--keys", "upload"]);
    expect(data.checks.find(({ id }) => id === "gcp-provider-keys")).toMatchObject({ status: "fail", message: expect.stringContaining(keys.signingKid) as string, hint: expect.stringContaining("kubeassume setup gcp") as string });
  });
});

describe("what is uploaded", () => {
  it("is compared as keys, not as text: what Google formatted anew is no difference", async () => {
    const [first] = stored();
    storeKeys(stored().map((key) => Object.fromEntries(Object.entries(key).reverse())).reverse());
    expect(first).toBeDefined();
    expect(changed(await bench.succeed(upload))).toEqual([]);
    expect(bench.sent()).toEqual([]);
  });

  it("comes from a file without any cluster, and loses the members that Google refuses", async () => {
    const withChain = { ...PUBLIC_JWK, kid: "file", x5c: ["MIIB"], x5t: "x", key_ops: ["verify"] };
    const file = await bench.scene.file("jwks.json", JSON.stringify({ keys: [withChain] }));
    bench.forget();
    await bench.succeed([...upload, "--jwks-file", file, "--prune-keys"], { env: { KUBECONFIG: "" } });
    expect(stored()).toEqual([{ alg: "RS256", e: PUBLIC_JWK.e, kid: "file", kty: "RSA", n: PUBLIC_JWK.n, use: "sig" }]);
    expect(masks()).toEqual(["oidc.jwksJson"]);
    expect(bench.scene.calls().filter(({ service }) => service === "cluster")).toEqual([]);
  });

  it("comes from public keys in PEM", async () => {
    const pem = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "pem" }).toString();
    const file = await bench.scene.file("sa.pub", pem);
    const before = kids();
    await bench.succeed([...upload, "--public-key-file", file]);
    expect(kids()).toHaveLength(before.length + 1);
    expect(kids()).toEqual(expect.arrayContaining([...before]));
  });

  it("keeps what others stored; --prune-keys removes it, and the plan says which before it happens", async () => {
    const foreign = { kty: "RSA", alg: "RS256", use: "sig", kid: "theirs", n: PUBLIC_JWK.n, e: PUBLIC_JWK.e };
    storeKeys([...stored(), foreign]);
    expect(changed(await bench.succeed(upload))).toEqual([]);
    const { data } = await bench.succeed<{ readonly steps: readonly { readonly id: string; readonly action: string; readonly reason: string; readonly before: { readonly keys: readonly Key[] }; readonly after: { readonly keys: readonly Key[] } }[] }>([...upload, "--prune-keys", "--dry-run"]);
    const step = data.steps.find(({ id }) => id === "gcp.provider");
    expect([kids(step?.before.keys), kids(step?.after.keys)]).toEqual([[...clusterKids(), "theirs"].sort(), clusterKids()]);
    expect(bench.sent()).toEqual([]);
    await bench.succeed([...upload, "--prune-keys"]);
    expect(kids()).toEqual(clusterKids());
    expect(masks()).toEqual(["oidc.jwksJson"]);
  });

  it("is nobody else's under a kid of the cluster", async () => {
    storeKeys([{ ...PUBLIC_JWK, kid: signing }]);
    const { error } = await bench.fail(2, upload);
    expect(error).toMatchObject({ code: "GCP_KEY_CONFLICT", message: expect.stringContaining(signing) as string, hint: expect.stringContaining("--prune-keys") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("leaves out a key that Google could not use, with a warning, and refuses when none is left", async () => {
    const mixed = await bench.scene.file("mixed.json", JSON.stringify({ keys: [P384, { ...PUBLIC_JWK, kid: "good" }] }));
    const { warnings } = await bench.succeed([...upload, "--jwks-file", mixed]);
    expect(warnings.map(({ code, message }) => [code, message.includes("p384")])).toEqual([["GCP_KEY_UNUSABLE", true]]);
    expect(kids()).not.toContain("p384");
    const none = await bench.scene.file("none.json", JSON.stringify({ keys: [P384] }));
    bench.forget();
    const { error } = await bench.fail(2, [...upload, "--jwks-file", none]);
    expect(error).toMatchObject({ code: "GCP_NO_USABLE_KEY", message: expect.stringContaining("p384") as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("of more than eight keys is a warning", async () => {
    const many = await bench.scene.file("many.json", JSON.stringify({ keys: Array.from({ length: 9 }, (_, index) => ({ ...PUBLIC_JWK, kid: `k${index}` })) }));
    const { warnings } = await bench.succeed([...upload, "--jwks-file", many, "--prune-keys"]);
    expect(warnings.map(({ code }) => code)).toEqual(["GCP_MANY_KEYS"]);
  });

  it.each([
    ["private keys", "private.json", () => JSON.stringify({ keys: [PRIVATE_JWK] }), "--jwks-file", "JWKS_PRIVATE_KEY"],
    ["a private key in PEM", "private.pem", () => PRIVATE_PEM, "--public-key-file", "KEY_FILE_PRIVATE"],
    ["nothing", "empty.json", () => '{"keys":[]}', "--jwks-file", "JWKS_EMPTY"],
    ["what is no key set", "text.json", () => "{", "--jwks-file", "JWKS_MALFORMED"],
  ])("is never %s", async (_name, name, content, flag, code) => {
    const file = await bench.scene.file(name, content());
    expect((await bench.fail(2, [...upload, flag, file])).error.code).toBe(code);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("is not guessed when an API server cannot be asked which keys it signs with", async () => {
    bench.scene.sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port: Number(new URL(bench.scene.sandbox.cluster.url).port) }, { host: "127.0.0.1", port: 1 }]);
    const document = await bench.fail(4, [...upload, "--prune-keys"]).finally(() => bench.scene.sandbox.cluster.setEndpoints([{ host: "127.0.0.1", port: Number(new URL(bench.scene.sandbox.cluster.url).port) }]));
    expect(document.error.code).toBe("PRUNE_UNSAFE");
    expect(bench.scene.writes()).toEqual([]);
  });
});

describe("from uploaded keys back to discovery", () => {
  const discovery = (...more: readonly string[]): readonly string[] => [...upload.slice(0, -2), ...more];

  it("is not done in passing: without --keys it is refused", async () => {
    bench.scene.breakWith(null);
    const { error } = await bench.fail(2, discovery());
    expect(error).toMatchObject({ code: "GCP_KEYS_UPLOADED", hint: expect.stringMatching(/--keys upload.*--keys discovery/) as string });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("is done when asked for, with a word about it", async () => {
    bench.scene.breakWith(null);
    const document = await bench.succeed(discovery("--keys", "discovery"));
    expect(document.warnings.map(({ code }) => code)).toContain("GCP_UPLOADED_KEYS_REMOVED");
    expect([masks(), provider(bench.state).oidc.jwksJson]).toEqual([["oidc.jwksJson"], ""]);
    expect(changed(await bench.succeed(discovery()))).toEqual([]);
  });

  it("is refused while the issuer cannot be read", async () => {
    const document = await bench.fail(4, discovery("--keys", "discovery"));
    expect(codesOf(document)).toEqual(["ISSUER_UNREACHABLE"]);
    expect(bench.scene.writes()).toEqual([]);
  });
});
