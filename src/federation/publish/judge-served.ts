import { KubeassumeError, type Problem, warning } from "../errors/error.ts";
import { parseDiscovery } from "../oidc/discovery.ts";
import { jwksUrl } from "../oidc/issuer.ts";
import { parseJwks } from "../oidc/jwks.ts";
import { materialOf, type PublishedJwk } from "../oidc/publish.ts";
import type { Document } from "../oidc/read-issuer.ts";
import { codes as publishCodes } from "./codes.ts";
import { MAX_AGE_SECONDS } from "./documents.ts";
import { algorithmsOf } from "./keys.ts";

/** What a stranger must see. */
export interface ExpectedServing {
  readonly issuer: string;
  /** Every key that was published. Another writer may have added more since. */
  readonly keys: readonly PublishedJwk[];
  /** Key ids that must be gone. */
  readonly removed: ReadonlySet<string>;
}

/** What is wrong with a discovery document as it is served, in the words of a relying party; null when nothing is. */
export function judgeServedDiscovery(served: Document, expected: ExpectedServing): string | null {
  try {
    const discovery = parseDiscovery(JSON.stringify(served.json), expected.issuer);
    const wanted = jwksUrl(expected.issuer);
    if (discovery.jwksUri !== wanted) return `${served.url} names jwks_uri ${JSON.stringify(discovery.jwksUri.slice(0, 300))} instead of ${JSON.stringify(wanted)}: relying parties would read other keys`;
    const absent = algorithmsOf(expected.keys).filter((algorithm) => !discovery.algorithms.includes(algorithm));
    return absent.length === 0 ? null : `${served.url} does not list ${absent.join(", ")}: it is an older copy`;
  } catch (cause) {
    if (!(cause instanceof KubeassumeError)) throw cause;
    return `${served.url}: ${cause.message}: relying parties would refuse every token`;
  }
}

/** What is wrong with a key set as it is served; null when nothing is. */
export function judgeServedKeys(served: Document, expected: ExpectedServing): string | null {
  let keys: ReadonlyMap<string, string>;
  try {
    keys = new Map(parseJwks(served.json).keys.map((key) => [key.kid ?? "", materialOf(key)]));
  } catch (cause) {
    if (!(cause instanceof KubeassumeError)) throw cause;
    return `${served.url}: ${cause.message}: relying parties would refuse every token`;
  }
  const absent = expected.keys.filter((key) => keys.get(key.kid) !== materialOf(key)).map((key) => key.kid);
  if (absent.length > 0) return `${served.url} does not serve ${nameKeys(absent)}: tokens that they sign would be refused`;
  const remaining = [...expected.removed].filter((kid) => keys.has(kid));
  return remaining.length === 0 ? null : `${served.url} still serves ${nameKeys(remaining)}: it is an older copy`;
}

/** Headers that work today and hurt later. */
export function judgeServedHeaders(served: Document): readonly Problem[] {
  const { contentType, cacheControl } = served.headers;
  const found: Problem[] = [];
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && !type.endsWith("+json")) {
    const message = `${served.url} is served as ${JSON.stringify(contentType.slice(0, 100))}`;
    found.push(warning(publishCodes.SERVED_CONTENT_TYPE, { message, details: { url: served.url, contentType } }));
  }
  const seconds = maxAgeOf(cacheControl);
  if (seconds === null || seconds > MAX_AGE_SECONDS) {
    const message = seconds === null ? `${served.url} is served without a max-age` : `${served.url} is served with a max-age of ${seconds} s, more than ${MAX_AGE_SECONDS}`;
    found.push(warning(publishCodes.SERVED_MAX_AGE, { message, details: { url: served.url, cacheControl } }));
  }
  return found;
}

/** Seconds for which a cache may keep the answer (RFC 9111 section 5.2); null when it is not said. */
function maxAgeOf(cacheControl: string): number | null {
  const directives = cacheControl.toLowerCase().split(",").map((part) => part.trim());
  if (directives.some((part) => part === "no-store" || part === "no-cache")) return 0;
  const shared = directives.find((part) => part.startsWith("s-maxage=")) ?? directives.find((part) => part.startsWith("max-age="));
  const seconds = Number(shared?.split("=")[1]?.replaceAll('"', ""));
  return shared === undefined || !Number.isFinite(seconds) ? null : seconds;
}

function nameKeys(kids: readonly string[]): string {
  const shown = kids.slice(0, 5).map((kid) => JSON.stringify(kid.slice(0, 200)));
  const more = kids.length > shown.length ? ` and ${kids.length - shown.length} more` : "";
  return `${kids.length === 1 ? "key" : "keys"} ${shown.join(", ")}${more}`;
}
