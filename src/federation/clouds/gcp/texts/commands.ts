import { toShellWord } from "../../../report/shell-word.ts";
import { IMPERSONATION_ROLE, newAccountTexts } from "../desired/grants.ts";
import { parsePolicyTarget } from "../ids.ts";
import { parseProviderName, parseServiceAccountEmail } from "../names.ts";
import type { BindingInput, TrustInput } from "./records.ts";

/** The same by hand, for whoever is not allowed to or does not want to run kubeassume: pool, then provider. */
export function trustCommands(trust: TrustInput, project: string, jwksFile: string | null): readonly string[] {
  const { poolId = "", providerId = "" } = parseProviderName(trust.provider) ?? {};
  const place = [["project", project], ["location", "global"]] as const;
  return [
    toCommand(["gcloud", "iam", "workload-identity-pools", "create", poolId], [...place, ...given("display-name", trust.displayName), ["description", trust.description]]),
    toCommand(
      ["gcloud", "iam", "workload-identity-pools", "providers", "create-oidc", providerId],
      [
        ...place,
        ["workload-identity-pool", poolId],
        ["issuer-uri", trust.issuer],
        ...given("allowed-audiences", trust.audiences.length === 0 ? null : toList(trust.audiences)),
        ["attribute-mapping", toList(Object.entries(trust.mapping).map(([key, value]) => `${key}=${value}`))],
        ...given("attribute-condition", trust.condition === "" ? null : trust.condition),
        ...given("jwk-json-path", jwksFile),
        ["description", trust.description],
      ],
    ),
  ];
}

/** The service account when it is to be made for `createFor` (an issuer), then each role for each member. */
export function bindingCommands({ target, roles, members }: BindingInput, createFor: string | null): readonly string[] {
  const owner = parsePolicyTarget(target);
  // Without a condition named, gcloud asks for one as soon as the policy has any, and fails where it cannot ask.
  const bind = (role: string, member: string): readonly Flag[] => [["role", role], ["member", member], ["condition", "None"]];
  if (owner?.kind === "serviceAccount") {
    const { name = "", project = "" } = parseServiceAccountEmail(owner.email) ?? {};
    const { displayName, description } = newAccountTexts(owner.email, createFor ?? "");
    const create = toCommand(["gcloud", "iam", "service-accounts", "create", name], [["project", project], ["display-name", displayName], ["description", description]]);
    const words = ["gcloud", "iam", "service-accounts", "add-iam-policy-binding", owner.email];
    return [...(createFor === null ? [] : [create]), ...members.map((member) => toCommand(words, [["project", project], ...bind(IMPERSONATION_ROLE, member)]))];
  }
  const words = owner?.kind === "bucket" ? ["gcloud", "storage", "buckets", "add-iam-policy-binding", `gs://${owner.name}`] : ["gcloud", "projects", "add-iam-policy-binding", owner?.project ?? ""];
  return roles.flatMap((role) => members.map((member) => toCommand(words, bind(role, member))));
}

/** Writes the credential file; the same bytes as the one that is printed. */
export function credentialCommand(provider: string, tokenFile: string, impersonate: string | null): string {
  return toCommand(["gcloud", "iam", "workload-identity-pools", "create-cred-config", provider], [["credential-source-file", tokenFile], ...given("service-account", impersonate), ["output-file", "federation.json"]]);
}

type Flag = readonly [name: string, value: string];

function given(name: string, value: string | null): readonly Flag[] {
  return value === null ? [] : [[name, value]];
}

function toCommand(words: readonly string[], flags: readonly Flag[]): string {
  return [...words.map(toShellWord), ...flags.map(([name, value]) => `--${name}=${toShellWord(value)}`)].join(" ");
}

/** gcloud divides lists at commas, unless another divider stands in front (gcloud topic escaping). */
function toList(values: readonly string[]): string {
  if (values.every((value) => !value.includes(","))) return values.join(",");
  const divider = ["|", "~", ";", "#"].find((sign) => values.every((value) => !value.includes(sign))) ?? "|";
  return `^${divider}^${values.join(divider)}`;
}
