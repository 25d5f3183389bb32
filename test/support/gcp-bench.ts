import { expect } from "vitest";
import type { GcpState, GcpStandInOptions, Policy, Pool, Provider } from "../../src/federation/clouds/gcp/sandbox/index.ts";
import type { Ran } from "./kubeassume.ts";
import { expectEnvelope, type OutputEnvelope, type OutputProblem } from "./output-schema.ts";
import { type HereOptions, runHere } from "./run-here.ts";
import { type JsonDocument, type JsonStep, type Scene, startScene } from "./scene.ts";

export const PROJECT = "kubeassume-sandbox";
export const NUMBER = "123456789012";
export const poolNamed = (pool: string): string => `projects/${NUMBER}/locations/global/workloadIdentityPools/${pool}`;
export const POOL = poolNamed("prod");
export const PROVIDER = `${POOL}/providers/kubernetes`;
/** What tokens are for unless somebody says otherwise. */
export const AUDIENCE = `https://iam.googleapis.com/${PROVIDER}`;
/** A service account of the cluster as a member of policies. */
export const memberOf = (account: string, { pool = "prod", prefix = "" } = {}): string => `principal://iam.googleapis.com/${poolNamed(pool)}/subject/${prefix}system:serviceaccount:${account.replace("/", ":")}`;

/** A request that asks for a change, with all that it says. */
export interface Sent {
  readonly service: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Steps {
  readonly steps: readonly JsonStep[];
}

export interface StatusData {
  readonly checks: readonly { readonly id: string; readonly status: string; readonly message: string; readonly hint: string }[];
  readonly summary: Readonly<Record<string, number>>;
}

export type Here = Pick<Ran, "exit" | "stdout" | "stderr"> & { readonly document: JsonDocument };
type Failed<D> = OutputEnvelope<D> & { readonly error: OutputProblem; readonly ran: Here };

/** A sandbox of GCP with the command in this process. */
export interface Bench {
  readonly scene: Scene;
  readonly state: GcpState;
  /** `--issuer-url ISSUER` */
  readonly issuer: readonly string[];
  /** `--issuer-url ISSUER --project PROJECT --pool-id prod` */
  readonly place: readonly string[];
  /** Runs with `-o json`. */
  run(args: readonly string[], options?: HereOptions): Promise<Here>;
  /** Ends with 0 and a document of the kind that the command prints. */
  succeed<D = Steps>(args: readonly string[], options?: HereOptions): Promise<OutputEnvelope<D>>;
  /** Ends with this exit code and an error. */
  fail<D = Steps>(exit: number, args: readonly string[], options?: HereOptions): Promise<Failed<D>>;
  /** What asked Google for a change since the last `forget`, and was answered by a stand-in. */
  sent(): readonly Sent[];
  forget(): void;
  /** Remembers the whole project; the answer puts it back, and takes faults away. */
  snapshot(): () => void;
}

const KINDS: Readonly<Record<string, string>> = { setup: "SetupResult", grant: "GrantResult", publish: "PublishResult", status: "StatusReport", teardown: "TeardownResult", verify: "VerifyReport", "trust-policy": "TrustPolicy" };
const PLANNING: ReadonlySet<string> = new Set(["setup", "grant", "publish", "teardown"]);
const READS = /:(?:getIamPolicy|testIamPermissions|generateAccessToken)$/;

export async function startGcpBench(options: GcpStandInOptions = {}): Promise<Bench> {
  const sent: Sent[] = [];
  const observe: GcpStandInOptions["observe"] = (service, { method, path, query, body }) => {
    if (method === "GET" || service === "gcp.sts" || READS.test(path)) return;
    sent.push({ service, method, path, query: Object.fromEntries(query), body: parseBody(body.toString("utf8")) });
  };
  const scene = await startScene({ clouds: ["gcp"], gcp: { ...options, observe } });
  const { state } = scene.gcp;
  const run = async (args: readonly string[], more?: HereOptions): Promise<Here> => {
    const ran = await runHere(scene, [...args, "--output", "json"], more);
    return { ...ran, document: JSON.parse(ran.stdout) as JsonDocument };
  };
  const issuer = ["--issuer-url", scene.issuer];
  const kindOf = ([command = "", ...args]: readonly string[]) => (args.includes("--dry-run") && PLANNING.has(command) ? "Plan" : (KINDS[command] ?? ""));
  return {
    scene,
    state,
    issuer,
    place: [...issuer, "--project", PROJECT, "--pool-id", "prod"],
    run,
    succeed: async <D>(args: readonly string[], more?: HereOptions) => {
      const { exit, stderr, document } = await run(args, more);
      expect(exit, stderr).toBe(0);
      return expectEnvelope<D>(kindOf(args), document);
    },
    fail: async <D>(exit: number, args: readonly string[], more?: HereOptions) => {
      const ran = await run(args, more);
      expect(ran.exit, ran.stderr).toBe(exit);
      const envelope = expectEnvelope<D>(kindOf(args), ran.document);
      if (envelope.error === null) throw new Error("there is no error");
      return { ...envelope, error: envelope.error, ran };
    },
    sent: () => [...sent],
    forget: () => {
      sent.length = 0;
      scene.forget();
    },
    snapshot: () => {
      const restore = remember(state);
      return () => {
        scene.breakWith(null);
        restore();
        sent.length = 0;
        scene.forget();
      };
    },
  };
}

function parseBody(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}

/** Buckets are changed in place; everything else is replaced. */
function remember(state: GcpState): () => void {
  const { pools, providers, serviceAccounts, policies, customRoles, storage } = state;
  const maps = [pools, providers, serviceAccounts, policies, customRoles].map((map) => [map as Map<string, unknown>, new Map<string, unknown>(map)] as const);
  const copies = () => new Map([...storage.buckets].map(([name, bucket]) => [name, { ...bucket, objects: new Map(bucket.objects) }]));
  const buckets = copies();
  return () => {
    for (const [map, kept] of maps) refill(map, kept);
    refill(storage.buckets, new Map([...buckets].map(([name, bucket]) => [name, { ...bucket, objects: new Map(bucket.objects) }])));
    state.operations.clear();
    state.policyRaces.clear();
    state.denyPermissions.clear();
    state.disabledApis.clear();
    storage.publicAccessPrevented = false;
    storage.preventionLingers = 0;
  };
}

function refill<T>(map: Map<string, T>, content: ReadonlyMap<string, T>): void {
  map.clear();
  for (const [key, value] of content) map.set(key, value);
}

export function pool(state: GcpState, name = POOL): Pool {
  return found(state.pools, name);
}

export function provider(state: GcpState, name = PROVIDER): Provider {
  return found(state.providers, name);
}

/** Changes something as a person in the console does. */
export function edit<T>(map: Map<string, T>, name: string, change: Partial<T>): T {
  const changed = { ...found(map, name), ...change };
  map.set(name, changed);
  return changed;
}

export function found<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`there is no ${name}, only ${[...map.keys()].join(", ")}`);
  return value;
}

/** The policy as it was last set: of `projects/ID` or `serviceAccounts/EMAIL`. */
export function policyOf(state: GcpState, key = `projects/${PROJECT}`): Policy {
  const last = found(state.policies, key).versions.at(-1);
  if (last === undefined) throw new Error(`${key} has no policy`);
  return last.policy;
}

/** Sets a policy behind everybody's back. */
export function setPolicy(state: GcpState, policy: Omit<Policy, "etag">, key = `projects/${PROJECT}`): Policy {
  const set = { ...policy, etag: Buffer.from(`seeded-${key}`).toString("base64") };
  state.policies.set(key, { versions: [{ policy: set, at: new Date(0) }] });
  return set;
}

/** The members of a role's unconditional binding. */
export function membersOf({ bindings }: Pick<Policy, "bindings">, role: string): readonly string[] {
  return bindings.filter((binding) => binding.role === role && binding.condition === undefined).flatMap(({ members }) => members);
}

export const changed = ({ data }: { readonly data: Steps }): readonly JsonStep[] => data.steps.filter(({ action }) => action !== "none");
export const codesOf = ({ error }: { readonly error: OutputProblem }): readonly string[] => {
  const problems = error.details["problems"] as readonly OutputProblem[] | undefined;
  return problems === undefined ? [error.code] : problems.map(({ code }) => code);
};
