import type { JsonObject } from "../../../oidc/json.ts";
import { MAX_SUBJECT_BYTES } from "../names.ts";
import { evaluateCondition, evaluateMappingExpression } from "./cel-evaluate.ts";

export { compileCondition, compileMapping } from "./cel-evaluate.ts";

/** What a provider makes of a token's claims. */
export type MappingResult =
  | {
      readonly ok: true;
      /** By key: `google.subject`, `attribute.NAME`. */
      readonly attributes: Readonly<Record<string, string>>;
      /** `google.groups`; empty when it is not mapped. */
      readonly groups: readonly string[];
      /** Whether the condition lets the token in; true without one. */
      readonly accepted: boolean;
      /** Why the condition does not; null when it does. */
      readonly rejection: string | null;
      /** Attributes for which the claims hold nothing, each with why. */
      readonly unset: readonly { readonly key: string; readonly why: string }[];
    }
  | {
      readonly ok: false;
      /** The key of the mapping, `attributeMapping` for all together, or `attributeCondition`. */
      readonly expression: string;
      readonly reason: MappingProblem;
      /** One clause: what is wrong. */
      readonly message: string;
      /** Whether the condition refuses the token all the same; false when it could not be asked. */
      readonly rejected: boolean;
    };

/** `form`: no such mapping exists at Google. `expression`: it cannot be compiled or evaluated here. `missing`: no subject. `type`: no text. */
export type MappingProblem = "form" | "expression" | "missing" | "type" | "subject-size" | "size";

/** Bounds of IAM v1, WorkloadIdentityPoolProvider.attributeMapping. */
const MAX_ATTRIBUTES = 50;
const MAX_BYTES = 8192;
const ATTRIBUTE_KEY = /^attribute\.[a-z0-9_]{1,100}$/;

interface Mapped {
  readonly attributes: Record<string, string>;
  readonly groups: string[];
  readonly unset: { key: string; why: string }[];
  /** The first thing that Google would refuse. */
  problem: Problem | null;
}

interface Problem {
  readonly expression: string;
  readonly reason: MappingProblem;
  readonly message: string;
}

/**
 * Maps a token's claims to Google's attributes and asks the condition: `google.subject` must be a text of at most
 * 127 bytes, `attribute.*` texts, `google.groups` a list of texts. A custom attribute whose expression finds nothing
 * is left out (unconfirmed). The condition sees `assertion`, and `google` and `attribute` as mapped; anything but true
 * refuses. Evaluation is bounded and never throws.
 * Source: IAM v1, WorkloadIdentityPoolProvider; IAM docs, troubleshooting-workforce-identity-federation.
 */
export function evaluateMapping(mapping: Readonly<Record<string, string>>, condition: string | null | undefined, claims: JsonObject): MappingResult {
  const refuse = (problem: Problem, rejected = false): MappingResult => ({ ok: false, ...problem, rejected });
  const form = formProblem(mapping);
  if (form !== null) return refuse(form);
  const mapped = mapAll(mapping, claims);
  if (mapped.problem?.reason === "expression") return refuse(mapped.problem);
  const { attributes, groups, unset } = mapped;
  const asked = askCondition(condition, claims, attributes, groups);
  if (asked.unsupported) return refuse({ expression: "attributeCondition", reason: "expression", message: asked.rejection ?? "" });
  const problem = mapped.problem ?? resultProblem(attributes, groups, unset);
  if (problem !== null) return refuse(problem, asked.rejection !== null);
  return { ok: true, attributes, groups, accepted: asked.rejection === null, rejection: asked.rejection, unset };
}

function formProblem(mapping: Readonly<Record<string, string>>): Problem | null {
  const form = (expression: string, message: string): Problem => ({ expression, reason: "form", message });
  const keys = Object.keys(mapping);
  const unknown = keys.find((key) => key !== "google.subject" && key !== "google.groups" && !ATTRIBUTE_KEY.test(key));
  if (unknown !== undefined) return form(unknown.slice(0, 200), "the key is neither google.subject nor google.groups nor attribute. with up to 100 of [a-z0-9_]");
  const custom = keys.filter((key) => key.startsWith("attribute.")).length;
  if (custom > MAX_ATTRIBUTES) return form("attributeMapping", `it has ${custom} attributes, more than ${MAX_ATTRIBUTES}`);
  return keys.includes("google.subject") ? null : form("attributeMapping", "it does not map google.subject");
}

function mapAll(mapping: Readonly<Record<string, string>>, claims: JsonObject): Mapped {
  const mapped: Mapped = { attributes: {}, groups: [], unset: [], problem: null };
  for (const [key, expression] of Object.entries(mapping)) {
    const outcome = evaluateMappingExpression(expression, claims);
    if (outcome.kind === "unsupported") {
      mapped.problem = { expression: key, reason: "expression", message: outcome.message };
      return mapped;
    }
    if (outcome.kind === "error") mapped.unset.push({ key, why: outcome.message });
    else take(mapped, key, outcome.value);
  }
  return mapped;
}

function take(mapped: Mapped, key: string, value: unknown): void {
  if (value === null) {
    mapped.unset.push({ key, why: "it is null" });
  } else if (key === "google.groups") {
    if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) mapped.groups.push(...value);
    else mapped.problem ??= { expression: key, reason: "type", message: `it yields ${kindOf(value)} instead of a list of texts` };
  } else if (typeof value === "string") {
    mapped.attributes[key] = value;
  } else {
    mapped.problem ??= { expression: key, reason: "type", message: `it yields ${kindOf(value)} instead of a text` };
  }
}

function resultProblem(attributes: Readonly<Record<string, string>>, groups: readonly string[], unset: Mapped["unset"]): Problem | null {
  const subject = attributes["google.subject"];
  if (subject === undefined || subject === "") {
    const why = unset.find(({ key }) => key === "google.subject")?.why ?? "it is empty";
    return { expression: "google.subject", reason: "missing", message: why };
  }
  const bytes = Buffer.byteLength(subject);
  if (bytes > MAX_SUBJECT_BYTES) return { expression: "google.subject", reason: "subject-size", message: `it has ${bytes} bytes, more than ${MAX_SUBJECT_BYTES}` };
  const total = [...Object.values(attributes), ...groups].reduce((sum, value) => sum + Buffer.byteLength(value), 0);
  return total > MAX_BYTES ? { expression: "attributeMapping", reason: "size", message: `all attributes together have ${total} bytes, more than ${MAX_BYTES}` } : null;
}

interface Asked {
  readonly rejection: string | null;
  readonly unsupported: boolean;
}

function askCondition(condition: string | null | undefined, claims: JsonObject, attributes: Readonly<Record<string, string>>, groups: readonly string[]): Asked {
  if (condition === undefined || condition === null || condition === "") return { rejection: null, unsupported: false };
  const named = (prefix: string): [string, unknown][] =>
    Object.entries(attributes).flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []));
  const google = Object.fromEntries([...named("google."), ["groups", groups]]);
  const outcome = evaluateCondition(condition, claims, google, Object.fromEntries(named("attribute.")));
  if (outcome.kind !== "value") return { rejection: outcome.message, unsupported: outcome.kind === "unsupported" };
  if (outcome.value === true) return { rejection: null, unsupported: false };
  return { rejection: outcome.value === false ? "it is false for this token" : `it yields ${kindOf(outcome.value)} instead of true or false`, unsupported: false };
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "bigint") return "a number";
  return typeof value === "string" ? "a text" : "something else";
}
