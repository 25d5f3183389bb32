import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { HereOptions } from "../support/run-here.ts";
import { AUDIENCE, type Bench, edit, memberOf, policyOf, pool, POOL, PROJECT, provider, PROVIDER, setPolicy, startGcpBench } from "../support/gcp-bench.ts";
import { expectEnvelope } from "../support/output-schema.ts";

const APP = { namespace: "demo", name: "app" };
const VIEWER = "roles/storage.objectViewer";
const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const MEMBER = memberOf("demo/app");

interface Verdict {
  readonly accepted: boolean;
  readonly code: string | null;
  readonly cloudMessage: string | null;
  readonly session: { readonly subject: string; readonly principal: string; readonly audience: string; readonly provider: string; readonly durationSeconds: number } | null;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string; readonly hint: string }[];
  readonly exchange: { readonly accepted: boolean; readonly code: string | null; readonly cloudMessage: string | null; readonly principal: string | null } | null;
}

let bench: Bench;
let restore: () => void;
let token: string;

beforeAll(async () => {
  bench = await startGcpBench();
  await bench.succeed(["setup", "gcp", ...bench.place]);
  await bench.succeed(["grant", "gcp", ...bench.place, "--service-account", "demo/app", "--role", VIEWER]);
  await bench.succeed(["grant", "gcp", ...bench.place, "--service-account", "demo/app", "--impersonate", EMAIL, "--create-service-account"]);
  token = mint();
  await bench.scene.file("token.jwt", `${token}\n`);
  restore = bench.snapshot();
});

afterAll(() => bench.scene.close());

beforeEach(() => restore());

function mint(options: { readonly audiences?: readonly string[]; readonly issuedAt?: Date; readonly expirationSeconds?: number } = {}, account = APP): string {
  return bench.scene.sandbox.cluster.mintToken(account, { audiences: [AUDIENCE], ...options });
}

async function verify(exit: number, args: readonly string[], options?: HereOptions) {
  const ran = await bench.run(["verify", "gcp", ...args], options);
  expect(ran.exit, ran.stderr).toBe(exit);
  return { ran, ...expectEnvelope<Verdict>("VerifyReport", ran.document) };
}

const judged = (exit: number, minted: string, ...more: readonly string[]) => verify(exit, [...bench.place.slice(2), "--token-file", "-", ...more], { input: minted });

describe("verify accepts a good token", () => {
  it("of a service account, minted for the provider's own name, with issuer and records read side by side", async () => {
    const { data } = await verify(0, [...bench.place, "--service-account", "demo/app"]);
    expect(data).toMatchObject({ accepted: true, code: null, session: { subject: "system:serviceaccount:demo:app", audience: AUDIENCE, provider: PROVIDER, principal: MEMBER } });
    expect(bench.scene.writes()).toEqual([]);
  });

  it("of a file, for either spelling of the provider's name", async () => {
    for (const audience of [AUDIENCE, AUDIENCE.slice("https:".length)]) expect((await judged(0, mint({ audiences: [audience] }))).data.accepted).toBe(true);
  });

  it("and Google agrees with --exchange, for the identity itself and for whom it impersonates", async () => {
    const direct = await judged(0, token, "--role", VIEWER, "--exchange");
    expect(direct.data).toMatchObject({ accepted: true, session: { principal: MEMBER }, exchange: { accepted: true, code: null } });
    const become = await judged(0, token, "--impersonate", EMAIL, "--exchange");
    expect(become.data).toMatchObject({ accepted: true, session: { principal: expect.stringContaining(EMAIL) as string }, exchange: { accepted: true, principal: expect.stringContaining(EMAIL) as string } });
    expect([...direct.warnings, ...become.warnings]).toEqual([]);
    expect(bench.scene.calls().filter(({ action }) => action.endsWith(":generateAccessToken"))).toHaveLength(1);
  });

  it("by the number of the project, without looking it up", async () => {
    await verify(0, ["--project-number", bench.state.project.number, "--pool-id", "prod", "--token-file", "token.jwt"]);
    expect(bench.scene.calls().filter(({ action }) => action === `GET /v3/projects/${PROJECT}`)).toEqual([]);
  });
});

describe("verify with token, JWKS and trust from files", () => {
  /** Neither credentials, nor a cluster, nor a name or an endpoint that answers. */
  const DEAD = "http://127.0.0.1:1/";
  const NOTHING = {
    GOOGLE_APPLICATION_CREDENTIALS: "", CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: "", CLOUDSDK_CONFIG: "/nowhere", HOME: "/nowhere", NO_GCE_CHECK: "", KUBECONFIG: "",
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: DEAD, CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: DEAD, CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: DEAD, HTTPS_PROXY: DEAD, HTTP_PROXY: DEAD, NO_PROXY: "",
  };
  let files: readonly string[];

  const writeTrust = (change: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    const { oidc, name, attributeMapping, state } = provider(bench.state);
    const { jwksJson: _none, ...discovered } = oidc;
    const trust = { pool: { name: POOL, state: pool(bench.state).state }, provider: { name, state, attributeMapping, oidc: discovered }, projectPolicy: policyOf(bench.state), ...change };
    return bench.scene.file("trust.json", JSON.stringify(trust));
  };

  beforeAll(async () => {
    await writeTrust();
    await bench.scene.file("jwks.json", JSON.stringify({ keys: bench.scene.sandbox.cluster.keys.jwks }));
    files = ["--token-file", "token.jwt", "--jwks-file", "jwks.json", "--trust-file", "trust.json"];
  });

  it("needs no network and no credentials", async () => {
    const { data } = await verify(0, [...files, "--role", VIEWER], { env: NOTHING });
    expect(data).toMatchObject({ accepted: true, session: { principal: MEMBER } });
    expect(bench.scene.calls()).toEqual([]);
  });

  it("judges at any time, and never shows the signature", async () => {
    const { ran, data } = await verify(3, [...files, "--at", "2099-01-01T00:00:00Z"], { env: NOTHING });
    expect(data).toMatchObject({ accepted: false, code: "invalid_grant", cloudMessage: expect.stringMatching(/^ID Token issued at \d+ is stale to sign-in\.$/) as string, session: null, claims: { sub: "system:serviceaccount:demo:app" } });
    const signature = token.split(".")[2] ?? "";
    expect(ran.stdout + ran.stderr).not.toContain(signature);
    expect(await readFile(`${bench.scene.dir}/token.jwt`, "utf8")).toContain(signature);
  });

  it("asks the real service on top with --exchange alone", async () => {
    const { data } = await verify(0, [...files, ...bench.place.slice(2), "--exchange"]);
    expect(data).toMatchObject({ accepted: true, exchange: { accepted: true } });
  });

  it.each([
    ["no JSON", "{", /not JSON/],
    ["no pool", '{"provider":null,"projectPolicy":{}}', /pool/],
    ["no policy", '{"pool":null,"provider":null}', /serviceAccountPolicy/],
    ["a policy without its account", '{"pool":null,"provider":null,"serviceAccountPolicy":{}}', /serviceAccount/],
  ])("refuses a trust file with %s", async (_name, text, says) => {
    await bench.scene.file("bad-trust.json", text);
    const { error } = await verify(2, [...files.slice(0, -1), "bad-trust.json"], { env: NOTHING });
    expect(error).toMatchObject({ code: "TRUST_FILE_MALFORMED", message: expect.stringMatching(says) as string });
  });
});

/** One line of what Google refuses: how it comes about, Google's code and words, our rule and how to mend it. */
interface Refusal {
  readonly name: string;
  readonly rule: string;
  readonly code: string;
  readonly words: RegExp;
  readonly hint: RegExp;
  /** Changes what there is; answers the token when it is not the good one. */
  readonly arrange: () => string | void;
  readonly flags?: readonly string[];
  /** What Google's own services cannot be asked for, or answer otherwise. */
  readonly notExchanged?: true;
}

const tamper = (jwt: string, part: number, change: (json: Record<string, unknown>) => void): string => {
  const parts = jwt.split(".");
  const json = JSON.parse(Buffer.from(parts[part] ?? "", "base64url").toString("utf8")) as Record<string, unknown>;
  change(json);
  parts[part] = Buffer.from(JSON.stringify(json)).toString("base64url");
  return parts.join(".");
};

const REFUSALS: readonly Refusal[] = [
  { name: "no JWT", rule: "gcp-token-form", code: "invalid_grant", words: /^Unable to parse the ID Token\.$/, hint: /kubectl create token/, arrange: () => "ya29.not-a-jwt", notExchanged: true },
  { name: "an algorithm that Google does not take", rule: "gcp-token-algorithm", code: "invalid_grant", words: /signature/, hint: /RSA or P-256/, arrange: () => tamper(token, 0, (header) => void (header["alg"] = "HS256")) },
  { name: "no kid", rule: "gcp-token-key-id", code: "invalid_grant", words: /^Error connecting to the given credential's issuer\.$/, hint: /TokenRequest/, arrange: () => tamper(token, 0, (header) => void delete header["kid"]) },
  { name: "no exp", rule: "gcp-token-required-claims", code: "invalid_grant", words: /stale to sign-in/, hint: /TokenRequest/, arrange: () => tamper(token, 1, (claims) => void delete claims["exp"]) },
  { name: "an exp in words", rule: "gcp-token-claim-types", code: "invalid_grant", words: /stale to sign-in/, hint: /TokenRequest/, arrange: () => tamper(token, 1, (claims) => void (claims["exp"] = "tomorrow")) },
  { name: "another issuer", rule: "gcp-token-issuer", code: "invalid_grant", words: /^The issuer in ID Token .* does not match the expected one in config/, hint: /--issuer-url/, arrange: () => void edit(bench.state.providers, PROVIDER, { oidc: { ...provider(bench.state).oidc, issuerUri: `${bench.scene.issuer}/` } }) },
  { name: "another audience", rule: "gcp-token-audience", code: "invalid_grant", words: /^The audience in ID Token \[vault\] does not match the expected audience\.$/, hint: new RegExp(`--audience ${AUDIENCE}`), arrange: () => mint({ audiences: ["vault"] }) },
  { name: "the project's ID where its number belongs", rule: "gcp-token-audience", code: "invalid_grant", words: /does not match the expected audience/, hint: new RegExp(`--audience ${AUDIENCE}`), arrange: () => mint({ audiences: [AUDIENCE.replace(/projects\/\d+/, `projects/${PROJECT}`)] }) },
  { name: "a token of the future", rule: "gcp-token-issued-at", code: "invalid_grant", words: /stale to sign-in/, hint: /clock/, arrange: () => mint({ issuedAt: new Date(Date.now() + 600_000) }) },
  { name: "an expired token", rule: "gcp-token-expired", code: "invalid_grant", words: /stale to sign-in/, hint: /fresh token/, arrange: () => mint({ issuedAt: new Date(Date.now() - 7_200_000) }) },
  { name: "a token that is older than a day", rule: "gcp-token-age", code: "invalid_grant", words: /stale to sign-in/, hint: /24 hours/, arrange: () => mint({ issuedAt: new Date(Date.now() - 25 * 3_600_000), expirationSeconds: 40 * 3600 }) },
  { name: "a token for two days and more", rule: "gcp-token-lifetime", code: "invalid_grant", words: /stale to sign-in/, hint: /24 hours/, arrange: () => mint({ expirationSeconds: 50 * 3600 }) },
  { name: "a forged signature", rule: "gcp-token-signature", code: "invalid_grant", words: /^Unable to verify the ID Token signature\.$/, hint: /fresh token/, arrange: () => [...token.split(".").slice(0, 2), Buffer.alloc(256, 7).toString("base64url")].join(".") },
  { name: "a key that is not published", rule: "gcp-key-found", code: "invalid_grant", words: /./, hint: /kubeassume publish/, arrange: () => tamper(token, 0, (header) => void (header["kid"] = "other")) },
  { name: "uploaded keys that are not the cluster's", rule: "gcp-key-found", code: "invalid_grant", words: /./, hint: /upload|publish/, arrange: () => void edit(bench.state.providers, PROVIDER, { oidc: { ...provider(bench.state).oidc, jwksJson: '{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"old","n":"sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri","e":"AQAB"}]}' } }) },
  { name: "uploaded keys of another form", rule: "gcp-keys-uploaded", code: "invalid_grant", words: /^Error connecting to the given credential's issuer\.$/, hint: /--keys upload/, arrange: () => void edit(bench.state.providers, PROVIDER, { oidc: { ...provider(bench.state).oidc, jwksJson: '{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"old","n":"sXch","e":"AQAB","x5c":["MIIB"]}]}' } }) },
  { name: "a mapping that cannot be evaluated", rule: "gcp-attribute-mapping", code: "unauthorized_client", words: /./, hint: /mapping/, arrange: () => void edit(bench.state.providers, PROVIDER, { attributeMapping: { "google.subject": "assertion.sub", "attribute.name": "nameOf(assertion.sub)" } }) },
  { name: "a condition that is false", rule: "gcp-attribute-condition", code: "unauthorized_client", words: /^The given credential is rejected by the attribute condition\.$/, hint: /--attribute-condition/, arrange: () => void edit(bench.state.providers, PROVIDER, { attributeCondition: "assertion.sub == 'x'" }) },
  { name: "no subject", rule: "gcp-subject", code: "unauthorized_client", words: /^Could not obtain a value for google\.subject from the given credential\.$/, hint: /google\.subject|assertion\.sub/, arrange: () => void edit(bench.state.providers, PROVIDER, { attributeMapping: { "google.subject": "assertion.email" } }) },
  { name: "a subject that is too long", rule: "gcp-subject-length", code: "invalid_request", words: /^The size of mapped attribute google\.subject exceeds the 127 bytes limit\./, hint: /shorter/, arrange: () => mint({}, { namespace: "demo", name: "a".repeat(120) }) },
  { name: "a deleted pool", rule: "gcp-pool", code: "invalid_target", words: /pool or provider is disabled or deleted or because it doesn't exist/, hint: /kubeassume setup gcp/, arrange: () => void edit(bench.state.pools, POOL, { state: "DELETED", expireTime: new Date(Date.now() + 1e9) }) },
  { name: "a disabled pool", rule: "gcp-pool", code: "invalid_target", words: /./, hint: /--no-disabled/, arrange: () => void edit(bench.state.pools, POOL, { disabled: true }) },
  { name: "no pool", rule: "gcp-pool", code: "invalid_target", words: /./, hint: /kubeassume setup gcp/, arrange: () => void [bench.state.pools.clear(), bench.state.providers.clear()] },
  { name: "a deleted provider", rule: "gcp-provider", code: "invalid_target", words: /./, hint: /kubeassume setup gcp/, arrange: () => void edit(bench.state.providers, PROVIDER, { state: "DELETED", expireTime: new Date(Date.now() + 1e9) }) },
  { name: "a disabled provider", rule: "gcp-provider", code: "invalid_target", words: /./, hint: /--no-disabled/, arrange: () => void edit(bench.state.providers, PROVIDER, { disabled: true }) },
  { name: "nothing that lets it impersonate", rule: "gcp-impersonation", code: "PERMISSION_DENIED", words: /^Permission 'iam\.serviceAccounts\.getAccessToken' denied on resource \(or it may not exist\)\.$/, hint: /kubeassume grant gcp .*--impersonate/, arrange: () => void setPolicy(bench.state, { version: 1, bindings: [] }, `serviceAccounts/${EMAIL}`), flags: ["--impersonate", EMAIL] },
  { name: "a service account that does not exist", rule: "gcp-impersonation", code: "PERMISSION_DENIED", words: /denied on resource \(or it may not exist\)/, hint: /--create-service-account/, arrange: () => void bench.state.serviceAccounts.clear(), flags: ["--impersonate", EMAIL] },
  // Only an API of the resource itself could answer this.
  { name: "a role that nothing gives", rule: "gcp-direct-access", code: "PERMISSION_DENIED", words: /./, hint: /kubeassume grant gcp .*--role roles\/editor/, arrange: () => undefined, flags: ["--role", "roles/editor"], notExchanged: true },
];

describe("verify refuses in Google's words, says which rule, and how to mend it, as Google does", () => {
  it.each(REFUSALS)("$name", async ({ rule, code, words, hint, arrange, flags = [], notExchanged }) => {
    const presented = arrange() ?? token;
    const { data, error, warnings } = await judged(3, presented, ...flags, ...(notExchanged === true ? [] : ["--exchange"]));
    const [ruling] = data.checks.filter(({ status }) => status === "fail");
    expect([data.accepted, ruling?.id, data.code], data.cloudMessage ?? "").toEqual([false, rule, code]);
    expect(data.cloudMessage).toMatch(words);
    expect(ruling?.hint).toMatch(hint);
    expect(error).toMatchObject({ code: "TOKEN_REFUSED", hint: ruling?.hint, details: { code, check: rule } });
    if (notExchanged !== true) expect(data.exchange).toMatchObject({ accepted: false, code, cloudMessage: data.cloudMessage });
    expect(warnings).toEqual([]);
    expect(bench.scene.writes()).toEqual([]);
  });

  it("for an issuer that cannot be reached", async () => {
    bench.scene.breakWith(({ service }) => (service === "issuer" ? { kind: "status", when: "before", status: 404, body: "" } : null));
    const { data } = await judged(3, token, "--exchange");
    expect(data).toMatchObject({ code: "invalid_grant", cloudMessage: "Error connecting to the given credential's issuer.", exchange: { accepted: false, code: "invalid_grant" } });
    expect(data.checks.find(({ status }) => status === "fail")).toMatchObject({ id: "gcp-issuer-reachable", hint: expect.stringContaining("--keys upload") as string });
  });

  it("for a discovery document of another issuer", async () => {
    const file = await bench.scene.file("discovery.json", JSON.stringify({ issuer: "https://oidc.example.com", jwks_uri: `${bench.scene.issuer}/openid/v1/jwks` }));
    const { data } = await judged(3, token, "--discovery-file", file);
    expect(data).toMatchObject({ code: "invalid_grant", cloudMessage: expect.stringContaining("`issuer` claim in OIDC discovery document does not match") as string });
    expect(data.checks.find(({ status }) => status === "fail")?.id).toBe("gcp-discovery");
  });

  it("but a key set with a private key only with a warning, as Google does, and without showing it", async () => {
    const [jwk] = bench.scene.sandbox.cluster.keys.jwks;
    const file = await bench.scene.file("private-set.json", JSON.stringify({ keys: [{ ...jwk, d: "AQAB" }] }));
    const { ran, data } = await judged(0, token, "--jwks-file", file);
    expect(data.checks.find(({ status }) => status === "warn")?.id).toBe("gcp-keys-public");
    expect(ran.stdout).not.toContain('"AQAB"');
  });

  it("and a disagreement with Google is a warning", async () => {
    bench.scene.breakWith(({ service, body }) => (service === "gcp.sts" && Buffer.from(body).toString("utf8").includes("workloadIdentityPools") ? { kind: "status", when: "before", status: 400, headers: { "content-type": "application/json" }, body: '{"error":"invalid_grant","error_description":"Something else."}' } : null));
    const { data, warnings, error } = await judged(3, token, "--exchange");
    expect(data).toMatchObject({ accepted: true, exchange: { accepted: false, code: "invalid_grant", cloudMessage: "Something else." } });
    expect(warnings.map(({ code }) => code)).toEqual(["VERDICTS_DIFFER"]);
    expect(error?.code).toBe("TOKEN_REFUSED");
  });

  it("and for a service account of which nobody has heard both answer the same", async () => {
    const { data, warnings } = await judged(3, token, "--impersonate", `nobody@${PROJECT}.iam.gserviceaccount.com`, "--exchange");
    expect([data.accepted, data.exchange?.accepted, warnings.length]).toEqual([false, false, 0]);
  });
});
