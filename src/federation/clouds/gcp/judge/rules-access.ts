import { parseSubject } from "../../../oidc/subject.ts";
import { argument, fail, pass, quote, skip, warn } from "../../judge/rule.ts";
import type { Answer, Rule } from "../../judge/rule.ts";
import type { JudgeCheckId } from "./checks.ts";
import type { Facts } from "./facts.ts";
import { allowsImpersonation, IMPERSONATION_ROLES, judgeMember, parsePolicy } from "./policy.ts";
import type { PolicyAnswer, Principal } from "./policy.ts";
import { invalidPolicy, permissionDenied, WORDS } from "./refusals.ts";

/** What the federated identity may do: impersonate the service account, or use its roles directly. */
export const accessRules: readonly Rule<JudgeCheckId, Facts>[] = [
  { id: "gcp-policy-form", judge: judgeForm },
  { id: "gcp-impersonation", judge: judgeImpersonation },
  { id: "gcp-direct-access", judge: judgeDirect },
];

const NO_POLICY = "no policy was given";
const NO_PRINCIPAL = "there is no identity that a policy could name";

function judgeForm(facts: Facts): Answer {
  const given = policiesOf(facts);
  if (given.length === 0) return skip(NO_POLICY);
  for (const { name, value } of given) {
    const policy = parsePolicy(value);
    if ("problem" in policy) return fail(invalidPolicy("Request contains an invalid argument."), `the ${name} is malformed: ${policy.problem}`);
  }
  return pass(`the ${given.map(({ name }) => name).join(" and the ")} can be read`);
}

function judgeImpersonation(facts: Facts): Answer {
  const { serviceAccount, serviceAccountPolicy } = facts.input;
  if (!serviceAccount) return skip("no service account is to be impersonated");
  if (facts.principal === null) return skip(NO_PRINCIPAL);
  const denied = permissionDenied(WORDS.impersonation);
  if (serviceAccountPolicy === null) return fail(denied, `the service account ${quote(serviceAccount)} does not exist`, `create it: ${grantCommand(facts, "--create-service-account")}`);
  const { principal } = facts;
  const answers = policiesOf(facts).flatMap(({ name, value }) => answerOf(name, value, principal, allowsImpersonation, facts.input.at));
  if (answers.length === 0) return skip(NO_POLICY);
  const hint = `grant it: ${grantCommand(facts, "")}`;
  const granted = answers.find(({ decision }) => decision === "granted");
  if (granted !== undefined) return pass(granted.message);
  const doubt = answers.find(({ decision }) => decision === "unconfirmed");
  if (doubt !== undefined) return warn(doubt.message, hint);
  return fail(denied, `nothing lets the identity impersonate ${quote(serviceAccount)} (${IMPERSONATION_ROLES.join(" or ")}): ${answers.map(({ message }) => message).join("; ")}`, hint);
}

function judgeDirect(facts: Facts): Answer {
  const { serviceAccount, projectPolicy, roles, at } = facts.input;
  if (serviceAccount) return skip("the service account is what needs the roles");
  if (projectPolicy === undefined || projectPolicy === null) return skip(NO_POLICY);
  const { principal } = facts;
  if (principal === null) return skip(NO_PRINCIPAL);
  const wanted: readonly (string | null)[] = roles === undefined || roles.length === 0 ? [null] : roles;
  const answers = wanted.flatMap((role) => {
    const found = answerOf("project policy", projectPolicy, principal, (one) => (role === null || one === role ? "yes" : "no"), at);
    return found.map((answer) => ({ ...answer, role }));
  });
  if (answers.length === 0) return skip("the policy cannot be read");
  const denied = answers.filter(({ decision }) => decision === "denied");
  const hint = `grant it: kubeassume grant gcp --service-account ${accountOf(principal)} --role ${argument(denied[0]?.role ?? null, "ROLE")}`;
  if (denied.length > 0) {
    const missing = denied.map(({ role, message }) => `${role ?? "any role"}: ${message}`).join("; ");
    return fail(permissionDenied(WORDS.permission), `the identity lacks ${missing}`, hint);
  }
  const doubt = answers.find(({ decision }) => decision === "unconfirmed");
  return doubt === undefined ? pass(answers.map(({ message }) => message).join("; ")) : warn(doubt.message, hint);
}

interface NamedPolicy {
  readonly name: string;
  readonly value: unknown;
}

/** Those that were given; a policy of the project holds for its service accounts too. */
function policiesOf({ input: { serviceAccount, serviceAccountPolicy, projectPolicy } }: Facts): readonly NamedPolicy[] {
  const own = serviceAccount && serviceAccountPolicy !== undefined && serviceAccountPolicy !== null ? [{ name: "service account's policy", value: serviceAccountPolicy }] : [];
  return projectPolicy === undefined || projectPolicy === null ? own : [...own, { name: "project policy", value: projectPolicy }];
}

function answerOf(name: string, value: unknown, principal: Principal, matches: Parameters<typeof judgeMember>[2], at: Date): readonly PolicyAnswer[] {
  const policy = parsePolicy(value);
  if ("problem" in policy) return [];
  const answer = judgeMember(policy.bindings, principal, matches, at);
  return [{ ...answer, message: `in the ${name}, ${answer.message}` }];
}

function grantCommand({ principal, input: { serviceAccount } }: Facts, extra: string): string {
  const account = principal === null ? "NAMESPACE/NAME" : accountOf(principal);
  return `kubeassume grant gcp --service-account ${account} --impersonate ${argument(serviceAccount ?? null, "EMAIL")}${extra === "" ? "" : ` ${extra}`}`;
}

/** The Kubernetes account behind a subject, whatever prefix tells the cluster apart. */
function accountOf({ subject }: Principal): string {
  const account = parseSubject(subject.slice(Math.max(0, subject.indexOf("system:serviceaccount:"))));
  return account === null ? "NAMESPACE/NAME" : `${account.namespace}/${account.name}`;
}
