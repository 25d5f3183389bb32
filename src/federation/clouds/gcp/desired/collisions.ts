import type { Findings } from "../../cloud.ts";
import { KubeassumeError, type Problem, warning } from "../../../errors/error.ts";
import { isJsonObject } from "../../../oidc/json.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import { gcpInputCodes } from "../codes.ts";
import { POOL_PROVIDERS_ID } from "../ids.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { gcpWarningCodes } from "../warning-codes.ts";
import { readMapping, subjectPrefixOf } from "./mapping.ts";

interface OtherProvider {
  readonly name: string;
  readonly issuerUri: string | null;
  readonly subjectPrefix: string | null;
}

/**
 * Members name the pool, not the provider: refuses a pool where another issuer's tokens get the same subjects. Kubernetes
 * subjects have exactly three colons, so two prefixes are told apart as soon as they differ.
 */
export function judgeCollisions(spec: GcpSetupSpec, observed: readonly ObservedResource[]): Findings {
  const others = othersOf(observed).filter(({ issuerUri }) => issuerUri !== spec.issuer);
  const colliding = others.filter(({ subjectPrefix }) => subjectPrefix === spec.subjectPrefix);
  const unclear = others.filter(({ subjectPrefix }) => subjectPrefix === null);
  return { problems: colliding.map((other) => toProblem(spec, other)), warnings: unclear.map((other) => toWarning(other)) };
}

function othersOf(observed: readonly ObservedResource[]): readonly OtherProvider[] {
  const others = observed.find(({ id }) => id === POOL_PROVIDERS_ID)?.fields["others"];
  if (!Array.isArray(others)) return [];
  // A deleted one produces nothing; a disabled one does as soon as somebody enables it.
  return others.filter(isJsonObject).filter(({ state }) => state !== "DELETED").map(({ name, issuerUri, attributeMapping }) => ({
    name: String(name),
    issuerUri: typeof issuerUri === "string" && issuerUri !== "" ? issuerUri : null,
    subjectPrefix: subjectPrefixOf(readMapping(attributeMapping as Parameters<typeof readMapping>[0])),
  }));
}

function toProblem({ poolId, subjectPrefix }: GcpSetupSpec, { name, issuerUri }: OtherProvider): KubeassumeError {
  const prefix = subjectPrefix === "" ? "" : ` with prefix ${JSON.stringify(subjectPrefix)}`;
  const message = `pool ${poolId} has provider ${name} for ${issuerUri ?? "another kind of identity"}, whose tokens get the same subjects${prefix}`;
  const hint = subjectPrefix === "" ? gcpInputCodes.GCP_POOL_SHARED.fix : "use one pool per cluster (--pool-id), or give another --subject-prefix";
  return new KubeassumeError(gcpInputCodes.GCP_POOL_SHARED, { message, hint, details: { provider: name, issuer: issuerUri } });
}

function toWarning({ name }: OtherProvider): Problem {
  return warning(gcpWarningCodes.GCP_POOL_SUBJECTS_UNCLEAR, { message: `${name} of the same pool maps google.subject in a way that may produce subjects of this cluster`, details: { provider: name } });
}
