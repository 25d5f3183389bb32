import { type Binding, gcpFault, type GcpService, type GcpState, OPERATOR_NAME, type Provider, SANDBOX_PROJECT } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import type { FaultCloud, Scenario } from "./fault-cloud.ts";
import { gcpFacts } from "./fault-gcp-facts.ts";
import type { JsonStep, Scene } from "./scene.ts";

const POLICY = `projects/${SANDBOX_PROJECT}`;
const EMAIL = `demo-app@${SANDBOX_PROJECT}.iam.gserviceaccount.com`;
const ROLE = "roles/storage.objectViewer";
const CONDITION = { expression: "request.time < timestamp('2100-01-01T00:00:00Z')", title: "for a while" };
/** What others have in the project's policy: the same role with and without a condition, and an audit log. */
const OTHERS: readonly Binding[] = [
  { role: "roles/owner", members: [OPERATOR_NAME] },
  { role: ROLE, members: ["user:analyst@example.com"], condition: CONDITION },
  { role: ROLE, members: ["group:readers@example.com"] },
];
const AUDIT = [{ service: "allServices", auditLogConfigs: [{ logType: "DATA_READ" }] }];

const issuer = (scene: Scene): readonly string[] => ["--issuer-url", scene.issuer, "--project", SANDBOX_PROJECT];
const publish = (scene: Scene) => ["publish", "gcs", "--bucket", "oidc", "--create-bucket", ...issuer(scene)];
const setup = (scene: Scene) => ["setup", "gcp", "--pool-id", "prod", "--pool-name", "Production", "--attribute-condition", "attribute.namespace == 'demo'", "--boilerplate-configmap", "demo/gcp-trust", ...issuer(scene)];
const upload = (scene: Scene) => ["setup", "gcp", "--pool-id", "prod", "--keys", "upload", ...issuer(scene)];
const update = (scene: Scene) => [...upload(scene), "--pool-name", "Production", "--attribute-condition", "attribute.namespace == 'demo'"];
const grant = (...access: readonly string[]) => (scene: Scene) => ["grant", "gcp", "--pool-id", "prod", "--service-account", "demo/app", ...access, ...issuer(scene)];

const PUBLISHED = "publish gcs over something else";

const SCENARIOS: readonly Scenario[] = [
  { name: "publish gcs", kind: "PublishResult", args: publish, unneeded: /^gcp\.storage GET \/storage\/v1\/(b\?project&prefix|b\/oidc\/o\/)/ },
  { name: PUBLISHED, variant: "always", kind: "PublishResult", args: publish, seed: spoilBucket },
  { name: "publish gcs in somebody else's bucket", variant: "always", kind: "PublishResult", args: publish, seed: giveBucketAway },
  { name: "teardown gcp in somebody else's bucket", variant: "always", kind: "TeardownResult", args: (scene) => ["teardown", "gcp", "--yes", ...issuer(scene)], seed: addTheirs },
  { name: "setup gcp", after: PUBLISHED, kind: "SetupResult", args: setup },
  { name: "grant gcp on a bucket", variant: "always", kind: "GrantResult", args: grant("--role", ROLE, "--on", "bucket:data"), seed: addBucket },
  { name: "grant gcp on the project", kind: "GrantResult", args: grant("--role", ROLE, "--role", "roles/pubsub.subscriber", "--apply-manifests"), seed: sharePolicy },
  { name: "grant gcp --create-service-account", variant: "always", kind: "GrantResult", args: grant("--impersonate", EMAIL, "--create-service-account") },
  { name: "grant gcp in a race for the policy", variant: "always", kind: "GrantResult", args: grant("--role", "roles/logging.logWriter"), seed: ({ gcp: { state } }) => void state.policyRaces.add(POLICY) },
  { name: "teardown gcp --delete-bucket", kind: "TeardownResult", args: (scene) => ["teardown", "gcp", "--delete-bucket", "--yes", ...issuer(scene)] },
];

/** Everything that begins operations. */
const SLOW_SCENARIOS: readonly Scenario[] = [
  { name: "setup gcp --keys upload", variant: "always", kind: "SetupResult", args: upload },
  { name: "setup gcp --keys upload of other keys", variant: "always", kind: "SetupResult", args: upload, seed: spoilKeys },
  { name: "setup gcp of a pool and a provider that differ", variant: "always", kind: "SetupResult", args: update, seed: spoilTrust },
  { name: "setup gcp of what was deleted", variant: "always", kind: "SetupResult", args: update, seed: deleteTrust },
  { name: "teardown gcp --keep-documents", variant: "always", kind: "TeardownResult", args: (scene) => ["teardown", "gcp", "--keep-documents", "--yes", ...issuer(scene)] },
];

export const gcp: FaultCloud = {
  services: "gcp.",
  scene: { clouds: ["gcp"] },
  lanes: 6,
  worst: "in turn",
  files: {},
  scenarios: SCENARIOS,
  objects: [
    { id: "cluster.service-account/demo/app", plural: "serviceaccounts", namespace: "demo", name: "app" },
    { id: "cluster.config-map/demo/gcp-trust", plural: "configmaps", namespace: "demo", name: "gcp-trust" },
  ],
  factsOf: (scene) => gcpFacts(scene.gcp.state),
  save: ({ gcp: { state } }) => {
    const saved = copy(state);
    return () => {
      const { storage, policyRaces, ...maps } = copy(saved);
      for (const name of ["pools", "providers", "operations", "serviceAccounts", "policies"] as const) refill<unknown>(state[name], maps[name]);
      refill(state.storage.buckets, storage.buckets);
      state.policyRaces.clear();
      for (const key of policyRaces) state.policyRaces.add(key);
    };
  },
  refuse: (service, what, when) => {
    if (what === "429") return { kind: "status", when, status: 429, body: "too many requests\n" };
    return gcpFault(service as GcpService, what === "500" ? "internal" : "throttling", when);
  },
  isEmptyAnswer: (call) => call.startsWith("gcp.storage DELETE "),
  factOf: ({ id, target }) => (/^gcp\.(pool|provider)\b/.test(id) ? target : id),
  covers: (step, id) => isPartOfBucket(id, step) || (step.action === "delete" && id === step.id.replace("gcp.service-account/", "gcp.policy/serviceAccounts/")),
};

/** The same with operations that are still under way when the call that began them is tried again, or the command. */
export const slowGcp: FaultCloud = { ...gcp, scene: { clouds: ["gcp"], gcp: { operationMs: 700 } }, lanes: 4, scenarios: SLOW_SCENARIOS };

/** A bucket comes with its settings and the policy that Google gives it, and goes with all that is in it. */
function isPartOfBucket(id: string, { id: step, action }: JsonStep): boolean {
  if (!step.startsWith("gcs.bucket/")) return false;
  const name = step.slice("gcs.bucket/".length);
  if (action === "delete") return id.endsWith(`/${name}`) || id === `other objects in ${name}`;
  return action === "create" && [`gcs.labels/${name}`, `gcs.uniform-access/${name}`, `gcs.public-access/${name}`, `gcp.policy/buckets/${name}`].includes(id);
}

/** Closed, and with the keys of a cluster that is gone. */
function spoilBucket(scene: Scene): void {
  const bucket = bucketOf(scene);
  const jwks = bucket.objects.get("openid/v1/jwks");
  if (jwks === undefined) throw new Error("nothing is published");
  const [key] = (JSON.parse(jwks.body.toString("utf8")) as { readonly keys: readonly Record<string, string>[] }).keys;
  const body = Buffer.from(JSON.stringify({ keys: [otherKey(key)] }));
  bucket.objects.set(jwks.name, { ...jwks, body, generation: "1" });
  bucket.uniform = false;
  bucket.publicAccessPrevention = "enforced";
  close(bucket);
}

/** Empty, closed, without our labels, and with a writer of its own. */
function giveBucketAway(scene: Scene): void {
  const bucket = bucketOf(scene);
  bucket.objects.clear();
  bucket.labels = { team: "theirs" };
  close(bucket);
  bucket.policy = { version: 1, bindings: [...bucket.policy.bindings, { role: "roles/storage.objectCreator", members: ["user:writer@example.com"] }] };
}

/** Something that is not ours beside the documents. */
function addTheirs(scene: Scene): void {
  const { objects } = bucketOf(scene);
  for (const jwks of [...objects.values()].slice(0, 1)) objects.set("theirs.txt", { ...jwks, name: "theirs.txt", body: Buffer.from("theirs"), metadata: {} });
}

/** A key that the cluster does not have in place of the one that it has. */
function spoilKeys({ gcp: { state } }: Scene): void {
  changeProviders(state, ({ oidc }) => {
    const { keys } = JSON.parse(oidc.jwksJson) as { readonly keys: readonly Record<string, string>[] };
    return { oidc: { ...oidc, jwksJson: JSON.stringify({ keys: [otherKey(keys[0])] }) } };
  });
}

function spoilTrust({ gcp: { state } }: Scene): void {
  for (const pool of state.pools.values()) state.pools.set(pool.name, { ...pool, displayName: "Old" });
  changeProviders(state, ({ oidc }) => ({
    attributeMapping: { "google.subject": "assertion.sub", "attribute.theirs": "assertion.iss" },
    attributeCondition: "true",
    oidc: { ...oidc, allowedAudiences: ["old"] },
  }));
}

/** As Google keeps them for thirty days; the provider differs besides. */
function deleteTrust({ gcp: { state } }: Scene): void {
  const deleted = { state: "DELETED", expireTime: new Date(Date.now() + 30 * 86_400_000) } as const;
  for (const pool of state.pools.values()) state.pools.set(pool.name, { ...pool, ...deleted });
  changeProviders(state, () => ({ ...deleted, attributeCondition: "" }));
}

/** A bucket of the project that has nothing to do with us. */
function addBucket(scene: Scene): void {
  const bucket = bucketOf(scene);
  const policy = { version: 3, bindings: [...bucket.policy.bindings, ...OTHERS.slice(1)] };
  scene.gcp.state.storage.buckets.set("data", { ...bucket, name: "data", labels: { team: "theirs" }, policy, objects: new Map() });
  close(bucketOf(scene, "data"));
}

function sharePolicy({ gcp: { state } }: Scene): void {
  state.policies.set(POLICY, { versions: [{ policy: { version: 3, etag: "BwYAAAAAAAA=", bindings: OTHERS, auditConfigs: AUDIT }, at: new Date(0) }] });
}

/** Everybody is sent out. */
function close(bucket: ReturnType<typeof bucketOf>): void {
  const bindings = bucket.policy.bindings.map((binding) => ({ ...binding, members: binding.members.filter((member) => member !== "allUsers") }));
  bucket.policy = { ...bucket.policy, bindings: bindings.filter(({ members }) => members.length > 0) };
  bucket.metageneration += 1;
}

function bucketOf({ gcp: { state } }: Scene, name = "oidc") {
  const bucket = state.storage.buckets.get(name);
  if (bucket === undefined) throw new Error(`there is no bucket ${name}`);
  return bucket;
}

function otherKey(key: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  return { ...key, kid: "old", n: `${key?.["n"]?.slice(0, -4) ?? ""}AAAA` };
}

function changeProviders({ providers }: GcpState, change: (provider: Provider) => Partial<Provider>): void {
  for (const provider of providers.values()) providers.set(provider.name, { ...provider, ...change(provider) });
}

type Project = Pick<GcpState, "pools" | "providers" | "operations" | "serviceAccounts" | "policies" | "policyRaces"> & { readonly storage: Pick<GcpState["storage"], "buckets"> };

/** Buckets are changed in place, and operations remember whether they were carried out; everything else is replaced. */
function copy({ pools, providers, operations, serviceAccounts, policies, policyRaces, storage }: Project): Project {
  return {
    pools: new Map(pools),
    providers: new Map(providers),
    operations: new Map([...operations].map(([name, operation]) => [name, { ...operation }])),
    serviceAccounts: new Map(serviceAccounts),
    policies: new Map(policies),
    policyRaces: new Set(policyRaces),
    storage: { buckets: new Map([...storage.buckets].map(([name, bucket]) => [name, { ...bucket, objects: new Map(bucket.objects) }])) },
  };
}

function refill<T>(map: Map<string, T>, content: ReadonlyMap<string, T>): void {
  map.clear();
  for (const [key, value] of content) map.set(key, value);
}
