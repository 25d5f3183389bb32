import type { Caller, Desired, Findings } from "../../cloud.ts";
import { KubeassumeError, warning } from "../../../errors/error.ts";
import type { IssuerFacts } from "../../../oidc/read-issuer.ts";
import type { DesiredResource, ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields } from "../../../plan/step.ts";
import { gcpInputCodes } from "../codes.ts";
import { KIND, POOL_ID, PROVIDER_ID } from "../ids.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { type StoredKey, toStoredKeys } from "../key-set.ts";
import { withMark } from "../marks.ts";
import { poolName, providerName } from "../names.ts";
import { gcpWarningCodes } from "../warning-codes.ts";
import { audiencesFor } from "./audiences.ts";
import { judgeCollisions } from "./collisions.ts";
import { judgeCondition } from "./condition.ts";
import { toUpload } from "./keys.ts";
import { mergeMapping } from "./mapping.ts";
import { poolProblems, providerProblems } from "./setup-problems.ts";

/** What is for another issuer cannot be taken over, so nobody shall be told to try --adopt. */
const ELSEWHERE: ReadonlySet<string> = new Set([gcpInputCodes.GCP_PROVIDER_OTHER_ISSUER.code, gcpInputCodes.GCP_PROVIDER_OTHER_KIND.code]);

/**
 * Pool and provider as they shall be, both active and marked. Audiences exactly; of the attribute mapping ours, with
 * what others mapped beside it; keys exactly in discovery mode (none), and none lost in upload mode.
 */
export function desiredSetup(spec: GcpSetupSpec, facts: IssuerFacts, caller: Caller, observed: readonly ObservedResource[]): Desired {
  const pool = observed.find(({ id }) => id === POOL_ID);
  const provider = observed.find(({ id }) => id === PROVIDER_ID);
  const place = { project: caller.account, poolId: spec.poolId, providerId: spec.providerId };
  const keys = keysFor(spec, facts, provider);
  const mapping = mergeMapping(provider?.fields["attributeMapping"], spec.subjectPrefix);
  const marks = [markOf(spec, pool, poolName(place)), markOf(spec, provider, providerName(place))] as const;
  const refused = providerProblems(spec, caller, provider);
  const poolFields: Fields = { state: "ACTIVE", ...(spec.poolName === null ? {} : { displayName: spec.poolName }), description: marks[0].description };
  const providerFields: Fields = {
    state: "ACTIVE",
    description: marks[1].description,
    issuerUri: spec.issuer,
    allowedAudiences: spec.audiences,
    attributeMapping: mapping,
    ...(spec.attributeCondition === null ? {} : { attributeCondition: spec.attributeCondition }),
    keys: keys.keys,
  };
  const all: readonly DesiredResource[] = [
    { id: POOL_ID, kind: KIND.pool, cloud: "gcp", target: poolName(place), fields: poolFields },
    { id: PROVIDER_ID, kind: KIND.provider, cloud: "gcp", target: providerName(place), fields: providerFields, needs: [POOL_ID], sets: ["allowedAudiences", "keys"] },
  ];
  const condition = spec.attributeCondition ?? textField(provider?.fields, "attributeCondition");
  const judged = judgeCondition({ issuer: spec.issuer, audience: audiencesFor(spec, caller)[0] ?? "", mapping, condition, accounts: spec.grantedAccounts });
  const collisions = judgeCollisions(spec, observed);
  return {
    resources: refused.some(({ code }) => ELSEWHERE.has(code)) ? all.filter(({ id }) => id !== PROVIDER_ID) : all,
    problems: [...poolProblems(pool, poolName(place)), ...refused, ...marks.flatMap(({ problems }) => problems), ...keys.problems, ...collisions.problems, ...judged.problems],
    warnings: [...keys.warnings, ...collisions.warnings, ...judged.warnings],
  };
}

function keysFor(spec: GcpSetupSpec, facts: IssuerFacts, provider: ObservedResource | undefined): Findings & { readonly keys: readonly StoredKey[] } {
  const stored = storedKeys(provider?.fields);
  if (spec.keySource === "upload") return toUpload(facts.jwks, stored, spec.pruneKeys);
  if (stored.length === 0) return { keys: [], problems: [], warnings: [] };
  const message = `provider ${spec.providerId} stores ${stored.length === 1 ? "one key" : `${stored.length} keys`}`;
  if (spec.keySourceGiven) return { keys: [], problems: [], warnings: [warning(gcpWarningCodes.GCP_UPLOADED_KEYS_REMOVED, { message: `${message}, which will be removed` })] };
  return { keys: [], warnings: [], problems: [new KubeassumeError(gcpInputCodes.GCP_KEYS_UPLOADED, { message: `${message}, and --keys is not given` })] };
}

/** The uploaded keys among observed fields. */
export function storedKeys(fields: Fields | undefined): readonly StoredKey[] {
  return toStoredKeys({ keys: fields?.["keys"] });
}

function markOf({ issuer }: GcpSetupSpec, found: ObservedResource | undefined, target: string): { readonly description: string; readonly problems: readonly KubeassumeError[] } {
  const before = textField(found?.fields, "description");
  const description = withMark(before, issuer);
  if (description !== null) return { description, problems: [] };
  const message = `the description of ${target} has ${Buffer.byteLength(before)} bytes, which leaves no room for kubeassume's mark`;
  return { description: before, problems: [new KubeassumeError(gcpInputCodes.GCP_DESCRIPTION_TOO_LONG, { message })] };
}

/** A text among observed fields; empty when it is missing. */
export function textField(fields: Fields | undefined, name: string): string {
  const value = fields?.[name];
  return typeof value === "string" ? value : "";
}

