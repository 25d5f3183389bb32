import { isJsonObject, member } from "../../../../oidc/json.ts";
import type { JsonObject } from "../../../../oidc/json.ts";
import { compileCondition, compileMapping } from "../../judge/cel-evaluate.ts";
import type { CelProblem } from "../../judge/cel-evaluate.ts";
import { invalidArgument } from "../errors.ts";
import type { GoogleError } from "../errors.ts";
import { textOf } from "../fields.ts";
import type { Provider } from "../state.ts";
import { reformatJwks } from "./jwks.ts";
import { checkTexts } from "./life.ts";

/** IAM v1, WorkloadIdentityPoolProvider and Oidc: the bounds that their descriptions give. Those of CEL are the compiler's. */
const MAX_AUDIENCES = 10;
const MAX_AUDIENCE = 256;
const MAX_ATTRIBUTES = 50;
const MAX_KEY = 100;

type Changeable = Pick<Provider, "displayName" | "description" | "disabled" | "attributeMapping" | "attributeCondition" | "oidc">;

/**
 * What a body says of a provider, every member checked as if it were about to be written.
 *
 * @throws GoogleError INVALID_ARGUMENT
 */
export function readProvider(body: JsonObject): Changeable {
  checkTexts(body);
  const mapping = member(body, "attributeMapping");
  return {
    displayName: textOf(body, "displayName"),
    description: textOf(body, "description"),
    disabled: body["disabled"] === true,
    attributeMapping: readMapping(isJsonObject(mapping) ? mapping : {}),
    attributeCondition: readCondition(textOf(body, "attributeCondition")),
    oidc: readOidc(member(body, "oidc")),
  };
}

/** What only the whole provider shows. @throws GoogleError INVALID_ARGUMENT */
export function checkProvider({ attributeMapping, oidc }: Changeable): void {
  if (!Object.hasOwn(attributeMapping, "google.subject")) throw invalidArgument("The attribute_mapping must include a mapping to google.subject.");
  if (oidc.issuerUri === "") throw invalidArgument("The issuer_uri of the OIDC configuration is required.");
}

function readMapping(mapping: JsonObject): Readonly<Record<string, string>> {
  const entries = Object.entries(mapping).map(([key, expression]): [string, string] => [key, String(expression)]);
  if (entries.filter(([key]) => key.startsWith("attribute.")).length > MAX_ATTRIBUTES) throw invalidArgument(`The attribute_mapping may have at most ${MAX_ATTRIBUTES} custom attributes.`);
  for (const [key, expression] of entries) {
    if (key !== "google.subject" && key !== "google.groups" && (!/^attribute\.[a-z0-9_]+$/.test(key) || key.length > MAX_KEY)) throw invalidArgument(`Invalid key in attribute_mapping: "${key}".`);
    if (expression === "") throw invalidArgument(`The expression of "${key}" in attribute_mapping must not be empty.`);
    const problem = compileMapping(expression);
    if (problem !== null) throw uncompiled("attribute_mapping", problem);
  }
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function readCondition(condition: string): string {
  const problem = compileCondition(condition);
  if (problem !== null) throw uncompiled("attribute_condition", problem);
  return condition;
}

function uncompiled(field: string, { message, line, column }: CelProblem): GoogleError {
  return invalidArgument(`Error in ${field}: ERROR: <input>:${line}:${column}: ${message}`);
}

function readOidc(oidc: unknown): Provider["oidc"] {
  if (!isJsonObject(oidc)) return { issuerUri: "", allowedAudiences: [], jwksJson: "" };
  const issuerUri = textOf(oidc, "issuerUri");
  if (issuerUri !== "" && !/^https:\/\/[^/?#]+[^?#]*$/.test(issuerUri)) throw invalidArgument("The issuer_uri of the OIDC configuration must be a valid URI with the scheme https.");
  const audiences = member(oidc, "allowedAudiences");
  const allowedAudiences = Array.isArray(audiences) ? audiences.map(String) : [];
  if (allowedAudiences.length > MAX_AUDIENCES) throw invalidArgument(`At most ${MAX_AUDIENCES} allowed_audiences may be configured.`);
  if (allowedAudiences.some((audience) => audience === "" || audience.length > MAX_AUDIENCE)) throw invalidArgument(`Each of the allowed_audiences must have 1 to ${MAX_AUDIENCE} characters.`);
  return { issuerUri, allowedAudiences, jwksJson: reformatJwks(textOf(oidc, "jwksJson")) };
}
