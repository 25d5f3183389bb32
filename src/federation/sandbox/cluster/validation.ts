import type { JsonRecord, Resource } from "./resources.ts";
import { isRecord } from "./resources.ts";
import type { Cause } from "./status.ts";
import { invalidValue, requiredValue } from "./status.ts";

/** A rule of k8s.io/apimachinery, util/validation: expression, words and examples make up the server's message. */
interface Rule {
  readonly words: string;
  readonly expression: string;
  readonly examples: readonly string[];
  readonly maxLength: number;
  readonly unit: "characters" | "bytes";
}

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS_LABEL: Rule = {
  words: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  expression: LABEL,
  examples: ["my-name", "123-abc"],
  maxLength: 63,
  unit: "characters",
};
const DNS_SUBDOMAIN: Rule = {
  words: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  expression: `${LABEL}(\\.${LABEL})*`,
  examples: ["example.com"],
  maxLength: 253,
  unit: "characters",
};
const QUALIFIED_NAME: Rule = {
  words: "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  expression: "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
  examples: ["MyName", "my.name", "123-abc"],
  maxLength: 63,
  unit: "bytes",
};
const LABEL_VALUE: Rule = {
  words: "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  expression: "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
  examples: ["MyValue", "my_value", "12345"],
  maxLength: 63,
  unit: "bytes",
};
const CONFIG_KEY: Rule = {
  words: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  expression: "[-._a-zA-Z0-9]+",
  examples: ["key.name", "KEY_NAME", "key-name"],
  maxLength: 253,
  unit: "bytes",
};
const MAX_ANNOTATIONS_BYTES = 256 * 1024;
const MAX_CONFIG_MAP_BYTES = 1024 * 1024;

/** Everything that the API server would refuse in a new or changed object, in its own words. */
export function validateObject(resource: Resource, object: JsonRecord): readonly Cause[] {
  const metadata = isRecord(object["metadata"]) ? object["metadata"] : {};
  return [
    ...validateName(resource, metadata["name"]),
    ...entriesOf(metadata["labels"]).flatMap(([key, value]) => [...validateKey("metadata.labels", key, key), ...check("metadata.labels", value, LABEL_VALUE)]),
    ...entriesOf(metadata["annotations"]).flatMap(([key]) => validateKey("metadata.annotations", key, key.toLowerCase())),
    ...tooLong("metadata.annotations", sizeOf(metadata["annotations"]), MAX_ANNOTATIONS_BYTES),
    ...(resource.plural === "configmaps" ? validateConfigMap(object) : []),
  ];
}

function validateName(resource: Resource, name: unknown): readonly Cause[] {
  if (typeof name !== "string" || name === "") return [requiredValue("metadata.name", "name or generateName is required")];
  return check("metadata.name", name, resource.plural === "namespaces" ? DNS_LABEL : DNS_SUBDOMAIN);
}

/** `shown` appears in the message, `key` is judged: annotations are judged in lower case. */
function validateKey(field: string, shown: string, key: string): readonly Cause[] {
  const slash = key.indexOf("/");
  const prefix = slash === -1 ? null : key.slice(0, slash);
  const prefixProblems = prefix === null ? [] : problemsOf(prefix, DNS_SUBDOMAIN).map((problem) => `prefix part ${problem}`);
  const nameProblems = problemsOf(key.slice(slash + 1), QUALIFIED_NAME);
  return [...prefixProblems, ...nameProblems].map((problem) => invalidValue(field, shown, problem));
}

function validateConfigMap(object: JsonRecord): readonly Cause[] {
  const keys = ["data", "binaryData"].flatMap((field) => entriesOf(object[field]).flatMap(([key]) => check(`${field}[${key}]`, key, CONFIG_KEY)));
  return [...keys, ...tooLong("", sizeOf(object["data"]) + sizeOf(object["binaryData"]), MAX_CONFIG_MAP_BYTES)];
}

function tooLong(field: string, size: number, limit: number): readonly Cause[] {
  return size <= limit ? [] : [{ reason: "FieldValueTooLong", message: `Too long: may not be more than ${limit} bytes`, field }];
}

function check(field: string, value: string, rule: Rule): readonly Cause[] {
  return problemsOf(value, rule).map((problem) => invalidValue(field, value, problem));
}

function problemsOf(value: string, rule: Rule): readonly string[] {
  const problems = value.length > rule.maxLength ? [`must be no more than ${rule.maxLength} ${rule.unit}`] : [];
  if (new RegExp(`^${rule.expression}$`).test(value)) return problems;
  const examples = rule.examples.map((example) => `'${example}'`).join(",  or ");
  return [...problems, `${rule.words} (e.g. ${examples}, regex used for validation is '${rule.expression}')`];
}

function entriesOf(map: unknown): readonly (readonly [string, string])[] {
  return isRecord(map) ? Object.entries(map).map(([key, value]) => [key, String(value)]) : [];
}

function sizeOf(map: unknown): number {
  return entriesOf(map).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}
