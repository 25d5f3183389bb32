import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PRIVATE_JWK, PRIVATE_PEM, startBadIssuers } from "../support/bad-issuers.ts";
import { expectEnvelope } from "../support/output-schema.ts";
import { type Scene, startScene } from "../support/scene.ts";
import type { TlsServer } from "../support/tls-server.ts";

const ACCOUNT = "123456789012";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/app`;

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
  readonly input?: string;
}

let scene: Scene;
let bad: TlsServer;

beforeAll(async () => {
  scene = await startScene();
  bad = await startBadIssuers(scene.sandbox);
  await Promise.all(Object.entries(FILES).map(([name, content]) => scene.file(name, content)));
});

afterAll(async () => {
  await bad.close();
  await scene.close();
});

const KUBECONFIG = { apiVersion: "v1", kind: "Config", clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }], users: [{ name: "u", user: { token: "t" } }], contexts: [{ name: "x", context: { cluster: "c", user: "u" } }], "current-context": "x" };
const CONFIG = "apiVersion: kubeassume.dev/v1\nkind: Federation\n";

const FILES: Readonly<Record<string, string>> = {
  "broken.json": "{",
  "broken.yaml": "apiVersion: [\n",
  "token.jwt": "not.a.token",
  "private.json": JSON.stringify({ keys: [PRIVATE_JWK] }),
  "private.pem": PRIVATE_PEM,
  "empty.json": '{"keys":[]}',
  "symmetric.json": '{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}',
  "trust-shape.json": '{"provider": 5, "role": {}}',
  "policy-principal.json": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}',
  "kubeconfig-insecure": JSON.stringify({ ...KUBECONFIG, clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1", "insecure-skip-tls-verify": true } }] }),
  "kubeconfig-dead": JSON.stringify(KUBECONFIG),
  "kubeconfig-plugin": JSON.stringify({ ...KUBECONFIG, users: [{ name: "u", user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "no-such-plugin-anywhere", interactiveMode: "Never" } } }] }),
  "unknown-key.yaml": `${CONFIG}isuer: https://oidc.example.com\n`,
  "several.yaml": `${CONFIG}issuer: 5\nclouds:\n  aws: { regin: eu-west-1 }\n`,
  "no-grants.yaml": `${CONFIG}issuer: https://oidc.example.com\nclouds:\n  aws: { region: eu-west-1 }\n`,
};

const setup = (...args: readonly string[]): readonly string[] => ["setup", "aws", ...args];
const grant = (...args: readonly string[]): readonly string[] => ["grant", "aws", "--issuer-url", "https://oidc.example.com", ...args];
const grantApp = (...args: readonly string[]): readonly string[] => grant("--service-account", "demo/app", ...args);
const publish = (...args: readonly string[]): readonly string[] => ["publish", "s3", "--region", "eu-west-1", ...args];
const trustPolicy = (...args: readonly string[]): readonly string[] => ["trust-policy", "aws", "--issuer-url", "https://oidc.example.com", ...args];
const verify = (...args: readonly string[]): readonly string[] => ["verify", "aws", ...args];

/** Issuers that no cloud can ever read, refused from their spelling alone. */
const ISSUERS: readonly Case[] = [
  { name: "http", args: setup("--issuer-url", "http://oidc.example.com"), code: "ISSUER_NOT_HTTPS", exit: 2, says: "http", hint: /https:/ },
  { name: "credentials in it", args: setup("--issuer-url", "https://user:pass@oidc.example.com"), code: "ISSUER_HAS_CREDENTIALS", exit: 2, says: "oidc.example.com" },
  { name: "a query", args: setup("--issuer-url", "https://oidc.example.com/a?b=c"), code: "ISSUER_HAS_QUERY", exit: 2, says: "oidc.example.com" },
  { name: "a fragment", args: setup("--issuer-url", "https://oidc.example.com/a#b"), code: "ISSUER_HAS_FRAGMENT", exit: 2, says: "#b" },
  { name: "a trailing slash", args: setup("--issuer-url", "https://oidc.example.com/prod/"), code: "ISSUER_TRAILING_SLASH", exit: 2, says: "https://oidc.example.com/prod/", hint: /slash|https:\/\/oidc\.example\.com\/prod/ },
  { name: "upper case", args: setup("--issuer-url", "https://OIDC.example.com"), code: "ISSUER_UPPER_CASE", exit: 2, says: "OIDC" },
  { name: "the default port", args: setup("--issuer-url", "https://oidc.example.com:443"), code: "ISSUER_DEFAULT_PORT", exit: 2, says: ":443" },
  { name: "no URL", args: setup("--issuer-url", "oidc.example.com"), code: "ISSUER_NOT_A_URL", exit: 2, says: "oidc.example.com" },
  { name: "none", args: setup(), code: "FLAG_MISSING", exit: 2, says: "issuer", hint: /--issuer-url/, env: { KUBEASSUME_ISSUER_URL: "" } },
  { name: "http for grant", args: ["grant", "aws", "--issuer-url", "http://oidc.example.com", "--service-account", "demo/app"], code: "ISSUER_NOT_HTTPS", exit: 2, says: "http" },
  { name: "http for publish", args: publish("--bucket", "acme-oidc", "--issuer-url", "http://oidc.example.com"), code: "ISSUER_NOT_HTTPS", exit: 2, says: "http" },
  { name: "http for status", args: ["status", "aws", "--issuer-url", "http://oidc.example.com"], code: "ISSUER_NOT_HTTPS", exit: 2, says: "http" },
  { name: "http for teardown", args: ["teardown", "aws", "--issuer-url", "http://oidc.example.com", "--yes"], code: "ISSUER_NOT_HTTPS", exit: 2, says: "http" },
  { name: "http for trust-policy", args: ["trust-policy", "aws", "--issuer-url", "http://oidc.example.com", "--account-id", ACCOUNT, "--service-account", "demo/app"], code: "ISSUER_NOT_HTTPS", exit: 2, says: "http" },
];

/** Issuers that answer something else than they should; the URL is `BAD/name`. */
const SERVED: readonly Case[] = [
  { name: "html", args: setup(), code: "ISSUER_NOT_JSON", exit: 2, says: /a web page \(text\/html\)/ },
  { name: "endless", args: setup(), code: "ISSUER_UNREACHABLE", exit: 4, says: /endless\/\.well-known.*larger than/ },
  { name: "stalled", args: setup("--timeout", "2"), code: "TIMED_OUT", exit: 4, says: /--timeout/ },
  { name: "silent", args: setup(), code: "ISSUER_UNREACHABLE", exit: 4, says: /silent\/\.well-known.*in time/, hint: /5 seconds/ },
  { name: "missing", args: setup(), code: "ISSUER_UNREACHABLE", exit: 4, says: "answers 404" },
  { name: "private", args: setup(), code: "ISSUER_UNREACHABLE", exit: 4, says: "answers 403", hint: /without credentials/ },
  { name: "elsewhere", args: setup(), code: "ISSUER_REDIRECTS", exit: 2, says: /redirects to https:\/\/login\.example\.com\/ \(status 302\)/ },
  { name: "truncated", args: setup(), code: "ISSUER_UNREACHABLE", exit: 4, says: /cut off|closed before/ },
  { name: "not-an-object", args: setup(), code: "DISCOVERY_MALFORMED", exit: 2, says: "JSON object" },
  { name: "incomplete", args: setup(), code: "DISCOVERY_INCOMPLETE", exit: 2, says: /no jwks_uri.*no response_types_supported/ },
  { name: "http-keys", args: setup(), code: "DISCOVERY_INCOMPLETE", exit: 2, says: "jwks_uri" },
  { name: "other", args: setup(), code: "ISSUER_MISMATCH", exit: 2, says: /\/other\/" instead of/ },
  { name: "malformed-keys", args: setup(), code: "JWKS_MALFORMED", exit: 2, says: "keys" },
  { name: "empty-keys", args: setup(), code: "JWKS_EMPTY", exit: 2, says: /no key/ },
  { name: "private-keys", args: setup(), code: "JWKS_PRIVATE_KEY", exit: 2, says: "k1" },
  { name: "symmetric-keys", args: setup(), code: "JWKS_SYMMETRIC_KEY", exit: 2, says: "k1" },
  { name: "html-keys", args: setup(), code: "ISSUER_NOT_JSON", exit: 2, says: "/html-keys/jwks" },
  { name: "eddsa-keys", args: setup(), code: "AWS_NO_USABLE_KEY", exit: 2, says: /k1|kid/ },
  { name: "untrusted", args: setup(), code: "ISSUER_UNREACHABLE", exit: 4, says: "TLS", hint: /--ca-file/, env: { KUBEASSUME_CA_FILE: "" } },
];

const AWS_INPUT: readonly Case[] = [
  { name: "a service account without namespace", args: grant("--service-account", "app"), code: "SERVICE_ACCOUNT_INVALID", exit: 2, says: '"app"' },
  { name: "a service account in upper case", args: grant("--service-account", "Demo/app"), code: "SERVICE_ACCOUNT_INVALID", exit: 2, says: "Demo" },
  { name: "a service account with a pattern", args: grant("--service-account", "demo/*"), code: "SERVICE_ACCOUNT_INVALID", exit: 2, says: "demo/*" },
  { name: "no service account", args: grant(), code: "FLAG_MISSING", exit: 2, says: "no service account", hint: /--service-account/ },
  { name: "a role name that IAM refuses", args: grantApp("--role-name", "a b"), code: "AWS_ROLE_NAME_INVALID", exit: 2, says: '"a b"' },
  { name: "a role ARN that is none", args: grantApp("--role-arn", "arn:aws:s3:::bucket"), code: "AWS_ARN_INVALID", exit: 2, says: "arn:aws:s3:::bucket" },
  { name: "role name and role ARN", args: grantApp("--role-name", "app", "--role-arn", ROLE), code: "FLAGS_CONFLICT", exit: 2, says: "role ARN", hint: /--role-name/ },
  { name: "policies for a foreign role", args: grantApp("--role-arn", ROLE, "--policy-arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"), code: "FLAGS_CONFLICT", exit: 2, says: "--policy-arn" },
  { name: "a policy ARN that is none", args: grantApp("--policy-arn", ROLE), code: "AWS_ARN_INVALID", exit: 2, says: ROLE },
  { name: "a boundary that is none", args: grantApp("--permissions-boundary", "everything"), code: "AWS_ARN_INVALID", exit: 2, says: "everything" },
  { name: "a session of 100 seconds", args: grantApp("--max-session-duration", "100"), code: "AWS_SESSION_DURATION_INVALID", exit: 2, says: "100" },
  { name: "a policy file that is no JSON", args: grantApp("--policy-file", "broken.json"), code: "AWS_POLICY_INVALID", exit: 2, says: /policy/ },
  { name: "a trust policy as policy file", args: grantApp("--policy-file", "policy-principal.json"), code: "AWS_POLICY_INVALID", exit: 2, says: "Principal" },
  { name: "a policy file that is missing", args: grantApp("--policy-file", "nowhere.json"), code: "FILE_UNREADABLE", exit: 2, says: /nowhere\.json.*ENOENT/ },
  { name: "an audience with white space", args: setup("--issuer-url", "https://oidc.example.com", "--audience", "a b"), code: "AWS_AUDIENCE_INVALID", exit: 2, says: '"a b"' },
  { name: "a thumbprint that is no hash", args: setup("--issuer-url", "https://oidc.example.com", "--thumbprint", "xyz"), code: "AWS_THUMBPRINT_INVALID", exit: 2, says: "xyz" },
  { name: "a region that is none", args: setup("--issuer-url", "https://oidc.example.com", "--region", "evil.example.com/"), code: "AWS_REGION_INVALID", exit: 2, says: "evil.example.com/" },
  { name: "a region of the environment that is none", args: grantApp(), env: { AWS_REGION: "x.y" }, code: "AWS_REGION_INVALID", exit: 2, says: "x.y" },
  { name: "no region", args: grantApp(), env: { AWS_REGION: "", AWS_DEFAULT_REGION: "", AWS_CONFIG_FILE: "/dev/null" }, code: "AWS_REGION_MISSING", exit: 2, says: "region", hint: /--region/ },
  { name: "a region of another partition", args: grantApp("--region", "cn-north-1"), code: "AWS_PARTITION_MISMATCH", exit: 2, says: "cn-north-1" },
  { name: "a role of another account", args: grantApp("--role-arn", "arn:aws:iam::999999999999:role/app"), code: "AWS_ACCOUNT_MISMATCH", exit: 2, says: "999999999999" },
  { name: "a policy of another account", args: grantApp("--policy-arn", "arn:aws:iam::999999999999:policy/p"), code: "AWS_ACCOUNT_MISMATCH", exit: 2, says: "999999999999" },
  { name: "a role that does not exist", args: grantApp("--role-arn", ROLE), code: "AWS_ROLE_MISSING", exit: 2, says: ROLE, hint: /--role-name/ },
  { name: "a trust policy beyond every quota", args: grant(...Array.from({ length: 250 }, (_, index) => ["--service-account", `demo/${"a".repeat(30)}-${index}`]).flat()), code: "AWS_TRUST_POLICY_TOO_LARGE", exit: 2, says: "Role trust policy length" },
  { name: "an account of 11 digits", args: trustPolicy("--account-id", "12345678901", "--service-account", "demo/app"), code: "AWS_ACCOUNT_INVALID", exit: 2, says: "12345678901" },
  { name: "a partition that is none", args: trustPolicy("--account-id", ACCOUNT, "--partition", "aws-mars", "--service-account", "demo/app"), code: "AWS_PARTITION_INVALID", exit: 2, says: "aws-mars" },
  { name: "a pattern without --allow-pattern", args: trustPolicy("--account-id", ACCOUNT, "--service-account", "demo/*"), code: "AWS_PATTERN_REFUSED", exit: 2, says: "demo/*", hint: /--allow-pattern/ },
  { name: "a bare wildcard with --allow-pattern", args: trustPolicy("--account-id", ACCOUNT, "--service-account", "*/*", "--allow-pattern"), code: "AWS_PATTERN_REFUSED", exit: 2, says: "*/*" },
];

const PUBLISHING: readonly Case[] = [
  { name: "a bucket name that S3 refuses", args: publish("--bucket", "Acme"), code: "BUCKET_NAME_INVALID", exit: 2, says: "Acme" },
  { name: "a bucket with dots as its own issuer", args: publish("--bucket", "acme.oidc"), code: "BUCKET_NAME_HAS_DOTS", exit: 2, says: "acme.oidc" },
  { name: "a prefix that is no path", args: publish("--bucket", "acme-oidc", "--prefix", "/prod/"), code: "BUCKET_PREFIX_INVALID", exit: 2, says: "/prod/" },
  { name: "an issuer of another bucket", args: publish("--bucket", "acme-oidc", "--issuer-url", "https://other.s3.eu-west-1.amazonaws.com"), code: "BUCKET_ISSUER_MISMATCH", exit: 2, says: "other" },
  { name: "no bucket", args: publish(), code: "FLAG_MISSING", exit: 2, says: "--bucket" },
  { name: "a bucket that does not exist", args: publish("--bucket", "acme-oidc"), code: "BUCKET_MISSING", exit: 2, says: "acme-oidc", hint: /--create-bucket/ },
  { name: "two sources of keys", args: publish("--bucket", "acme-oidc", "--jwks-file", "empty.json", "--public-key-file", "private.pem"), code: "FLAGS_CONFLICT", exit: 2, says: "--jwks-file" },
  { name: "a key set that is no JSON", args: publish("--bucket", "acme-oidc", "--create-bucket", "--jwks-file", "broken.json"), code: "JWKS_MALFORMED", exit: 2, says: "broken.json" },
  { name: "an empty key set", args: publish("--bucket", "acme-oidc", "--create-bucket", "--jwks-file", "empty.json"), code: "JWKS_EMPTY", exit: 2, says: "empty.json" },
  { name: "a private key set", args: publish("--bucket", "acme-oidc", "--create-bucket", "--jwks-file", "private.json"), code: "JWKS_PRIVATE_KEY", exit: 2, says: "private.json" },
  { name: "a symmetric key set", args: publish("--bucket", "acme-oidc", "--create-bucket", "--jwks-file", "symmetric.json"), code: "JWKS_SYMMETRIC_KEY", exit: 2, says: "symmetric.json" },
  { name: "a private key file", args: publish("--bucket", "acme-oidc", "--create-bucket", "--public-key-file", "private.pem"), code: "KEY_FILE_PRIVATE", exit: 2, says: "private.pem" },
  { name: "a key file that is no PEM", args: publish("--bucket", "acme-oidc", "--create-bucket", "--public-key-file", "broken.json"), code: "KEY_FILE_UNREADABLE", exit: 2, says: "broken.json" },
  { name: "a key file that is missing", args: publish("--bucket", "acme-oidc", "--create-bucket", "--jwks-file", "nowhere.json"), code: "FILE_UNREADABLE", exit: 2, says: "nowhere.json" },
];

const CLUSTER: readonly Case[] = [
  { name: "no cluster", args: publish("--bucket", "acme-oidc", "--create-bucket"), env: { KUBECONFIG: "" }, code: "CLUSTER_NOT_CONFIGURED", exit: 2, says: /kubeconfig|cluster/, hint: /--kubeconfig/ },
  { name: "a kubeconfig that is missing", args: publish("--bucket", "acme-oidc", "--create-bucket", "--kubeconfig", "nowhere"), code: "FILE_UNREADABLE", exit: 2, says: "nowhere" },
  { name: "a malformed kubeconfig", args: publish("--bucket", "acme-oidc", "--create-bucket", "--kubeconfig", "broken.yaml"), code: "KUBECONFIG_MALFORMED", exit: 2, says: "broken.yaml" },
  { name: "a kubeconfig that verifies nothing", args: publish("--bucket", "acme-oidc", "--create-bucket", "--kubeconfig", "kubeconfig-insecure"), code: "KUBECONFIG_INSECURE", exit: 2, says: "insecure-skip-tls-verify" },
  { name: "an unknown context", args: publish("--bucket", "acme-oidc", "--create-bucket", "--context", "prd"), code: "CLUSTER_CONTEXT_UNKNOWN", exit: 2, says: "prd" },
  { name: "a cluster that is down", args: publish("--bucket", "acme-oidc", "--create-bucket", "--kubeconfig", "kubeconfig-dead"), code: "CLUSTER_UNREACHABLE", exit: 4, says: "127.0.0.1:1" },
  { name: "a credential plugin that is missing", args: publish("--bucket", "acme-oidc", "--create-bucket", "--kubeconfig", "kubeconfig-plugin"), code: "CLUSTER_CREDENTIAL_PLUGIN", exit: 4, says: "no-such-plugin-anywhere" },
  { name: "a namespace that does not exist", args: grant("--service-account", "nowhere/app", "--apply-manifests"), code: "CLUSTER_NAMESPACE_MISSING", exit: 2, says: "nowhere" },
  { name: "a ConfigMap without namespace", args: setup("--issuer-url", "https://oidc.example.com", "--boilerplate-configmap", "trust"), code: "FLAG_INVALID", exit: 2, says: "trust", hint: /--boilerplate-configmap/ },
  { name: "a service account to mint for that does not exist", args: verify("--service-account", "demo/nobody", "--role-arn", ROLE), code: "SERVICE_ACCOUNT_MISSING", exit: 2, says: "demo/nobody" },
];

const DEAD = "http://127.0.0.1:1";

const CREDENTIALS: readonly Case[] = [
  { name: "no credentials", args: grantApp(), env: { AWS_SHARED_CREDENTIALS_FILE: "/dev/null", AWS_CONFIG_FILE: "/dev/null" }, code: "AWS_CREDENTIALS_MISSING", exit: 2, says: "GetCallerIdentity", hint: /aws sso login/ },
  { name: "a profile that does not exist", args: grantApp(), env: { AWS_PROFILE: "nobody" }, code: "AWS_CREDENTIALS_MISSING", exit: 2, says: "credentials" },
  { name: "expired credentials", args: grantApp(), env: { AWS_ACCESS_KEY_ID: "ASIAEXPIRED234567ABC", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" }, code: "AWS_CREDENTIALS_EXPIRED", exit: 4, says: "ExpiredToken" },
  { name: "unknown credentials", args: grantApp(), env: { AWS_ACCESS_KEY_ID: "AKIAUNKNOWN234567ABC", AWS_SECRET_ACCESS_KEY: "s" }, code: "AWS_CREDENTIALS_INVALID", exit: 4, says: "InvalidClientTokenId" },
  { name: "an endpoint that is down", args: grantApp(), env: { AWS_ENDPOINT_URL_STS: DEAD }, code: "AWS_UNREACHABLE", exit: 4, says: "127.0.0.1:1" },
];

const VERIFYING: readonly Case[] = [
  { name: "no token", args: verify("--role-arn", ROLE), code: "FLAG_MISSING", exit: 2, says: "no token", hint: /--token-file/ },
  { name: "two tokens", args: verify("--token-file", "token.jwt", "--service-account", "demo/app", "--role-arn", ROLE), code: "FLAGS_CONFLICT", exit: 2, says: "--token-file" },
  { name: "a malformed token", args: verify("--token-file", "token.jwt", "--role-arn", ROLE), code: "TOKEN_REFUSED", exit: 3, says: "InvalidIdentityToken" },
  { name: "an empty token on stdin", args: verify("--token-file", "-", "--role-arn", ROLE), code: "TOKEN_REFUSED", exit: 3, says: "refuse" },
  { name: "a token file that is missing", args: verify("--token-file", "nowhere.jwt", "--role-arn", ROLE), code: "FILE_UNREADABLE", exit: 2, says: "nowhere.jwt" },
  { name: "a time that is none", args: verify("--token-file", "token.jwt", "--at", "tomorrow"), code: "FLAG_INVALID", exit: 2, says: "tomorrow", hint: /RFC 3339/ },
  { name: "a trust file that is no JSON", args: verify("--token-file", "token.jwt", "--trust-file", "broken.json"), code: "TRUST_FILE_MALFORMED", exit: 2, says: /JSON/ },
  { name: "a trust file of another shape", args: verify("--token-file", "token.jwt", "--trust-file", "trust-shape.json"), code: "TRUST_FILE_MALFORMED", exit: 2, says: "provider" },
  { name: "a JWKS file that is no JSON", args: verify("--token-file", "token.jwt", "--jwks-file", "broken.json", "--role-arn", ROLE), code: "FLAG_INVALID", exit: 2, says: "broken.json" },
];

const COMMAND_LINE: readonly Case[] = [
  { name: "an unknown command", args: ["setpu", "aws"], code: "USAGE", exit: 2, says: "setpu", hint: /setup/ },
  { name: "an unknown flag", args: setup("--isuer-url", "x"), code: "USAGE", exit: 2, says: "--isuer-url", hint: /--issuer-url/ },
  { name: "an unknown cloud", args: ["status", "aww"], code: "USAGE", exit: 2, says: "aww" },
  { name: "no cloud", args: ["status"], code: "FLAG_MISSING", exit: 2, says: "no cloud" },
  { name: "a dry run of a command that writes nothing", args: ["status", "aws", "--dry-run"], code: "USAGE", exit: 2, says: "--dry-run" },
  { name: "a timeout that is none", args: setup("--timeout", "soon"), code: "FLAG_INVALID", exit: 2, says: "soon" },
  { name: "a CA file that is missing", args: setup("--issuer-url", "https://oidc.example.com", "--ca-file", "nowhere.pem"), code: "FILE_UNREADABLE", exit: 2, says: "nowhere.pem" },
  { name: "a CA file that is no PEM", args: setup("--issuer-url", "https://oidc.example.com", "--ca-file", "broken.json"), code: "FLAG_INVALID", exit: 2, says: "broken.json" },
  { name: "--delete-bucket with --keep-documents", args: ["teardown", "aws", "--issuer-url", "https://oidc.example.com", "--yes", "--delete-bucket", "--keep-documents"], code: "FLAGS_CONFLICT", exit: 2, says: "--keep-documents" },
  { name: "--delete-bucket with --grants-only", args: ["teardown", "aws", "--issuer-url", "https://oidc.example.com", "--yes", "--delete-bucket", "--grants-only"], code: "FLAGS_CONFLICT", exit: 2, says: "--grants-only" },
  { name: "no issuer to tear down", args: ["teardown", "aws", "--yes"], env: { KUBEASSUME_ISSUER_URL: "" }, code: "FLAG_MISSING", exit: 2, says: "issuer", hint: /--issuer-url/ },
  { name: "a thumbprint of http", args: ["thumbprint", "http://oidc.example.com"], code: "THUMBPRINT_URL_INVALID", exit: 2, says: "http" },
  { name: "a thumbprint of a closed port", args: ["thumbprint", "https://127.0.0.1:1"], code: "TLS_UNREACHABLE", exit: 4, says: "127.0.0.1:1" },
  { name: "an unknown code to explain", args: ["explain", "ISSUER_MISMTCH"], code: "CODE_UNKNOWN", exit: 2, says: "ISSUER_MISMTCH" },
];

const CONFIGS: readonly Case[] = [
  { name: "a config that is missing", args: [...setup(), "--config", "nowhere.yaml"], code: "FILE_UNREADABLE", exit: 2, says: "nowhere.yaml" },
  { name: "a config that is no YAML", args: [...setup(), "--config", "broken.yaml"], code: "CONFIG_MALFORMED", exit: 2, says: /broken\.yaml:\d+:\d+/ },
  { name: "a config with a misspelt key", args: [...setup(), "--config", "unknown-key.yaml"], code: "CONFIG_UNKNOWN_KEY", exit: 2, says: /unknown-key\.yaml:3:1.*isuer.*issuer|issuer/ },
  { name: "a config without grants", args: ["grant", "aws", "--config", "no-grants.yaml"], code: "FLAG_MISSING", exit: 2, says: "no service account" },
];

const FACES: Readonly<Record<string, string>> = { setup: "SetupResult", grant: "GrantResult", publish: "PublishResult", status: "StatusReport", teardown: "TeardownResult", verify: "VerifyReport", thumbprint: "Thumbprint", explain: "Explanation", "trust-policy": "TrustPolicy" };

async function judge({ args, code, exit, says, hint, env, input }: Case): Promise<void> {
  const { ran, document } = await scene.runJson(args, { env: env ?? {}, input: input ?? "" });
  const { error } = expectEnvelope(FACES[args[0] ?? ""] ?? "Explanation", document);
  expect({ code: error?.code, exit: ran.exit }, error?.message).toEqual({ code, exit });
  expect(error?.message).toMatch(typeof says === "string" ? new RegExp(escape(says)) : says);
  expect(error?.message, "lower case, without a full stop").toMatch(/^[^A-Z].*[^.]$|^[A-Z][^ ]*[A-Z:/].*[^.]$|^[A-Z][a-z]+ .*[^.]$/s);
  expect(error?.hint).toMatch(hint ?? /./);
  expect(ran.stderr, "the same for people").toContain(`code: ${code} (kubeassume explain ${code})`);
  expect(scene.writes()).toEqual([]);
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

describe("an issuer that is", () => {
  it.concurrent.each(ISSUERS)("$name is refused with $code", judge);
});

describe("an issuer that serves", () => {
  it.concurrent.each(SERVED)("$name is refused with $code", (one) => judge({ ...one, args: [...one.args, "--issuer-url", `${bad.url}/${one.name}`] }));
});

describe("for AWS", () => {
  it.concurrent.each(AWS_INPUT)("$name is refused with $code", judge);
});

describe("for publishing", () => {
  it.concurrent.each(PUBLISHING)("$name is refused with $code", judge);
});

describe("for the cluster", () => {
  it.concurrent.each(CLUSTER)("$name is refused with $code", judge);
});

describe("for verify", () => {
  it.concurrent.each(VERIFYING)("$name is refused with $code", judge);
});

describe("on the command line", () => {
  it.concurrent.each(COMMAND_LINE)("$name is refused with $code", judge);
});

describe("in kubeassume.yaml", () => {
  it.concurrent.each(CONFIGS)("$name is refused with $code", judge);
});

describe("with", () => {
  beforeAll(() => {
    const principal = { arn: `arn:aws:iam::${ACCOUNT}:user/late`, userId: "AIDALATE", account: ACCOUNT, roleName: null, sessionPolicies: [] };
    scene.aws.state.credentials.set("ASIAEXPIRED234567ABC", { accessKeyId: "ASIAEXPIRED234567ABC", secretAccessKey: "s", sessionToken: "t", expires: new Date(0), principal });
  });

  it.concurrent.each(CREDENTIALS)("$name is refused with $code", judge);
});
