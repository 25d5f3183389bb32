import { crc32 } from "node:zlib";
import { ALL_BLOCKED, awsFault, type AwsService, type AwsState, type Role } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { awsFacts } from "./fault-aws-facts.ts";
import type { FaultCloud, Scenario } from "./fault-cloud.ts";
import type { JsonStep, Scene } from "./scene.ts";

const POLICY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
const BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess";
const OTHERS = { Sid: "Others", Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" };
const THEIRS: Role = {
  name: "theirs",
  path: "/team/",
  roleId: `AROA${"X".repeat(17)}`,
  arn: "arn:aws:iam::123456789012:role/team/theirs",
  createDate: new Date(0),
  assumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [OTHERS] }),
  description: undefined,
  maxSessionDuration: 3600,
  permissionsBoundary: undefined,
  tags: [],
  attachedPolicies: new Set(),
  inlinePolicies: new Map(),
  lastUsed: undefined,
};

const issuer = (scene: Scene): readonly string[] => ["--issuer-url", scene.issuer];
const publish = (scene: Scene) => ["publish", "s3", "--bucket", "oidc", "--create-bucket", ...issuer(scene)];
const setup = (scene: Scene) => ["setup", "aws", "--boilerplate-configmap", "demo/aws-trust", ...issuer(scene)];
const grant = (scene: Scene) => {
  const role = ["--role-name", "demo-app", "--policy-arn", POLICY, "--policy-file", "policy.json", "--permissions-boundary", BOUNDARY, "--max-session-duration", "7200"];
  return ["grant", "aws", "--service-account", "demo/app", ...role, "--apply-manifests", ...issuer(scene)];
};

const IN_THEIR_ROLE = "grant aws in somebody else's role";

const SCENARIOS: readonly Scenario[] = [
  { name: "publish s3", kind: "PublishResult", args: publish },
  { name: "publish s3 over something else", variant: "short", kind: "PublishResult", args: publish, seed: spoilBucket },
  { name: "setup aws", kind: "SetupResult", args: setup },
  { name: "setup aws of a provider that differs", variant: "short", kind: "SetupResult", args: setup, seed: spoilProvider },
  { name: "grant aws", kind: "GrantResult", args: grant },
  { name: "grant aws of a role that differs", variant: "short", kind: "GrantResult", args: grant, seed: spoilRole },
  {
    name: IN_THEIR_ROLE,
    variant: "short",
    kind: "GrantResult",
    args: (scene) => ["grant", "aws", "--service-account", "demo/app", "--role-arn", THEIRS.arn, ...issuer(scene)],
    seed: ({ aws }) => void aws.state.roles.set(THEIRS.name, structuredClone(THEIRS)),
  },
  { name: "teardown aws in somebody else's bucket", variant: "short", kind: "TeardownResult", args: (scene) => ["teardown", "aws", "--yes", ...issuer(scene)], seed: giveBucketAway },
  { name: "teardown aws --delete-bucket", kind: "TeardownResult", after: IN_THEIR_ROLE, args: (scene) => ["teardown", "aws", "--delete-bucket", "--yes", ...issuer(scene)] },
];

export const aws: FaultCloud = {
  services: "aws.",
  scene: { clouds: ["aws"] },
  lanes: 6,
  worst: "all",
  files: { "policy.json": JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] }) },
  scenarios: SCENARIOS,
  objects: [
    { id: "cluster.service-account/demo/app", plural: "serviceaccounts", namespace: "demo", name: "app" },
    { id: "cluster.config-map/demo/aws-trust", plural: "configmaps", namespace: "demo", name: "aws-trust" },
  ],
  factsOf: (scene) => awsFacts(scene.aws.state),
  save: ({ aws: { state } }) => {
    const saved = copy(state);
    return () => {
      const { providers, roles, buckets } = copy(saved);
      refill(state.providers, providers);
      refill(state.roles, roles);
      refill(state.buckets, buckets);
    };
  },
  refuse: (service, what, when) => {
    if (what === "500") return awsFault(service as AwsService, "internal", when);
    const throttled = awsFault(service as AwsService, "throttling", when);
    return what === "429" && throttled.kind === "status" ? { ...throttled, status: 429 } : throttled;
  },
  isEmptyAnswer: (call) => /^aws\.s3 (PUT|DELETE|HEAD) /.test(call),
  factOf: ({ id }) => id,
  covers: (step, id) => isPartOfBucket(id, step) || `${id}/trust` === step.id,
};

/** A bucket goes with its settings and tags. */
function isPartOfBucket(id: string, { id: step, action }: JsonStep): boolean {
  return step.startsWith("s3.bucket/") && action === "delete" && id.endsWith(step.slice("s3.bucket".length));
}

/** The keys of a cluster that is gone, and nothing readable. */
function spoilBucket({ aws: { state } }: Scene): void {
  const bucket = state.buckets.get("oidc");
  const jwks = bucket?.objects.get("openid/v1/jwks");
  if (bucket === undefined || jwks === undefined) throw new Error("nothing is published");
  bucket.publicAccessBlock = ALL_BLOCKED;
  bucket.policy = null;
  const [key] = (JSON.parse(jwks.body.toString("utf8")) as { readonly keys: readonly { readonly kid: string; readonly n: string }[] }).keys;
  const old = { ...key, kid: "old", n: `${key?.n.slice(0, -4) ?? ""}AAAA` };
  const body = Buffer.from(JSON.stringify({ keys: [old] }));
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  bucket.objects.set(jwks.key, { ...jwks, body, etag: '"old"', checksum: { header: "x-amz-checksum-crc32", value: sum.toString("base64") } });
}

/** Without our tags, and with something of theirs beside the documents. */
function giveBucketAway({ aws: { state } }: Scene): void {
  const bucket = state.buckets.get("oidc");
  if (bucket === undefined) throw new Error("there is no bucket");
  const policy = JSON.parse(bucket.policy ?? "") as { readonly Statement: readonly object[] };
  const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: "arn:aws:iam::123456789012:root" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::oidc/theirs.txt" };
  bucket.policy = JSON.stringify({ ...policy, Statement: [theirs, ...policy.Statement] });
  bucket.tags = [];
}

function spoilProvider({ aws: { state } }: Scene): void {
  for (const provider of state.providers.values()) {
    provider.clientIds = ["old"];
    provider.thumbprints = ["0".repeat(40)];
    provider.tags = provider.tags.filter(({ key }) => key.endsWith("managed-by"));
  }
}

function spoilRole({ aws: { state } }: Scene): void {
  const role = state.roles.get("demo-app");
  if (role === undefined) throw new Error("there is no role");
  role.assumeRolePolicyDocument = role.assumeRolePolicyDocument.replace("demo:app", "demo:old");
  role.permissionsBoundary = undefined;
  role.maxSessionDuration = 3600;
  role.tags = role.tags.filter(({ key }) => key.endsWith("managed-by"));
  role.attachedPolicies.clear();
  role.inlinePolicies.clear();
}

type Account = Pick<AwsState, "providers" | "roles" | "buckets">;

/** Objects of a bucket are never changed in place; everything else is. */
function copy({ providers, roles, buckets }: Account): Account {
  const each = <T>(map: ReadonlyMap<string, T>, one: (value: T) => T): Map<string, T> => new Map([...map].map(([key, value]) => [key, one(value)]));
  return {
    providers: each(providers, (provider) => structuredClone(provider)),
    roles: each(roles, (role) => structuredClone(role)),
    buckets: each(buckets, (bucket) => ({ ...bucket, tags: [...bucket.tags], objects: new Map(bucket.objects) })),
  };
}

function refill<T>(map: Map<string, T>, content: ReadonlyMap<string, T>): void {
  map.clear();
  for (const [key, value] of content) map.set(key, value);
}
