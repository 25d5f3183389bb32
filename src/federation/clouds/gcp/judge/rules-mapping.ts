import { argument, fail, pass, quote, skip, UNCONFIRMED, warn } from "../../judge/rule.ts";
import type { Answer, Rule } from "../../judge/rule.ts";
import type { MappingProblem, MappingResult } from "./cel.ts";
import type { JudgeCheckId } from "./checks.ts";
import type { Facts } from "./facts.ts";
import { invalidRequest, unauthorizedClient, WORDS } from "./refusals.ts";

/** What the provider makes of the claims, and whether its condition lets them in. */
export const mappingRules: readonly Rule<JudgeCheckId, Facts>[] = [
  { id: "gcp-attribute-mapping", judge: judgeMapping },
  { id: "gcp-attribute-condition", judge: judgeCondition },
  { id: "gcp-subject", judge: judgeSubject },
  { id: "gcp-subject-length", judge: judgeSubjectLength },
  { id: "gcp-attributes", judge: judgeAttributes },
];

const NOTHING_MAPPED = "there is no token and provider to map";
const NOT_EVALUATED = "the mapping was not evaluated";

type Failed = Extract<MappingResult, { ok: false }>;

function failureOf(mapping: MappingResult | null, ...reasons: readonly MappingProblem[]): Failed | null {
  return mapping !== null && !mapping.ok && reasons.includes(mapping.reason) ? mapping : null;
}

function judgeMapping({ mapping }: Facts): Answer {
  if (mapping === null) return skip(NOTHING_MAPPED);
  const failure = failureOf(mapping, "form", "expression");
  if (failure !== null && failure.expression !== "attributeCondition") {
    const what = failure.expression === "attributeMapping" ? "the attribute mapping is not one that Google takes" : `the mapping of ${failure.expression} cannot be evaluated`;
    return fail(unauthorizedClient(WORDS.noSubject), `${what}: ${failure.message} ${UNCONFIRMED}`);
  }
  const unset = mapping.ok ? mapping.unset.filter(({ key }) => key !== "google.subject") : [];
  if (unset.length > 0) {
    const list = unset.slice(0, 5).map(({ key, why }) => `${key} (${why})`).join(", ");
    return warn(`the claims hold nothing for ${list}; Google is taken to leave such an attribute out ${UNCONFIRMED}`);
  }
  return pass("the attribute mapping can be evaluated");
}

function judgeCondition({ mapping, input: { provider } }: Facts): Answer {
  if (mapping === null) return skip(NOTHING_MAPPED);
  const condition = provider?.attributeCondition ?? "";
  if (condition === "") return pass("the provider has no condition");
  const refuse = (why: string): Answer => fail(unauthorizedClient(WORDS.condition), `the condition ${quote(condition)} rejects the token: ${why}`);
  if (mapping.ok) return mapping.rejection === null ? pass(`the condition ${quote(condition)} is true`) : refuse(mapping.rejection);
  if (mapping.expression === "attributeCondition") return refuse(`${mapping.message} ${UNCONFIRMED}`);
  if (mapping.rejected) return refuse("it is not true for what is mapped");
  return skip(NOT_EVALUATED);
}

function judgeSubject({ mapping }: Facts): Answer {
  if (mapping === null) return skip(NOTHING_MAPPED);
  const failure = failureOf(mapping, "missing", "type");
  if (failure !== null && failure.expression === "google.subject") {
    const words = failure.reason === "type" ? "The mapped attribute 'google.subject' must be of type STRING." : WORDS.noSubject;
    return fail(unauthorizedClient(words), `google.subject has no value: ${failure.message}`);
  }
  return mapping.ok ? pass(`google.subject is ${quote(mapping.attributes["google.subject"] ?? "")}`) : skip(NOT_EVALUATED);
}

function judgeSubjectLength({ mapping }: Facts): Answer {
  if (mapping === null) return skip(NOTHING_MAPPED);
  const failure = failureOf(mapping, "subject-size");
  if (failure !== null) return fail(invalidRequest(WORDS.subjectSize), `google.subject is too long: ${failure.message}`);
  return mapping.ok ? pass(`google.subject has ${Buffer.byteLength(mapping.attributes["google.subject"] ?? "")} bytes of 127`) : skip(NOT_EVALUATED);
}

function judgeAttributes({ mapping }: Facts): Answer {
  if (mapping === null) return skip(NOTHING_MAPPED);
  const size = failureOf(mapping, "size");
  if (size !== null) return fail(invalidRequest(WORDS.attributesSize), `the attributes are too long: ${size.message}; the words of Google's refusal are those for workforce pools ${UNCONFIRMED}`);
  const type = failureOf(mapping, "type");
  if (type !== null && type.expression !== "google.subject") {
    const wanted = type.expression === "google.groups" ? "LIST<STRING>" : "STRING";
    return fail(unauthorizedClient(`The mapped attribute '${type.expression}' must be of type ${wanted}.`), `${type.expression} is of the wrong type: ${type.message}`);
  }
  if (!mapping.ok) return skip(NOT_EVALUATED);
  const names = Object.keys(mapping.attributes).filter((key) => key !== "google.subject");
  return pass(names.length === 0 ? "no further attributes are mapped" : `${names.slice(0, 10).map((name) => argument(name, "an attribute")).join(", ")} ${names.length === 1 ? "is" : "are"} mapped`);
}
