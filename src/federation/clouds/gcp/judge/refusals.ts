import type { Refusal } from "../../judge/rule.ts";

/**
 * Google's words. Documented: `iam/docs/troubleshooting-workload-identity-federation` and the same page for workforce
 * pools; the others as people recorded them against the real service, last in September 2026.
 */
export const WORDS = {
  target: 'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
  targetName: 'Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.',
  notJwt: "Unable to parse the ID Token.",
  issuer: "Error connecting to the given credential's issuer.",
  discoveryIssuer: "`issuer` claim in OIDC discovery document does not match the issuer specified in the request.",
  signature: "Unable to verify the ID Token signature.",
  condition: "The given credential is rejected by the attribute condition.",
  noSubject: "Could not obtain a value for google.subject from the given credential.",
  subjectSize: "The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.",
  attributesSize: "The size of the entire mapped attributes exceeds the 8 KB limit.",
  impersonation: "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
  permission: "The caller does not have permission",
} as const;

/** The error codes of the token service (RFC 6749 and 8693), all with status 400. */
export const invalidGrant = (message: string): Refusal => ({ code: "invalid_grant", message, httpStatus: 400 });
export const invalidTarget = (): Refusal => ({ code: "invalid_target", message: WORDS.target, httpStatus: 400 });
export const invalidRequest = (message: string): Refusal => ({ code: "invalid_request", message, httpStatus: 400 });
export const unauthorizedClient = (message: string): Refusal => ({ code: "unauthorized_client", message, httpStatus: 400 });
/** `error.status` of the other APIs. */
export const permissionDenied = (message: string): Refusal => ({ code: "PERMISSION_DENIED", message, httpStatus: 403 });
export const invalidPolicy = (message: string): Refusal => ({ code: "INVALID_ARGUMENT", message, httpStatus: 400 });

/** What Google says of a token whose times it does not like, whichever of them it is. */
export function stale(issuedAt: string | null): Refusal {
  return invalidGrant(`ID Token issued at ${issuedAt} is stale to sign-in.`);
}
