import { crc32 } from "node:zlib";
import { ALL_BLOCKED, type AwsState, type Role } from "../../src/federation/clouds/aws/sandbox/index.ts";
import { HANDSHAKE } from "./fault-cells.ts";
import { type Facts, factsOf } from "./fault-facts.ts";
import { type Lane, type Saved, startLane } from "./fault-lane.ts";
import type { Call, Scene } from "./scene.ts";

/** A command with the state of the account that it starts from. */
export interface Scenario {
  readonly name: string;
  /** Another way through a command: its reads are those of the main way. */
  readonly variant?: true;
  /** The kind of its JSON document. */
  readonly kind: string;
  readonly args: (scene: Scene, policyFile: string) => readonly string[];
  /** The scenario that made what this one starts from; by default the one before it. */
  readonly after?: string;
  /** What differs in the account from what that one left behind. */
  readonly seed?: (state: AwsState, scene: Scene) => void;
}

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
const grant = (scene: Scene, policyFile: string) => {
  const role = ["--role-name", "demo-app", "--policy-arn", POLICY, "--policy-file", policyFile, "--permissions-boundary", BOUNDARY, "--max-session-duration", "7200"];
  return ["grant", "aws", "--service-account", "demo/app", ...role, "--apply-manifests", ...issuer(scene)];
};

const IN_THEIR_ROLE = "grant aws in somebody else's role";

export const SCENARIOS: readonly Scenario[] = [
  { name: "publish s3", kind: "PublishResult", args: publish },
  { name: "publish s3 over something else", variant: true, kind: "PublishResult", args: publish, seed: spoilBucket },
  { name: "setup aws", kind: "SetupResult", args: setup },
  { name: "setup aws of a provider that differs", variant: true, kind: "SetupResult", args: setup, seed: spoilProvider },
  { name: "grant aws", kind: "GrantResult", args: grant },
  { name: "grant aws of a role that differs", variant: true, kind: "GrantResult", args: grant, seed: spoilRole },
  {
    name: IN_THEIR_ROLE,
    variant: true,
    kind: "GrantResult",
    args: (scene) => ["grant", "aws", "--service-account", "demo/app", "--role-arn", THEIRS.arn, ...issuer(scene)],
    seed: ({ roles }) => void roles.set(THEIRS.name, structuredClone(THEIRS)),
  },
  { name: "teardown aws in somebody else's bucket", variant: true, kind: "TeardownResult", args: (scene) => ["teardown", "aws", "--yes", ...issuer(scene)], seed: giveBucketAway },
  { name: "teardown aws --delete-bucket", kind: "TeardownResult", after: IN_THEIR_ROLE, args: (scene) => ["teardown", "aws", "--delete-bucket", "--yes", ...issuer(scene)] },
];

/** The keys of a cluster that is gone, and nothing readable. */
function spoilBucket({ buckets }: AwsState): void {
  const bucket = buckets.get("oidc");
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
function giveBucketAway({ buckets }: AwsState): void {
  const bucket = buckets.get("oidc");
  if (bucket === undefined) throw new Error("there is no bucket");
  const policy = JSON.parse(bucket.policy ?? "") as { readonly Statement: readonly object[] };
  const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: "arn:aws:iam::123456789012:root" }, Action: "s3:GetObject", Resource: "arn:aws:s3:::oidc/theirs.txt" };
  bucket.policy = JSON.stringify({ ...policy, Statement: [theirs, ...policy.Statement] });
  bucket.tags = [];
}

function spoilProvider({ providers }: AwsState): void {
  for (const provider of providers.values()) {
    provider.clientIds = ["old"];
    provider.thumbprints = ["0".repeat(40)];
    provider.tags = provider.tags.filter(({ key }) => key.endsWith("managed-by"));
  }
}

function spoilRole({ roles }: AwsState): void {
  const role = roles.get("demo-app");
  if (role === undefined) throw new Error("there is no role");
  role.assumeRolePolicyDocument = role.assumeRolePolicyDocument.replace("demo:app", "demo:old");
  role.permissionsBoundary = undefined;
  role.maxSessionDuration = 3600;
  role.tags = role.tags.filter(({ key }) => key.endsWith("managed-by"));
  role.attachedPolicies.clear();
  role.inlinePolicies.clear();
}

/** A scenario in a lane, with what an undisturbed run makes of it. */
export interface Prepared {
  readonly scenario: Scenario;
  readonly args: readonly string[];
  readonly start: Saved;
  readonly before: Facts;
  readonly final: Facts;
  readonly calls: readonly Call[];
}

export interface PreparedLane {
  readonly lane: Lane;
  readonly prepared: ReadonlyMap<string, Prepared>;
}

/** Starts a lane and runs every scenario in it once, undisturbed. */
export async function prepareLane(): Promise<PreparedLane> {
  const lane = await startLane();
  const { scene } = lane;
  const policyFile = await scene.file("policy.json", JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "*" }] }));
  const prepared = new Map<string, Prepared>();
  const ends = new Map<string, Saved>();
  for (const scenario of SCENARIOS) {
    await lane.restore((scenario.after === undefined ? undefined : ends.get(scenario.after)) ?? lane.save());
    scenario.seed?.(scene.aws.state, scene);
    const args = [...scenario.args(scene, policyFile), "--output", "json"];
    const [start, before] = [lane.save(), factsOf(scene)];
    const handshakes: Call[] = [];
    lane.onConnection(scenario.kind === "SetupResult" ? () => void handshakes.push(HANDSHAKE) : null);
    const { exit, stderr } = await lane.run(args);
    lane.onConnection(null);
    if (exit !== 0) throw new Error(`${scenario.name}, undisturbed, ends with ${exit}: ${stderr}`);
    ends.set(scenario.name, lane.save());
    prepared.set(scenario.name, { scenario, args, start, before, final: factsOf(scene), calls: [...scene.calls(), ...handshakes] });
  }
  return { lane, prepared };
}
