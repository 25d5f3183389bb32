import { createHash } from "node:crypto";

export const MANAGED_BY_TAG = "kubeassume.dev/managed-by";
export const ISSUER_TAG = "kubeassume.dev/issuer";
export const MANAGED_BY = "kubeassume";

/** A tag as IAM and S3 spell it. */
export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

const MAX_TAG_VALUE = 256;

/** The two tags by which kubeassume finds its own things again. */
export function marksOf(issuer: string): readonly Tag[] {
  return [
    { Key: MANAGED_BY_TAG, Value: MANAGED_BY },
    { Key: ISSUER_TAG, Value: issuerTagValue(issuer) },
  ];
}

/**
 * The issuer as a tag value: itself, for every usual issuer. Characters that AWS does not take in tag values become
 * `=` and their hex code; what then exceeds 256 characters is cut and ends with a hash.
 */
export function issuerTagValue(issuer: string): string {
  const value = issuer.replace(/[^\p{L}\p{N}_.:/+\-@]/gu, (character) => `=${character.codePointAt(0)?.toString(16).toUpperCase() ?? ""}`);
  if (value.length <= MAX_TAG_VALUE) return value;
  const hash = createHash("sha256").update(issuer).digest("hex").slice(0, 16);
  return `${value.slice(0, MAX_TAG_VALUE - hash.length - 1)}@${hash}`;
}

/** Our own tags among others, in a fixed order. */
export function ourTags(tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[]): readonly Tag[] {
  return [MANAGED_BY_TAG, ISSUER_TAG].flatMap((key) => {
    const found = tags.find((tag) => tag.Key === key);
    return found === undefined ? [] : [{ Key: key, Value: found.Value ?? "" }];
  });
}

/** Whether tags say that kubeassume made it, and for which issuer: null when they do not say. */
export function readMarks(tags: readonly Tag[]): { readonly managed: boolean; readonly issuerTag: string | null } {
  const value = (key: string) => tags.find((tag) => tag.Key === key)?.Value ?? null;
  return { managed: value(MANAGED_BY_TAG) === MANAGED_BY, issuerTag: value(ISSUER_TAG) };
}

/** A tag in the fields of a plan: `key=value`. */
export function toTagText({ Key, Value }: Tag): string {
  return `${Key}=${Value}`;
}

/** The tag of {@link toTagText}; our keys have no equals sign. */
export function parseTagText(text: string): Tag {
  const at = text.indexOf("=");
  return { Key: text.slice(0, at), Value: text.slice(at + 1) };
}
