import { createHash } from "node:crypto";

export const MANAGED_BY = "kubeassume.dev/managed-by=kubeassume";
const ISSUER_KEY = "kubeassume.dev/issuer=";
/** Pools and providers take so many characters, service accounts so many bytes: counted in bytes for all. */
export const MAX_DESCRIPTION_BYTES = 256;

/** What a description says of kubeassume. */
export interface Marks {
  readonly managed: boolean;
  /** The issuer as the mark has it, perhaps cut; null when it says none. */
  readonly issuer: string | null;
}

/** Google Cloud's IAM has no tags: the two words by which kubeassume finds its own things stand in the description. */
export function readMarks(description: string | null | undefined): Marks {
  const words = (description ?? "").split(/\s+/);
  const issuer = words.find((word) => word.startsWith(ISSUER_KEY))?.slice(ISSUER_KEY.length) ?? null;
  return { managed: words.includes(MANAGED_BY), issuer };
}

/** Whether a description marks something as made by kubeassume for this issuer. */
export function isMarkedFor(description: string | null | undefined, issuer: string): boolean {
  const marks = readMarks(description);
  return marks.managed && marks.issuer !== null && isIssuerMark(marks.issuer, issuer);
}

/** Whether an issuer in a mark, perhaps cut, is this one. */
export function isIssuerMark(mark: string, issuer: string): boolean {
  return mark === issuer || mark.endsWith(hashEnd(issuer));
}

/**
 * The description with the mark behind what stands there; what has the mark already (of whichever issuer) stays as it
 * is. An issuer that does not fit is cut and ends with a hash. Null when there is no room for the mark at all.
 */
export function withMark(description: string | null | undefined, issuer: string): string | null {
  const text = description ?? "";
  if (readMarks(text).managed) return text;
  const before = `${text === "" || /\s$/.test(text) ? text : `${text} `}${MANAGED_BY} ${ISSUER_KEY}`;
  const room = MAX_DESCRIPTION_BYTES - Buffer.byteLength(before);
  if (Buffer.byteLength(issuer) <= room) return `${before}${issuer}`;
  const end = hashEnd(issuer);
  if (room < end.length) return null;
  // Issuers are ASCII, so characters are bytes.
  return `${before}${issuer.slice(0, room - end.length)}${end}`;
}

function hashEnd(issuer: string): string {
  return `@${createHash("sha256").update(issuer).digest("hex").slice(0, 16)}`;
}
