import { parseJson } from "../../../http/answers.ts";
import { isJsonObject, member } from "../../../oidc/json.ts";

/** What can be known of an error answer of Google's without trusting its text (google.rpc.Status, AIP-193; RFC 6749 5.2). */
export interface GoogleFacts {
  /** HTTP's status. */
  readonly http: number;
  /** `PERMISSION_DENIED`, of storage's older form the reason (`conditionNotMet`), of token endpoints the error (`invalid_grant`); empty when there is none. */
  readonly status: string;
  /** `reason` of google.rpc.ErrorInfo, such as SERVICE_DISABLED; empty when there is none. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** What google.rpc.PreconditionFailure and QuotaFailure are about: constraints, quotas. */
  readonly violations: readonly { readonly type: string; readonly subject: string }[];
  readonly isQuotaFailure: boolean;
  /** Google's own words on one line, cut. */
  readonly words: string;
}

const MAX_WORDS = 600;

/** Reads an error answer; what is not Google's leaves everything but the status empty. */
export function parseGoogleError(http: number, body: string): GoogleFacts {
  const json = parseJson(body);
  if (!isJsonObject(json)) return { ...EMPTY, http };
  const error = member(json, "error");
  if (typeof error === "string") return { ...EMPTY, http, status: error, words: toWords(member(json, "error_description")) };
  if (!isJsonObject(error)) return { ...EMPTY, http };
  const details = listOfObjects(member(error, "details"));
  const info = details.find((detail) => typeOf(detail) === "google.rpc.ErrorInfo");
  // Storage's JSON API still answers in the form before google.rpc.Status.
  const [older] = listOfObjects(member(error, "errors"));
  return {
    http,
    status: text(member(error, "status")) || text(older?.["reason"]),
    reason: text(info?.["reason"]),
    metadata: toTexts(info?.["metadata"]),
    violations: details.flatMap((detail) => listOfObjects(detail["violations"])).map((violation) => ({ type: text(violation["type"]), subject: text(violation["subject"]) })),
    isQuotaFailure: details.some((detail) => typeOf(detail) === "google.rpc.QuotaFailure"),
    words: toWords(member(error, "message")),
  };
}

const EMPTY: GoogleFacts = { http: 0, status: "", reason: "", metadata: {}, violations: [], isQuotaFailure: false, words: "" };

function typeOf(detail: Readonly<Record<string, unknown>>): string {
  return text(detail["@type"]).replace(/^type\.googleapis\.com\//, "");
}

function listOfObjects(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function toTexts(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function toWords(value: unknown): string {
  return text(value).replace(/\s+/g, " ").trim().slice(0, MAX_WORDS);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
