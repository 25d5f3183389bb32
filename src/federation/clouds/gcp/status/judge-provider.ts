import type { Check, CheckDefinition } from "../../../errors/checks.ts";
import { differenceOf } from "../../../oidc/difference.ts";
import { type PublicKeySet, parseJwks } from "../../../oidc/jwks.ts";
import { materialOf } from "../../../oidc/publish.ts";
import type { ObservedResource } from "../../../plan/plan-resources.ts";
import { gcpChecks } from "../checks.ts";
import { acceptedAudiences, audiencesFor, providerNameOf } from "../desired/audiences.ts";
import { judgeCollisions } from "../desired/collisions.ts";
import { judgeCondition } from "../desired/condition.ts";
import { readMapping, toMapping } from "../desired/mapping.ts";
import { storedKeys, textField } from "../desired/setup.ts";
import { enablePool, enableProvider, listField, poolProblems } from "../desired/setup-problems.ts";
import { POOL_ID, PROVIDER_ID } from "../ids.ts";
import { judgeChecks } from "../judge/checks.ts";
import type { StoredKey } from "../key-set.ts";
import { isMarkedFor } from "../marks.ts";
import { poolName } from "../names.ts";
import { flagsFor } from "../texts/flags.ts";
import { answer } from "./answer.ts";
import type { GcpStatusInput } from "./judge-status.ts";

/** Pool and provider: there, on, ours, and field by field as the setup would make them. */
export function judgeProvider(input: GcpStatusInput): readonly Check[] {
  const { spec, caller, observed } = input;
  const find = (id: string) => observed.find((resource) => resource.id === id);
  const [pool, provider] = [find(POOL_ID), find(PROVIDER_ID)];
  const names = { pool: poolName({ project: caller.account, poolId: spec.poolId }), provider: providerNameOf(spec, caller) };
  const poolCheck = judgePresence(judgeChecks["gcp-pool"], names.pool, pool, { input, enable: enablePool(names.pool) });
  const providerCheck = judgePresence(judgeChecks["gcp-provider"], names.provider, provider, { input, enable: enableProvider(names.provider) });
  const [modeProblem] = poolProblems(pool, names.pool).filter(({ code }) => code === "GCP_POOL_MODE");
  const mode = modeProblem === undefined ? [] : [answer(judgeChecks["gcp-pool"], "fail", modeProblem.message, modeProblem.hint)];
  if (provider === undefined) return [poolCheck, ...mode, providerCheck];
  return [
    poolCheck,
    ...mode,
    judgeShared(input),
    providerCheck,
    judgeIssuerUri(input, provider),
    judgeKeys(input, storedKeys(provider.fields)),
    judgeAudiences(audiencesFor(spec, caller), acceptedAudiences(listField(provider.fields, "allowedAudiences"), names.provider), names.provider),
    judgeMapping(input, provider),
    judgeConditionCheck(input, provider),
  ];
}

function judgePresence(definition: CheckDefinition, name: string, found: ObservedResource | undefined, { input, enable }: { readonly input: GcpStatusInput; readonly enable: string }): Check {
  const setup = `run kubeassume setup gcp ${flagsFor(input.spec)}`;
  if (found === undefined) return answer(definition, "fail", `${name} does not exist`, setup);
  const until = textField(found.fields, "expireTime");
  if (found.fields["state"] === "DELETED") return answer(definition, "fail", `${name} is deleted${until === "" ? "" : `, and will be purged at ${until}`}`, `${setup}: until then it can be restored`);
  if (found.fields["disabled"] === true) return answer(definition, "fail", `${name} is disabled`, `enable it if that is right: ${enable}`);
  if (!found.marked) return answer(definition, "warn", `${name} carries no mark of kubeassume: teardown will not find it`, `${setup} --adopt to take it over`);
  const other = definition.id === "gcp-provider" && !isMarkedFor(textField(found.fields, "description"), input.spec.issuer);
  return other ? answer(definition, "warn", `${name} is marked for another issuer`, "look at its description: teardown goes by the mark") : answer(definition, "pass", `${name} is active`);
}

function judgeShared({ spec, observed }: GcpStatusInput): Check {
  const { problems: [problem], warnings: [warning] } = judgeCollisions(spec, observed);
  const definition = gcpChecks["gcp-pool-shared"];
  if (problem !== undefined) return answer(definition, "fail", problem.message, problem.hint);
  return warning === undefined ? answer(definition, "pass", "no other issuer of the pool produces its subjects") : answer(definition, "warn", warning.message, warning.hint);
}

function judgeIssuerUri({ spec }: GcpStatusInput, { fields }: ObservedResource): Check {
  const definition = gcpChecks["gcp-provider-issuer"];
  const issuer = textField(fields, "issuerUri");
  const difference = differenceOf(spec.issuer, issuer);
  return difference === null ? answer(definition, "pass", `it is for ${issuer}`) : answer(definition, "fail", `it is for ${issuer || "another kind of identity"} instead of ${spec.issuer}, ${difference.words}`);
}

/** Without `--keys` the provider itself says how it is meant. */
function judgeKeys(input: GcpStatusInput, stored: readonly StoredKey[]): Check {
  const definition = gcpChecks["gcp-provider-keys"];
  const { spec, clusterJwks } = input;
  const isUpload = spec.keySourceGiven ? spec.keySource === "upload" : stored.length > 0;
  if (!isUpload && stored.length === 0) return answer(definition, "pass", "it stores no keys: Google reads them at the issuer");
  const again = `run kubeassume setup gcp ${flagsFor(spec)} --keys ${isUpload ? "upload" : "discovery"}`;
  if (!isUpload) return answer(definition, "fail", `it stores ${stored.map(({ kid }) => kid).join(", ")}, and Google looks at no other key`, again);
  if (stored.length === 0) return answer(definition, "fail", "it stores no keys, so Google reads the issuer", again);
  const signing = readKeys(clusterJwks);
  if (signing === null) return answer(definition, "skip", "the cluster's keys were not read: name it with --context or in kubeassume.yaml");
  const have = new Map(stored.map((key) => [key["kid"], materialOf({ ...key, kty: key["kty"] ?? "" })]));
  const missing = signing.filter((key) => have.get(key.kid) !== materialOf(key)).map(({ kid }) => kid ?? "without kid");
  if (missing.length > 0) return answer(definition, "fail", `the cluster signs with keys that it does not store: ${[...new Set(missing)].join(", ")}`, again);
  const kids = new Set(signing.map(({ kid }) => kid));
  const extra = stored.filter(({ kid }) => !kids.has(kid)).length;
  return answer(definition, "pass", `it stores ${kids.size === 1 ? "the one key" : `all ${kids.size} keys`} of the cluster${extra > 0 ? `, and ${extra} more` : ""}`);
}

function readKeys(jwks: unknown): PublicKeySet["keys"] | null {
  try {
    return jwks === null || jwks === undefined ? null : parseJwks(jwks).keys;
  } catch {
    // An empty or unreadable set is for the cluster's own check to report.
    return null;
  }
}

function judgeAudiences(wanted: readonly string[], accepted: readonly string[], provider: string): Check {
  const definition = gcpChecks["gcp-provider-audiences"];
  const missing = wanted.filter((audience) => !accepted.includes(audience));
  if (missing.length > 0) return answer(definition, "fail", `it does not accept ${missing.join(", ")}, only ${accepted.join(", ")}`);
  // Without allowed audiences it takes its own name in two spellings: neither is one too many.
  const extra = accepted.filter((audience) => !wanted.includes(audience) && !audience.endsWith(`//iam.googleapis.com/${provider}`));
  return extra.length > 0 ? answer(definition, "warn", `it also accepts ${extra.join(", ")}`) : answer(definition, "pass", `it accepts ${wanted.join(", ")}`);
}

function judgeMapping({ spec }: GcpStatusInput, { fields }: ObservedResource): Check {
  const definition = gcpChecks["gcp-provider-mapping"];
  const mapping = readMapping(fields["attributeMapping"]);
  const wrong = Object.entries(toMapping(spec.subjectPrefix)).filter(([key, expression]) => mapping[key] !== expression);
  const subject = wrong.find(([key]) => key === "google.subject");
  if (subject !== undefined) return answer(definition, "fail", `google.subject is ${JSON.stringify(mapping["google.subject"] ?? null)} instead of ${JSON.stringify(subject[1])}`);
  if (wrong.length > 0) return answer(definition, "warn", `${wrong.map(([key]) => key).join(", ")} ${wrong.length === 1 ? "is" : "are"} not mapped as setup does`);
  return answer(definition, "pass", `google.subject is ${mapping["google.subject"]}`);
}

function judgeConditionCheck({ spec, caller, grants }: GcpStatusInput, { fields }: ObservedResource): Check {
  const definition = gcpChecks["gcp-provider-condition"];
  const condition = textField(fields, "attributeCondition");
  if (spec.attributeCondition !== null && spec.attributeCondition !== condition) {
    return answer(definition, "fail", `it is ${JSON.stringify(condition)} instead of ${JSON.stringify(spec.attributeCondition)}`);
  }
  const accounts = [...spec.grantedAccounts, ...grants.flatMap(({ serviceAccounts }) => serviceAccounts)];
  const { problems: [problem], warnings: [warning] } = judgeCondition({ issuer: spec.issuer, audience: audiencesFor(spec, caller)[0] ?? "", mapping: readMapping(fields["attributeMapping"]), condition, accounts });
  if (problem !== undefined) return answer(definition, "fail", problem.message, problem.hint);
  if (warning !== undefined) return answer(definition, "warn", warning.message, warning.hint);
  return answer(definition, "pass", condition === "" ? "there is none" : `${JSON.stringify(condition)} lets the granted service accounts pass`);
}
