import { isJsonObject } from "../../../oidc/json.ts";
import type { Json } from "../../../plan/step.ts";

export type AttributeMapping = Readonly<Record<string, string>>;

/**
 * The attributes that setup maps: who the token is for policies, and by what else policies may choose. Pods are left
 * out, because a mapping fails for every token that lacks its claim.
 * Source: "Configure Workload Identity Federation with Kubernetes" (docs.cloud.google.com).
 */
export function toMapping(subjectPrefix: string): AttributeMapping {
  return {
    // The prefix's grammar has neither quotes nor backslashes, so it needs no escapes.
    "google.subject": subjectPrefix === "" ? "assertion.sub" : `'${subjectPrefix}' + assertion.sub`,
    "attribute.namespace": "assertion['kubernetes.io']['namespace']",
    "attribute.service_account_name": "assertion['kubernetes.io']['serviceaccount']['name']",
    "attribute.cluster": "assertion.iss",
  };
}

/** Ours among the attributes that others mapped: those stay. */
export function mergeMapping(existing: Json | undefined, subjectPrefix: string): AttributeMapping {
  return { ...readMapping(existing), ...toMapping(subjectPrefix) };
}

/** A mapping among observed fields; empty when it is missing. */
export function readMapping(value: Json | undefined): AttributeMapping {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** The prefix of a mapping that reads as `assertion.sub` or `'PREFIX' + assertion.sub`; null for every other. */
export function subjectPrefixOf(mapping: AttributeMapping): string | null {
  const expression = (mapping["google.subject"] ?? "").trim();
  const sub = "assertion(?:\\.sub|\\[\\s*(?:'sub'|\"sub\")\\s*\\])";
  const match = new RegExp(`^(?:(?:'([^'"\\\\]*)'|"([^'"\\\\]*)")\\s*\\+\\s*)?${sub}$`).exec(expression);
  return match === null ? null : (match[1] ?? match[2] ?? "");
}
