import { dateOf, keysOf, parseAuthorization, signatureMatches } from "./signature.ts";
import type { Keys, SignedHeader } from "./signature.ts";
import type { AwsState, Principal } from "./state.ts";
import type { WireRequest } from "./wire.ts";

/** Minutes by which a client's clock may differ. */
const SKEW_MINUTES = 15;

/** Why a request is nobody's. Each service has its own code and words for these. */
export type AuthenticationProblem = "missing" | "malformed" | "unknown-key" | "bad-token" | "expired" | "skewed" | "mismatch" | "wrong-service";

export type Authentication =
  | { readonly ok: true; readonly principal: Principal; readonly region: string; readonly signed: SignedHeader; readonly keys: Keys }
  | { readonly ok: false; readonly problem: AuthenticationProblem; readonly accessKeyId: string; readonly date: string };

/** Whose request this is, by its signature in the Authorization header. */
export function authenticate(request: WireRequest, service: string, payloadHash: string, state: AwsState, now: Date): Authentication {
  const signed = parseAuthorization(request.headers);
  const refuse = (problem: AuthenticationProblem): Authentication => {
    const known = signed === null || signed === "malformed" ? null : signed;
    return { ok: false, problem, accessKeyId: known?.accessKeyId ?? "", date: known?.date ?? "" };
  };
  if (signed === null) return refuse("missing");
  if (signed === "malformed") return refuse("malformed");
  const credential = state.credentials.get(signed.accessKeyId);
  if (credential === undefined) return refuse("unknown-key");
  if ((request.headers["x-amz-security-token"] ?? null) !== credential.sessionToken) return refuse("bad-token");
  if (signed.service !== service) return refuse("wrong-service");
  if (Math.abs(dateOf(signed.date).getTime() - now.getTime()) > SKEW_MINUTES * 60_000) return refuse("skewed");
  const keys = keysOf(signed, credential.secretAccessKey);
  if (!signatureMatches(request, signed, keys, payloadHash)) return refuse("mismatch");
  if (credential.expires !== null && credential.expires <= now) return refuse("expired");
  return { ok: true, principal: credential.principal, region: signed.region, signed, keys };
}
