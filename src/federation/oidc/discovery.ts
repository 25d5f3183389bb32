import { KubeassumeError } from "../errors/error.ts";
import type { CodeDefinition } from "../errors/error.ts";
import { documentCodes, issuerCodes } from "./codes.ts";
import { differenceOf } from "./difference.ts";
import { isJsonObject, kindOfText, member, parseJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";

/** Larger discovery documents are refused unread; real ones have one or two kilobytes. */
export const MAX_DISCOVERY_BYTES = 64 * 1024;

/** What kubeassume uses of a discovery document. */
export interface Discovery {
  readonly issuer: string;
  readonly jwksUri: string;
  /** `id_token_signing_alg_values_supported`. */
  readonly algorithms: readonly string[];
}

/** Members that AWS needs; without one it answers that it cannot retrieve the verification key. */
export const REQUIRED_DISCOVERY_LISTS = ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"] as const;

/**
 * Judges a discovery document (OpenID Connect Discovery 1.0 section 4.3) against the issuer it was asked of.
 * The issuer is compared exactly; the error shows both and marks the first difference.
 *
 * @param input the text, or the value that it parses to
 * @throws KubeassumeError DISCOVERY_MALFORMED, DISCOVERY_INCOMPLETE, DISCOVERY_TOO_LARGE, ISSUER_MISMATCH
 */
export function parseDiscovery(input: unknown, expectedIssuer: string): Discovery {
  const document = typeof input === "string" ? documentOf(input) : input;
  if (!isJsonObject(document)) throw refusal(documentCodes.DISCOVERY_MALFORMED, "the discovery document is not a JSON object");
  const problems = discoveryProblems(document);
  if (problems.length > 0) {
    throw new KubeassumeError(documentCodes.DISCOVERY_INCOMPLETE, {
      message: `the discovery document ${problems.join(", ")}`,
      details: { problems },
    });
  }
  const issuer = String(member(document, "issuer"));
  const difference = differenceOf(expectedIssuer, issuer);
  if (difference !== null) throw mismatch(expectedIssuer, issuer, difference.words, difference.position);
  return {
    issuer,
    jwksUri: String(member(document, "jwks_uri")),
    algorithms: [...(member(document, "id_token_signing_alg_values_supported") as string[])],
  };
}

/** What AWS misses in a discovery document, one clause each; empty when it has everything. */
export function discoveryProblems(document: JsonObject): string[] {
  const problems: string[] = [];
  for (const name of ["issuer", "jwks_uri"]) {
    const value = member(document, name);
    if (typeof value !== "string" || value === "") problems.push(`has no ${name}`);
  }
  const jwksUri = member(document, "jwks_uri");
  if (typeof jwksUri === "string" && jwksUri !== "" && !isHttpsUrl(jwksUri)) problems.push("has a jwks_uri that is not an https URL");
  for (const name of REQUIRED_DISCOVERY_LISTS) {
    const value = member(document, name);
    const isList = Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === "string" && entry !== "");
    if (!isList) problems.push(value === undefined ? `has no ${name}` : `has a ${name} that is not a list of names`);
  }
  return problems;
}

/** The discovery document, made anew with the five members that every relying party needs, as the API server lists them. */
export function renderDiscovery(discovery: Discovery): string {
  const document = {
    issuer: discovery.issuer,
    jwks_uri: discovery.jwksUri,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [...new Set(discovery.algorithms)].sort(),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function documentOf(text: string): JsonObject {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_DISCOVERY_BYTES) {
    throw refusal(documentCodes.DISCOVERY_TOO_LARGE, `the discovery document has ${bytes} bytes, more than ${MAX_DISCOVERY_BYTES}`);
  }
  const document = parseJsonObject(text);
  if (document === null) throw refusal(documentCodes.DISCOVERY_MALFORMED, `the discovery document cannot be read: ${kindOfText(text)}`);
  return document;
}

function mismatch(wanted: string, got: string, words: string, position: number): KubeassumeError {
  const shown = got.length > 400 ? `${got.slice(0, 400)}...` : got;
  return new KubeassumeError(issuerCodes.ISSUER_MISMATCH, {
    message: `the discovery document names issuer ${JSON.stringify(shown)} instead of ${JSON.stringify(wanted)}, ${words}`,
    details: { expected: wanted, got: shown, position },
  });
}

function isHttpsUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === "https:";
}

function refusal(definition: CodeDefinition, message: string): KubeassumeError {
  return new KubeassumeError(definition, { message });
}
