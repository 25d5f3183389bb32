import { isJsonObject, type JsonObject } from "../../../oidc/json.ts";
import type { Fields, Json } from "../../../plan/step.ts";
import { renderJwksJson, toStoredKeys } from "../key-set.ts";

/** A pool as the plan compares it. */
export function poolFields(pool: JsonObject): Fields {
  return {
    state: text(pool["state"]) || "ACTIVE",
    displayName: text(pool["displayName"]),
    description: text(pool["description"]),
    disabled: pool["disabled"] === true,
    mode: text(pool["mode"]),
    ...expiry(pool),
  };
}

/** A provider as the plan compares it; without `issuerUri` when it is none for OIDC. Keys in the form in which they are compared. */
export function providerFields(provider: JsonObject): Fields {
  const oidc = provider["oidc"];
  const common = {
    state: text(provider["state"]) || "ACTIVE",
    displayName: text(provider["displayName"]),
    description: text(provider["description"]),
    attributeMapping: mapping(provider["attributeMapping"]),
    attributeCondition: text(provider["attributeCondition"]),
    disabled: provider["disabled"] === true,
    ...expiry(provider),
  };
  if (!isJsonObject(oidc)) return common;
  const audiences = oidc["allowedAudiences"];
  return {
    ...common,
    issuerUri: text(oidc["issuerUri"]),
    allowedAudiences: Array.isArray(audiences) ? audiences.filter((one) => typeof one === "string") : [],
    keys: toStoredKeys(text(oidc["jwksJson"])),
  };
}

/** A provider of the same pool, as far as it matters who its tokens are. */
export function otherFields(provider: JsonObject): Fields {
  const { issuerUri = "", attributeMapping = {}, attributeCondition = "", state = "", disabled = false } = providerFields(provider);
  return { name: text(provider["name"]), issuerUri, attributeMapping, attributeCondition, state, disabled };
}

/** Where each field stands in the resource: a field mask names it so (IAM v1, `updateMask`). */
const PATHS: Readonly<Record<string, string>> = {
  displayName: "displayName",
  description: "description",
  attributeMapping: "attributeMapping",
  attributeCondition: "attributeCondition",
  issuerUri: "oidc.issuerUri",
  allowedAudiences: "oidc.allowedAudiences",
  keys: "oidc.jwksJson",
};

/** The names that Google's field mask has for these fields. */
export function toMask(names: readonly string[]): string {
  return names.flatMap((name) => PATHS[name] ?? []).join(",");
}

/** Those of the fields that a write can set, in the shape of the resource. */
export function toBody(fields: Fields, names: readonly string[]): JsonObject {
  const body: Record<string, Json> = {};
  const oidc: Record<string, Json> = {};
  for (const name of names) {
    const [path, value] = [PATHS[name], fields[name]];
    if (path === undefined || value === undefined) continue;
    if (path.startsWith("oidc.")) oidc[path.slice("oidc.".length)] = name === "keys" ? renderJwksJson(Array.isArray(value) ? value : []) : value;
    else body[path] = value;
  }
  return { ...body, ...(Object.keys(oidc).length === 0 ? {} : { oidc }) };
}

/** Names of the fields that a write can set. */
export function writableFields(fields: Fields): readonly string[] {
  return Object.keys(fields).filter((name) => PATHS[name] !== undefined);
}

function expiry(resource: JsonObject): { readonly expireTime?: string } {
  const expireTime = text(resource["expireTime"]);
  return expireTime === "" ? {} : { expireTime };
}

function mapping(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
