import type { StoredObject } from "./object-store.ts";
import { badRequest } from "./status.ts";

/**
 * The objects that `labelSelector` and `fieldSelector` of a list request choose. Labels: `k=v`, `k==v`, `k!=v`, `k`
 * and `!k`, joined by commas; fields: `metadata.name` and `metadata.namespace`.
 *
 * @throws ClusterRefusal for any other selector, rather than to ignore it
 */
export function parseSelector(query: URLSearchParams): (object: StoredObject) => boolean {
  const labels = termsOf(query.get("labelSelector")).map(toLabelTest);
  const fields = termsOf(query.get("fieldSelector")).map(toFieldTest);
  return (object) => [...labels, ...fields].every((test) => test(object));
}

function termsOf(selector: string | null): readonly string[] {
  return selector === null || selector === "" ? [] : selector.split(",").map((term) => term.trim());
}

function toLabelTest(term: string): (object: StoredObject) => boolean {
  const [, absent, key = "", operator, value] = /^(!?)([A-Za-z0-9._/-]+)(?:(==?|!=)([A-Za-z0-9._-]*))?$/.exec(term) ?? [];
  if (key === "" || (absent === "!" && operator !== undefined)) throw badRequest(`unable to parse requirement: the sandbox does not know ${JSON.stringify(term)}`);
  return (object) => {
    const label = object.metadata.labels?.[key];
    if (operator === undefined) return (label === undefined) === (absent === "!");
    return (label === value) === (operator !== "!=");
  };
}

function toFieldTest(term: string): (object: StoredObject) => boolean {
  const [, field, operator, value] = /^metadata\.(name|namespace)(==?|!=)(.*)$/.exec(term) ?? [];
  if (field === undefined) throw badRequest(`field label not supported: ${term}`);
  return (object) => (object.metadata[field] === value) === (operator !== "!=");
}
