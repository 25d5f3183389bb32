import { validationError } from "../errors.ts";
import type { Form } from "../form.ts";

export interface Page<T> {
  readonly items: readonly T[];
  readonly truncation: { readonly IsTruncated: boolean; readonly Marker: string | undefined };
}

const DEFAULT_ITEMS = 100;

/**
 * The page that `Marker` and `MaxItems` ask for; 100 items by default. A marker names the item that the page begins
 * after, so pages stay right while items come and go.
 *
 * @throws AwsError ValidationError for a marker that is not one of ours
 */
export function pageOf<T>(items: readonly T[], keyOf: (item: T) => string, form: Form): Page<T> {
  const marker = form.optional("Marker");
  const after = marker === undefined ? null : parseMarker(marker);
  const rest = after === null ? items : items.filter((item) => keyOf(item) > after);
  const sorted = rest.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const page = sorted.slice(0, form.number("MaxItems") ?? DEFAULT_ITEMS);
  const last = page.at(-1);
  const truncated = sorted.length > page.length && last !== undefined;
  return { items: page, truncation: { IsTruncated: truncated, Marker: truncated ? toMarker(keyOf(last)) : undefined } };
}

function toMarker(key: string): string {
  return Buffer.from(`after:${key}`).toString("base64url");
}

function parseMarker(marker: string): string {
  const text = Buffer.from(marker, "base64url").toString("utf8");
  if (!text.startsWith("after:")) throw validationError("Invalid Marker.");
  return text.slice("after:".length);
}
