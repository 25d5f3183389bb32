import type { Caller, Desired } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { ChainFacts, IssuerFacts } from "../../../oidc/read-issuer.ts";
import type { DesiredResource, ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields } from "../../../plan/step.ts";
import { accountOf, providerArn } from "../arn.ts";
import { awsInputCodes } from "../codes.ts";
import { KIND, PROVIDER_ID } from "../ids.ts";
import type { AwsSetupSpec } from "../input/setup-spec.ts";
import { marksOf, toTagText } from "../marks.ts";
import { accountProblems, audiencesFor, conventionWarnings } from "./account.ts";

/** IAM keeps at most five. */
const MAX_THUMBPRINTS = 5;

/** The IAM provider as it shall be: audiences exactly, thumbprints only where AWS uses them, our tags among any others. */
export function desiredSetup(spec: AwsSetupSpec, facts: IssuerFacts, caller: Caller, observed: readonly ObservedResource[]): Desired {
  const audiences = audiencesFor(spec, caller);
  const thumbprints = thumbprintsFor(spec, facts.chain);
  const resource: DesiredResource = {
    id: PROVIDER_ID,
    kind: KIND.provider,
    cloud: "aws",
    target: providerArn(spec.issuer, accountOf(caller)),
    fields: {
      audiences,
      ...(thumbprints === null ? {} : { thumbprints }),
      tags: marksOf(spec.issuer).map(toTagText),
    },
    sets: ["audiences", "thumbprints", "tags"],
  };
  const found = observed.find(({ id }) => id === PROVIDER_ID);
  return {
    resources: [resource],
    problems: [...accountProblems(caller, { region: spec.region, policyArns: [] }), ...adoptionProblems(spec, audiences, resource.target, found)],
    warnings: conventionWarnings(spec, accountOf(caller).partition),
  };
}

/**
 * The thumbprints to register, the JWKS host's first; null to leave the list out and what is there alone: when AWS
 * does not use one (a publicly trusted chain), with `none`, and when the chain was not read.
 */
export function thumbprintsFor(spec: AwsSetupSpec, chain: ChainFacts | null): readonly string[] | null {
  if (spec.thumbprint === "none") return null;
  if (spec.thumbprint !== "auto") return [spec.thumbprint.sha1];
  if (chain === null || chain.publiclyTrusted || chain.thumbprints.length === 0) return null;
  return [...new Set(chain.thumbprints.map(({ thumbprint }) => thumbprint.toLowerCase()))].slice(0, MAX_THUMBPRINTS);
}

function adoptionProblems(spec: AwsSetupSpec, audiences: readonly string[], target: string, found: ObservedResource | undefined): readonly KubeassumeError[] {
  if (found === undefined || found.marked || !spec.adopt) return [];
  const lost = toTexts(found.fields, "audiences").filter((audience) => !audiences.includes(audience));
  if (lost.length === 0) return [];
  const message = `${target} accepts ${lost.join(", ")} as well, and taking it over would remove that`;
  const hint = `to keep them add ${lost.map((audience) => `--audience ${audience}`).join(" ")}${spec.audiencesGiven ? "" : ` and --audience ${audiences.join(" --audience ")}`}`;
  return [new KubeassumeError(awsInputCodes.AWS_ADOPTION_REMOVES_AUDIENCES, { message, hint, details: { target, audiences: lost } })];
}

/** A list of texts among observed fields; empty when it is missing. */
export function toTexts(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];
}
