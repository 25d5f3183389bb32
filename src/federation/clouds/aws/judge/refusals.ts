import type { Refusal } from "../../judge/rule.ts";

/**
 * AWS's words, as recorded against the real service in September 2026 or as AWS documents them
 * (STS API reference, AssumeRoleWithWebIdentity; repost.aws/knowledge-center/iam-sts-invalididentitytoken).
 */
export const WORDS = {
  noProvider: "No OpenIDConnect provider found in your account for",
  wrongAudience: "Incorrect token audience",
  manyAudiences: "Token audience contains more than one audience while authorized party is not present",
  noKey: "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  thumbprint: "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint",
  notValidated: "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.",
  timestamp: "Invalid timestamp in token claims.",
  notJwt: "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
  notAuthorized: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
  roleArn: "Request ARN is invalid",
  roleDuration: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
  unreachable: "The identity provider could not be reached.",
} as const;

export const invalidToken = (message: string): Refusal => ({ code: "InvalidIdentityToken", message, httpStatus: 400 });
export const expiredToken = (message: string): Refusal => ({ code: "ExpiredTokenException", message, httpStatus: 400 });
export const validationError = (message: string): Refusal => ({ code: "ValidationError", message, httpStatus: 400 });
export const malformedPolicy = (message: string): Refusal => ({ code: "MalformedPolicyDocument", message, httpStatus: 400 });
export const providerUnreachable = (): Refusal => ({ code: "IDPCommunicationError", message: WORDS.unreachable, httpStatus: 400 });
export const accessDenied = (): Refusal => ({ code: "AccessDenied", message: WORDS.notAuthorized, httpStatus: 403 });
/** What STS answered, with status 500, to a token whose `sub` is null. */
export const internalFailure = (): Refusal => ({ code: "InternalFailure", message: "Unknown error validating third-party token", httpStatus: 500 });

/** The form in which AWS's query services report a parameter outside of its bounds. */
export function constraintError(member: string, value: string | null, constraint: string): Refusal {
  const shown = value === null ? "Value" : `Value '${value}'`;
  return validationError(`1 validation error detected: ${shown} at '${member}' failed to satisfy constraint: Member must ${constraint}`);
}
