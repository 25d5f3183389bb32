import type { Caller } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import type { Fields } from "../../../plan/step.ts";
import { gcpInputCodes } from "../codes.ts";
import type { GcpSetupSpec } from "../input/setup-spec.ts";
import { isIssuerMark, readMarks } from "../marks.ts";
import { defaultAudience } from "../names.ts";
import { acceptedAudiences, providerNameOf } from "./audiences.ts";
import { readMapping, subjectPrefixOf } from "./mapping.ts";

/** What no write can mend or nobody may mend unasked: another mode, switched off. */
export function poolProblems(pool: ObservedResource | undefined, target: string): readonly KubeassumeError[] {
  if (pool === undefined) return [];
  const problems: KubeassumeError[] = [];
  const mode = pool.fields["mode"];
  if (typeof mode === "string" && !["", "MODE_UNSPECIFIED", "FEDERATION_ONLY"].includes(mode)) {
    problems.push(new KubeassumeError(gcpInputCodes.GCP_POOL_MODE, { message: `pool ${target} has mode ${mode}, not FEDERATION_ONLY`, details: { target, mode } }));
  }
  if (pool.fields["disabled"] === true) {
    const hint = `enable it if that is right: ${enablePool(target)}`;
    problems.push(new KubeassumeError(gcpInputCodes.GCP_POOL_DISABLED, { message: `pool ${target} is disabled`, hint, details: { target } }));
  }
  return problems;
}

/** The same for the provider, and whatever taking it over would take away. */
export function providerProblems(spec: GcpSetupSpec, caller: Caller, provider: ObservedResource | undefined): readonly KubeassumeError[] {
  if (provider === undefined) return [];
  const target = providerNameOf(spec, caller);
  const other = otherIssuer(spec, provider, target);
  if (other !== null) return [other];
  const disabled = provider.fields["disabled"] === true;
  const hint = `enable it if that is right: ${enableProvider(target)}`;
  return [...(disabled ? [new KubeassumeError(gcpInputCodes.GCP_PROVIDER_DISABLED, { message: `provider ${target} is disabled`, hint, details: { target } })] : []), ...adoptionProblems(spec, target, provider)];
}

/** Another kind, marked for another issuer, or without a mark and for another issuer: whatever `--adopt` says. */
function otherIssuer({ issuer }: GcpSetupSpec, { fields, marked }: ObservedResource, target: string): KubeassumeError | null {
  const issuerUri = fields["issuerUri"];
  if (typeof issuerUri !== "string" || issuerUri === "") return new KubeassumeError(gcpInputCodes.GCP_PROVIDER_OTHER_KIND, { message: `provider ${target} is not an OIDC provider`, details: { target } });
  const mark = readMarks(typeof fields["description"] === "string" ? fields["description"] : "").issuer;
  const isOther = marked && mark !== null ? !isIssuerMark(mark, issuer) : issuerUri !== issuer;
  if (!isOther) return null;
  const message = marked && mark !== null ? `provider ${target} was made by kubeassume for ${mark}` : `provider ${target} is for issuer ${issuerUri}`;
  return new KubeassumeError(gcpInputCodes.GCP_PROVIDER_OTHER_ISSUER, { message, details: { target, issuer: marked && mark !== null ? mark : issuerUri } });
}

function adoptionProblems(spec: GcpSetupSpec, target: string, { marked, fields }: ObservedResource): readonly KubeassumeError[] {
  if (marked || !spec.adopt) return [];
  return [...lostAudiences(spec, target, fields), ...changedSubjects(spec, target, fields)];
}

function lostAudiences({ audiences }: GcpSetupSpec, target: string, fields: Fields): readonly KubeassumeError[] {
  const allowed = listField(fields, "allowedAudiences");
  const wanted = acceptedAudiences(audiences, target);
  const accepted = acceptedAudiences(allowed, target);
  // Without allowed audiences either spelling of the own name counts; one of them kept is enough to name it.
  const lost = allowed.length === 0 && accepted.some((audience) => wanted.includes(audience)) ? [] : accepted.filter((audience) => !wanted.includes(audience));
  if (lost.length === 0) return [];
  const named = allowed.length === 0 ? [defaultAudience(target)] : lost;
  const message = `${target} accepts ${named.join(", ")} as well, and taking it over would remove that`;
  const own = audiences.length === 0 ? ` --audience ${defaultAudience(target)}` : "";
  const hint = `to keep them add ${named.map((audience) => `--audience ${audience}`).join(" ")}${own}`;
  return [new KubeassumeError(gcpInputCodes.GCP_ADOPTION_REMOVES_AUDIENCES, { message, hint, details: { target, audiences: named } })];
}

function changedSubjects({ subjectPrefix }: GcpSetupSpec, target: string, fields: Fields): readonly KubeassumeError[] {
  const mapping = readMapping(fields["attributeMapping"]);
  const prefix = subjectPrefixOf(mapping);
  if (prefix === subjectPrefix || mapping["google.subject"] === undefined) return [];
  const message = `${target} maps google.subject to ${JSON.stringify(mapping["google.subject"].slice(0, 200))}, and taking it over would change who its tokens are`;
  const hint = prefix === null ? gcpInputCodes.GCP_ADOPTION_CHANGES_SUBJECTS.fix : `give --subject-prefix ${prefix === "" ? "''" : prefix}`;
  return [new KubeassumeError(gcpInputCodes.GCP_ADOPTION_CHANGES_SUBJECTS, { message, hint, details: { target } })];
}

/** A list of texts among observed fields; empty when it is missing. */
export function listField(fields: Fields | undefined, name: string): readonly string[] {
  const value = fields?.[name];
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === "string") : [];
}

/** The command that enables a pool again; its name has the project. */
export function enablePool(pool: string): string {
  return `gcloud iam workload-identity-pools update ${pool} --no-disabled`;
}

/** The command that enables a provider again. */
export function enableProvider(provider: string): string {
  return `gcloud iam workload-identity-pools providers update-oidc ${provider} --no-disabled`;
}
