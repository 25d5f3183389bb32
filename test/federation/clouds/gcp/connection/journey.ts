import { generateKeyPairSync } from "node:crypto";
import { expect } from "vitest";
import { gcpProvider } from "../../../../../src/federation/clouds/gcp/provider.ts";
import type { GcpConnection } from "../../../../../src/federation/clouds/gcp/connection/connect.ts";
import type { CloudWorld, MarkedResource } from "../../../../../src/federation/clouds/cloud.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import type { IssuerFacts } from "../../../../../src/federation/oidc/read-issuer.ts";
import { planResources } from "../../../../../src/federation/plan/plan-resources.ts";
import type { Step } from "../../../../../src/federation/plan/step.ts";
import { googleProblems } from "../sandbox/support/conformance.ts";
import type { TestGcp } from "../sandbox/support/start.ts";
import { specsMissing } from "../support/google-spec.ts";
import { worldWith } from "./scripted-google.ts";

export const PROJECT = "kubeassume-sandbox";
export const NUMBER = "123456789012";
export const ISSUER = "https://oidc.example.com/prod";
export const POOL = `projects/${NUMBER}/locations/global/workloadIdentityPools/prod`;
export const PROVIDER = `${POOL}/providers/kubernetes`;
export const PLACE = { issuerUrl: ISSUER, project: PROJECT, poolId: "prod" };
export const EMAIL = `payments@${PROJECT}.iam.gserviceaccount.com`;
export const member = (subject: string, pool = POOL): string => `principal://iam.googleapis.com/${pool}/subject/${subject}`;
export const API = member("system:serviceaccount:payments:api");

/** A plan with the codes of what forbids it. */
export interface Planned {
  readonly steps: readonly Step[];
  readonly codes: readonly string[];
  readonly warnings: readonly string[];
}

export interface Journey {
  readonly connection: GcpConnection;
  readonly said: readonly string[];
  planSetup(flags?: FlagValues): Promise<Planned>;
  planGrant(flags: FlagValues): Promise<Planned>;
  /** Performs what has to be done, and says what it was. */
  perform(planned: Planned): Promise<readonly string[]>;
  setup(flags?: FlagValues): Promise<readonly string[]>;
  grant(flags: FlagValues): Promise<readonly string[]>;
  teardown(): Promise<readonly MarkedResource[]>;
}

/** Commands against stand-ins, as the flow makes them of a connection and the provider. */
export async function startJourney(gcp: TestGcp, flags: FlagValues = PLACE, changes: Partial<CloudWorld> = {}): Promise<Journey> {
  const said: string[] = [];
  const env = { ...gcp.env, NO_GCE_CHECK: "1" };
  const world = worldWith(env, { notify: (message) => void said.push(message), ...changes });
  const connection = await gcpProvider.connect(world, { flags, config: null }) as GcpConnection;
  const planSetup: Journey["planSetup"] = async (more = {}) => {
    const spec = gcpProvider.toSetupSpec({ flags: { ...flags, ...more }, config: null });
    const identified = connection.identify();
    const [caller, observed] = await Promise.all([identified, connection.observeSetup(spec, identified)]);
    const { resources, problems, warnings } = gcpProvider.desiredSetup(spec, facts(), caller, observed);
    const { plan, refusals } = planResources(resources, observed, { adopt: spec.adopt });
    return { steps: plan.steps, codes: [...problems, ...refusals].map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
  };
  const planGrant: Journey["planGrant"] = async (more) => {
    const specs = gcpProvider.toGrantSpecs({ flags: { ...flags, ...more }, config: null });
    const identified = connection.identify();
    const [caller, observed] = await Promise.all([identified, connection.observeGrants(specs, identified)]);
    const { resources, problems, warnings } = gcpProvider.desiredGrants(specs, caller, observed);
    const { plan, refusals } = planResources(resources, observed, { adopt: false });
    return { steps: plan.steps, codes: [...problems, ...refusals].map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
  };
  const perform: Journey["perform"] = async ({ steps, codes }) => {
    expect(codes).toEqual([]);
    for (const step of steps) if (step.action !== "none") await connection.perform(step);
    return steps.map(({ action }) => action);
  };
  return {
    connection,
    said,
    planSetup,
    planGrant,
    perform,
    setup: async (more = {}) => perform(await planSetup(more)),
    grant: async (more) => perform(await planGrant(more)),
    teardown: async () => {
      const marked = await connection.findMarked(ISSUER, await connection.identify());
      for (const one of ordered(marked)) await connection.perform(toStep(one));
      return marked;
    },
  };
}

/** As the flow orders them: grants first, then what needs nothing, then the rest. */
function ordered(marked: readonly MarkedResource[]): readonly MarkedResource[] {
  const removed = marked.filter(({ keep }) => keep === undefined);
  return [...removed.filter(({ role }) => role === "grant"), ...removed.filter(({ role, needs }) => role === "trust" && needs.length === 0), ...removed.filter(({ role, needs }) => role === "trust" && needs.length > 0)];
}

function toStep({ id, kind, target, fields, remains }: MarkedResource): Step {
  return { id, kind, cloud: "gcp", target, before: fields, needs: [], reason: "", action: remains === undefined ? "delete" : "update", after: remains ?? null };
}

const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
/** What the cluster signs with. */
export const CLUSTER_KEY = { kty: "RSA", alg: "RS256", use: "sig", kid: "cluster-1", ...pick(publicKey.export({ format: "jwk" }) as Record<string, string>) };

function pick({ n = "", e = "" }: Readonly<Record<string, string>>) {
  return { n, e };
}

function facts(): IssuerFacts {
  const headers = { contentType: "application/json", cacheControl: "max-age=60" };
  return { issuer: ISSUER, discovery: null, jwksUri: null, jwks: { keys: [CLUSTER_KEY] }, headers: { discovery: headers, jwks: headers }, chain: null };
}

/** `METHOD path` of what was asked since `from`, without the exchange for the operator's token. */
export function asked(gcp: TestGcp, from = 0): readonly string[] {
  return gcp.exchanges.slice(from).filter(({ service }) => service !== "gcp.sts").map(({ service, request }) => `${service.slice(4)} ${request.method} ${request.path}`);
}

/** Whether something was written: getIamPolicy is a POST too. */
export function writes(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !/ GET |:getIamPolicy$/.test(line));
}

/** Everything that was asked and answered, held to Google's own descriptions. */
export function expectConformance(gcp: TestGcp): void {
  if (specsMissing !== null) return;
  expect(gcp.exchanges.flatMap(({ service, request, answer }) => googleProblems(service, request, answer))).toEqual([]);
}
