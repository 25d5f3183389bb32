import { invalidInput, limitExceeded } from "../errors.ts";
import type { Tag } from "../state.ts";

const MAX_TAGS = 50;

/** How tag keys are told apart: a role's without regard to case, a provider's exactly (recorded against AWS). */
export type TagKeyOf = (key: string) => string;

export const roleTagKey: TagKeyOf = (key) => key.toLowerCase();
export const providerTagKey: TagKeyOf = (key) => key;

/**
 * The tags after adding some: a key that exists gets the new value, and for roles the new spelling.
 *
 * @throws AwsError InvalidInput (repeated or reserved keys, nothing to add), LimitExceeded
 */
export function addTags(existing: readonly Tag[], added: readonly Tag[], keyOf: TagKeyOf): Tag[] {
  const keys = added.map(({ key }) => keyOf(key));
  if (new Set(keys).size < keys.length) throw invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.");
  if (added.some(({ key }) => /^aws:/i.test(key))) throw invalidInput("Tag keys beginning with aws: are reserved for system use.");
  const kept = existing.filter(({ key }) => !keys.includes(keyOf(key)));
  if (kept.length + added.length > MAX_TAGS) throw limitExceeded(`The number of tags has reached the maximum limit.`);
  return [...kept, ...added];
}

export function removeTags(existing: readonly Tag[], keys: readonly string[], keyOf: TagKeyOf): Tag[] {
  const gone = new Set(keys.map(keyOf));
  return existing.filter(({ key }) => !gone.has(keyOf(key)));
}

/** Refuses a call that is there to add tags and brings none. */
export function refuseNoTags(added: readonly Tag[]): void {
  if (added.length === 0) throw invalidInput("Tags cannot be empty.");
}

/** As in answers. */
export function toWireTags(tags: readonly Tag[]): readonly { readonly Key: string; readonly Value: string }[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }));
}
