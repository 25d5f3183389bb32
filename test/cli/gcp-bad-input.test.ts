import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startBadIssuers } from "../support/bad-issuers.ts";
import { type Bench, codesOf, PROJECT, startGcpBench } from "../support/gcp-bench.ts";
import type { TlsServer } from "../support/tls-server.ts";

const ISSUER = "https://oidc.example.com";
const EMAIL = `demo-app@${PROJECT}.iam.gserviceaccount.com`;
const ROLE = "roles/storage.objectViewer";
const LONG = "a".repeat(90);

/** One line of the table: what is typed, and what must be answered. */
interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly code: string;
  readonly exit: number;
  /** The wrong value, as the message has it. */
  readonly says: string | RegExp;
  /** What the hint leads to. */
  readonly hint?: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

let bench: Bench;
let bad: TlsServer;

const FILES: Readonly<Record<string, string>> = {
  "token.jwt": "not.a.token",
  "trust-shape.json": '{"pool": 5, "provider": null, "projectPolicy": {}}',
  "token-file": "ya29.operator",
  "not-a-credential.json": '{"installed": {}}',
  "unknown-kind.json": '{"type": "mystery"}',
  "broken.json": "{",
  "unknown-key.yaml": `apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: ${ISSUER}\nclouds:\n  gcp: { projekt: x }\n`,
  "conflicting.yaml": `apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: ${ISSUER}\nclouds:\n  gcp: { project: ${PROJECT}, poolId: prod }\ngrants:\n  - serviceAccount: demo/app\n    gcp: { roles: [${ROLE}] }\n  - serviceAccount: demo/app\n    gcp: { impersonate: ${EMAIL} }\n`,
};

beforeAll(async () => {
  bench = await startGcpBench();
  bad = await startBadIssuers(bench.scene.sandbox);
  await Promise.all(Object.entries(FILES).map(([name, content]) => bench.scene.file(name, content)));
});

afterAll(async () => {
  await bad.close();
  await bench.scene.close();
});

const setup = (...args: readonly string[]): readonly string[] => ["setup", "gcp", "--issuer-url", ISSUER, "--project", PROJECT, "--pool-id", "prod", ...args];
const grant = (...args: readonly string[]): readonly string[] => ["grant", "gcp", "--issuer-url", ISSUER, "--project", PROJECT, "--pool-id", "prod", "--service-account", "demo/app", ...args];
const publish = (...args: readonly string[]): readonly string[] => ["publish", "gcs", "--project", PROJECT, "--issuer-url", ISSUER, ...args];
const trustPolicy = (...args: readonly string[]): readonly string[] => ["trust-policy", "gcp", "--issuer-url", ISSUER, "--pool-id", "prod", "--service-account", "demo/app", ...args];
const verify = (...args: readonly string[]): readonly string[] => ["verify", "gcp", "--project", PROJECT, "--pool-id", "prod", ...args];

const PLACES: readonly Case[] = [
  { name: "no project", args: ["setup", "gcp", "--issuer-url", ISSUER, "--pool-id", "prod"], code: "FLAG_MISSING", exit: 2, says: "no project", hint: /--project/ },
  { name: "the project's number", args: setup("--project", "123456789012"), code: "GCP_PROJECT_INVALID", exit: 2, says: '"123456789012" is a number', hint: /project ID/ },
  { name: "a project that is no ID", args: setup("--project", "Acme Prod"), code: "GCP_PROJECT_INVALID", exit: 2, says: '"Acme Prod"' },
  { name: "a project that does not exist", args: grant("--project", "no-such-project", "--role", ROLE), code: "GCP_PROJECT_NOT_FOUND", exit: 2, says: "no-such-project", hint: /gcloud projects describe/ },
  { name: "no pool", args: ["setup", "gcp", "--issuer-url", ISSUER, "--project", PROJECT], code: "FLAG_MISSING", exit: 2, says: "no pool", hint: /--pool-id/ },
  { name: "a pool id that Google reserves", args: setup("--pool-id", "gcp-prod"), code: "GCP_ID_INVALID", exit: 2, says: /"gcp-prod".*reserves/ },
  { name: "a pool id that is too short", args: setup("--pool-id", "abc"), code: "GCP_ID_INVALID", exit: 2, says: /"abc" has 3 characters, not 4 to 32/ },
  { name: "a pool id in upper case", args: setup("--pool-id", "Prod"), code: "GCP_ID_INVALID", exit: 2, says: '"Prod"' },
  { name: "a provider id that is too long", args: setup("--provider-id", "p".repeat(33)), code: "GCP_ID_INVALID", exit: 2, says: "33 characters" },
  { name: "a pool name that is too long", args: setup("--pool-name", "n".repeat(33)), code: "GCP_NAME_TOO_LONG", exit: 2, says: "33 characters" },
  { name: "a subject prefix with a quote", args: setup("--subject-prefix", "a'b"), code: "GCP_SUBJECT_PREFIX_INVALID", exit: 2, says: "a'b" },
  { name: "an issuer over http", args: setup("--issuer-url", "http://oidc.example.com"), code: "ISSUER_NOT_HTTPS", exit: 2, says: "http", hint: /https:/ },
  { name: "an issuer with a trailing slash", args: setup("--issuer-url", `${ISSUER}/prod/`), code: "ISSUER_TRAILING_SLASH", exit: 2, says: "/prod/" },
  { name: "a project number that is none", args: trustPolicy("--project-number", "acme-prod", "--role", ROLE), code: "GCP_PROJECT_NUMBER_INVALID", exit: 2, says: "acme-prod", hint: /projectNumber/ },
  { name: "no project number for the offline texts", args: trustPolicy("--role", ROLE), code: "FLAG_MISSING", exit: 2, says: "number", hint: /--project-number/ },
];

const TRUST: readonly Case[] = [
  { name: "an audience with white space", args: setup("--audience", "a b"), code: "GCP_AUDIENCE_INVALID", exit: 2, says: '"a b"' },
  { name: "an audience of 257 characters", args: setup("--audience", "a".repeat(257)), code: "GCP_AUDIENCE_INVALID", exit: 2, says: "257 characters" },
  { name: "eleven audiences", args: setup(...Array.from({ length: 11 }, (_, index) => ["--audience", `a${index}`]).flat()), code: "GCP_TOO_MANY_AUDIENCES", exit: 2, says: "11 audiences" },
  { name: "keys from nowhere", args: setup("--keys", "fetch"), code: "USAGE", exit: 2, says: /fetch.*discovery, upload/ },
  { name: "a key file without --keys upload", args: setup("--jwks-file", "broken.json"), code: "FLAGS_CONFLICT", exit: 2, says: "--jwks-file", hint: /--keys upload/ },
  { name: "--prune-keys without --keys upload", args: setup("--prune-keys"), code: "FLAGS_CONFLICT", exit: 2, says: "--prune-keys" },
  { name: "a condition that does not compile", args: setup("--attribute-condition", "assertion.sub == 'x' &&"), code: "GCP_CONDITION_INVALID", exit: 2, says: /does not compile.*line 1, column 2\d.*>>>/ },
  { name: "a condition over two lines that does not compile", args: setup("--attribute-condition", "assertion.sub == 'x'\n && )"), code: "GCP_CONDITION_INVALID", exit: 2, says: /line 2, column 2\).*>>>&& \)/ },
  { name: "a condition that is too long", args: setup("--attribute-condition", `'${"x".repeat(4100)}' == ''`), code: "GCP_CONDITION_INVALID", exit: 2, says: /more than 4096/ },
];

const GRANTS: readonly Case[] = [
  { name: "no access", args: grant(), code: "FLAG_MISSING", exit: 2, says: "demo/app", hint: /--role.*--impersonate/ },
  { name: "no service account", args: ["grant", "gcp", "--issuer-url", ISSUER, "--project", PROJECT, "--pool-id", "prod", "--role", ROLE], code: "FLAG_MISSING", exit: 2, says: "no service account", hint: /--service-account/ },
  { name: "a service account without namespace", args: grant("--service-account", "app", "--role", ROLE), code: "SERVICE_ACCOUNT_INVALID", exit: 2, says: '"app"' },
  { name: "a role that is no name", args: grant("--role", "storage.objectViewer"), code: "GCP_ROLE_INVALID", exit: 2, says: '"storage.objectViewer"', hint: /roles\// },
  { name: "--role and --impersonate", args: grant("--role", ROLE, "--impersonate", EMAIL), code: "FLAGS_CONFLICT", exit: 2, says: "--impersonate" },
  { name: "--on without --role", args: grant("--on", "bucket:data"), code: "FLAGS_CONFLICT", exit: 2, says: "--on" },
  { name: "--create-service-account without --impersonate", args: grant("--role", ROLE, "--create-service-account"), code: "FLAGS_CONFLICT", exit: 2, says: "--create-service-account" },
  { name: "a place that is none", args: grant("--role", ROLE, "--on", "folder:1"), code: "GCP_TARGET_INVALID", exit: 2, says: "folder:1", hint: /bucket:NAME/ },
  { name: "a bucket that is no name", args: grant("--role", ROLE, "--on", "bucket:A B"), code: "GCP_TARGET_INVALID", exit: 2, says: "A B" },
  { name: "an e-mail of a person", args: grant("--impersonate", "eve@example.com"), code: "GCP_SERVICE_ACCOUNT_INVALID", exit: 2, says: "eve@example.com" },
  { name: "a service account to make in another project", args: grant("--impersonate", "demo-app@other-project.iam.gserviceaccount.com", "--create-service-account"), code: "GCP_SERVICE_ACCOUNT_OTHER_PROJECT", exit: 2, says: /belongs to project other-project/ },
  { name: "a default account to make", args: grant("--impersonate", `${PROJECT}@appspot.gserviceaccount.com`, "--create-service-account"), code: "GCP_SERVICE_ACCOUNT_INVALID", exit: 2, says: "default account" },
  { name: "a name that IAM does not make", args: grant("--impersonate", `app@${PROJECT}.iam.gserviceaccount.com`, "--create-service-account"), code: "GCP_SERVICE_ACCOUNT_INVALID", exit: 2, says: "6 to 30" },
  { name: "names too long for Google", args: grant("--service-account", `${"n".repeat(30)}/${LONG}`, "--role", ROLE), code: "GCP_SUBJECT_TOO_LONG", exit: 2, says: /has 143 bytes, more than 127/, hint: /shorter/ },
  { name: "names too long with the prefix", args: grant("--service-account", `demo/${LONG}`, "--subject-prefix", "cluster-one:", "--role", ROLE), code: "GCP_SUBJECT_TOO_LONG", exit: 2, says: /more than 127/ },
  { name: "two identities for one account", args: ["grant", "gcp", "--config", "conflicting.yaml"], code: "GCP_GRANTS_CONFLICT", exit: 2, says: /demo\/app want direct access and to impersonate/ },
  { name: "a misspelt key of the config", args: ["setup", "gcp", "--config", "unknown-key.yaml"], code: "CONFIG_UNKNOWN_KEY", exit: 2, says: /unknown-key\.yaml:5:10.*project/ },
];

const PUBLISHING: readonly Case[] = [
  { name: "no bucket", args: publish(), code: "FLAG_MISSING", exit: 2, says: "bucket", hint: /--bucket/ },
  { name: "no project", args: ["publish", "gcs", "--bucket", "acme-oidc", "--issuer-url", ISSUER], env: { GOOGLE_CLOUD_PROJECT: "", CLOUDSDK_CORE_PROJECT: "" }, code: "FLAG_MISSING", exit: 2, says: "project", hint: /--project/ },
  { name: "a bucket name that Google refuses", args: publish("--bucket", "Acme"), code: "GCS_BUCKET_NAME_INVALID", exit: 2, says: "Acme" },
  { name: "a bucket name with google in it", args: publish("--bucket", "my-google-keys"), code: "GCS_BUCKET_NAME_INVALID", exit: 2, says: "contains google" },
  { name: "a prefix that is no path", args: publish("--bucket", "acme-oidc", "--prefix", "/prod/"), code: "GCS_PREFIX_INVALID", exit: 2, says: "/prod/" },
  { name: "an issuer of another bucket", args: publish("--bucket", "acme-oidc", "--issuer-url", "https://storage.googleapis.com/other"), code: "GCS_ISSUER_MISMATCH", exit: 2, says: /other.*acme-oidc/ },
  { name: "a location that is none", args: publish("--bucket", "acme-oidc", "--location", "in the cloud"), code: "FLAG_INVALID", exit: 2, says: "IN THE CLOUD" },
  { name: "a bucket that does not exist", args: publish("--bucket", "acme-oidc"), code: "GCS_BUCKET_MISSING", exit: 2, says: "acme-oidc", hint: /--create-bucket/ },
  { name: "a project's number", args: publish("--bucket", "acme-oidc", "--project", "123456789012"), code: "GCP_PROJECT_INVALID", exit: 2, says: "123456789012" },
];

const VERIFYING: readonly Case[] = [
  { name: "no token", args: verify(), code: "FLAG_MISSING", exit: 2, says: "no token" },
  { name: "no pool to judge by", args: ["verify", "gcp", "--project", PROJECT, "--service-account", "demo/default"], code: "FLAG_MISSING", exit: 2, says: "no pool", hint: /--pool-id/ },
  { name: "a project number that is none", args: ["verify", "gcp", "--project-number", "x", "--pool-id", "prod", "--service-account", "demo/default"], code: "GCP_PROJECT_NUMBER_INVALID", exit: 2, says: '"x"' },
  { name: "a trust file of another shape", args: verify("--token-file", "token.jwt", "--trust-file", "trust-shape.json"), code: "TRUST_FILE_MALFORMED", exit: 2, says: "pool" },
  { name: "a malformed token", args: verify("--token-file", "token.jwt"), code: "TOKEN_REFUSED", exit: 3, says: "invalid_grant" },
  { name: "a dry run of what writes nothing", args: verify("--token-file", "token.jwt", "--dry-run"), code: "USAGE", exit: 2, says: "--dry-run" },
];

const NO_CREDENTIALS = { GOOGLE_APPLICATION_CREDENTIALS: "", CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: "", CLOUDSDK_CONFIG: "/nowhere", HOME: "/nowhere", APPDATA: "" };
const DEAD = "http://127.0.0.1:1/";

const CREDENTIALS: readonly Case[] = [
  { name: "no credentials", args: grant("--role", ROLE), env: { ...NO_CREDENTIALS, NO_GCE_CHECK: "true" }, code: "GCP_CREDENTIALS_MISSING", exit: 2, says: "no Google Cloud credentials", hint: /gcloud auth application-default login/ },
  { name: "a credential file that is missing", args: grant("--role", ROLE), env: { GOOGLE_APPLICATION_CREDENTIALS: "/nowhere/key.json" }, code: "GCP_CREDENTIALS_INVALID", exit: 4, says: "/nowhere/key.json (GOOGLE_APPLICATION_CREDENTIALS)", hint: /check the path/ },
  { name: "a credential file of no kind", args: grant("--role", ROLE), env: { GOOGLE_APPLICATION_CREDENTIALS: "not-a-credential.json" }, code: "GCP_CREDENTIALS_INVALID", exit: 4, says: /GOOGLE_APPLICATION_CREDENTIALS is of type null/ },
  { name: "a credential file of an unknown kind", args: grant("--role", ROLE), env: { GOOGLE_APPLICATION_CREDENTIALS: "unknown-kind.json" }, code: "GCP_CREDENTIALS_INVALID", exit: 4, says: "mystery" },
  { name: "a token that nobody handed out", args: grant("--role", ROLE), env: { CLOUDSDK_AUTH_ACCESS_TOKEN_FILE: "token-file" }, code: "GCP_CREDENTIALS_EXPIRED", exit: 4, says: "ACCESS_TOKEN_EXPIRED", hint: /gcloud auth/ },
  { name: "an endpoint that is down", args: grant("--role", ROLE), env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: DEAD }, code: "GCP_UNREACHABLE", exit: 4, says: "127.0.0.1:1" },
  { name: "an endpoint that is none", args: grant("--role", ROLE), env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: "nowhere" }, code: "FLAG_INVALID", exit: 2, says: "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM" },
  { name: "a universe that is none", args: grant("--role", ROLE), env: { GOOGLE_CLOUD_UNIVERSE_DOMAIN: "https://x" }, code: "FLAG_INVALID", exit: 2, says: "https://x", hint: /GOOGLE_CLOUD_UNIVERSE_DOMAIN/ },
];

/** Of the issuers of `startBadIssuers` those that Google in particular could not use; the others are AWS's table's. */
const SERVED: readonly Case[] = [
  { name: "missing", args: [], code: "ISSUER_UNREACHABLE", exit: 4, says: "answers 404" },
  { name: "other", args: [], code: "ISSUER_MISMATCH", exit: 2, says: /\/other\/" instead of/ },
  { name: "empty-keys", args: [], code: "JWKS_EMPTY", exit: 2, says: /no key/ },
  { name: "private-keys", args: [], code: "JWKS_PRIVATE_KEY", exit: 2, says: "k1" },
  { name: "eddsa-keys", args: [], code: "GCP_NO_USABLE_KEY", exit: 2, says: /k1.*RSA and EC/ },
];

async function judge({ args, code, exit, says, hint, env }: Case): Promise<void> {
  const absolute = Object.fromEntries(Object.entries(env ?? {}).map(([name, value]) => [name, Object.hasOwn(FILES, value) ? `${bench.scene.dir}/${value}` : value]));
  const { error, ran } = await bench.fail(exit, args, { env: absolute });
  expect(error.code, error.message).toBe(code);
  expect(error.message).toMatch(typeof says === "string" ? new RegExp(escape(says)) : says);
  expect(error.message, "without a full stop").toMatch(/[^.]$/);
  expect(error.hint).toMatch(hint ?? /./);
  expect(ran.stderr, "the same for people").toContain(`code: ${code} (kubeassume explain ${code})`);
  expect(bench.scene.writes()).toEqual([]);
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

describe("what is typed wrong is refused before the first write, with the wrong value and the way out", () => {
  beforeEach(() => bench.forget());

  it.each(PLACES)("place: $name", judge);
  it.each(TRUST)("trust: $name", judge);
  it.each(GRANTS)("grant: $name", judge);
  it.each(PUBLISHING)("publish: $name", judge);
  it.each(VERIFYING)("verify: $name", judge);
  it.each(CREDENTIALS)("credentials: $name", judge);
  it.each(SERVED)("an issuer that serves $name", (one) => judge({ ...one, args: setup("--issuer-url", `${bad.url}/${one.name}`) }));
});

describe("several problems come at once", () => {
  beforeEach(() => bench.forget());
  afterEach(() => expect(bench.scene.writes()).toEqual([]));

  it("of setup's flags", async () => {
    const document = await bench.fail(2, ["setup", "gcp", "--issuer-url", "http://oidc.example.com", "--project", "12", "--pool-id", "gcp-x", "--provider-id", "P", "--pool-name", "n".repeat(40), "--audience", "a b", "--subject-prefix", "'", "--attribute-condition", "((", "--keys", "discovery", "--prune-keys"]);
    expect([...codesOf(document)].sort()).toEqual(["FLAGS_CONFLICT", "GCP_AUDIENCE_INVALID", "GCP_CONDITION_INVALID", "GCP_ID_INVALID", "GCP_ID_INVALID", "GCP_NAME_TOO_LONG", "GCP_PROJECT_INVALID", "GCP_SUBJECT_PREFIX_INVALID", "ISSUER_NOT_HTTPS"]);
  });

  it("of grant's flags", async () => {
    const document = await bench.fail(2, ["grant", "gcp", "--issuer-url", ISSUER, "--service-account", "app", "--service-account", `demo/${LONG}${LONG}`, "--role", "viewer", "--on", "x"]);
    expect([...codesOf(document)].sort()).toEqual(["FLAG_MISSING", "FLAG_MISSING", "GCP_ROLE_INVALID", "GCP_SUBJECT_TOO_LONG", "GCP_TARGET_INVALID", "SERVICE_ACCOUNT_INVALID"]);
  });

  it("of publish's flags", async () => {
    const document = await bench.fail(2, ["publish", "gcs", "--project", "12", "--bucket", "A", "--prefix", "/", "--location", "!", "--issuer-url", "http://x.example.com"]);
    expect([...codesOf(document)].sort()).toEqual(["FLAG_INVALID", "GCP_PROJECT_INVALID", "GCS_BUCKET_NAME_INVALID", "GCS_PREFIX_INVALID", "ISSUER_NOT_HTTPS"]);
  });

  it("of the issuer and the project", async () => {
    const document = await bench.fail(2, setup("--issuer-url", `${bad.url}/missing`, "--project", "no-such-project"));
    expect([...new Set(codesOf(document))]).toEqual(["ISSUER_UNREACHABLE", "GCP_PROJECT_NOT_FOUND"]);
  });
});
