import { type CodeDefinition, KubeassumeError } from "../../../errors/error.ts";
import { awsErrorCodes as codes } from "../codes.ts";
import { TransportError } from "./transport.ts";

/** What was asked, for messages: `iam:GetRole` of an ARN. */
export interface Asked {
  readonly action: string;
  readonly resource: string;
}

/** What can be known of an error of the SDK without trusting its text. */
interface ErrorFacts {
  readonly code: string;
  readonly status: number | null;
  readonly requestId: string | null;
  readonly words: string;
}

const BY_CODE: Readonly<Record<string, CodeDefinition>> = {
  CredentialsProviderError: codes.AWS_CREDENTIALS_MISSING,
  ProviderError: codes.AWS_CREDENTIALS_MISSING,
  TokenProviderError: codes.AWS_CREDENTIALS_MISSING,
  ExpiredToken: codes.AWS_CREDENTIALS_EXPIRED,
  RequestExpired: codes.AWS_CREDENTIALS_EXPIRED,
  TokenRefreshRequired: codes.AWS_CREDENTIALS_EXPIRED,
  InvalidClientTokenId: codes.AWS_CREDENTIALS_INVALID,
  InvalidAccessKeyId: codes.AWS_CREDENTIALS_INVALID,
  InvalidToken: codes.AWS_CREDENTIALS_INVALID,
  UnrecognizedClient: codes.AWS_CREDENTIALS_INVALID,
  SignatureDoesNotMatch: codes.AWS_CREDENTIALS_INVALID,
  InvalidSignature: codes.AWS_CREDENTIALS_INVALID,
  IncompleteSignature: codes.AWS_CREDENTIALS_INVALID,
  MissingAuthenticationToken: codes.AWS_CREDENTIALS_INVALID,
  AuthFailure: codes.AWS_CREDENTIALS_INVALID,
  RequestTimeTooSkewed: codes.AWS_CREDENTIALS_INVALID,
  AccessDenied: codes.AWS_ACCESS_DENIED,
  UnauthorizedOperation: codes.AWS_ACCESS_DENIED,
  Throttling: codes.AWS_THROTTLED,
  Throttled: codes.AWS_THROTTLED,
  TooManyRequests: codes.AWS_THROTTLED,
  RequestLimitExceeded: codes.AWS_THROTTLED,
  RequestThrottled: codes.AWS_THROTTLED,
  SlowDown: codes.AWS_THROTTLED,
  LimitExceeded: codes.AWS_LIMIT_EXCEEDED,
  MalformedPolicyDocument: codes.AWS_MALFORMED_POLICY,
  EntityAlreadyExists: codes.AWS_CONFLICT,
  ConcurrentModification: codes.AWS_CONFLICT,
  DeleteConflict: codes.AWS_CONFLICT,
  EntityTemporarilyUnmodifiable: codes.AWS_CONFLICT,
  UnmodifiableEntity: codes.AWS_CONFLICT,
  OperationAborted: codes.AWS_CONFLICT,
  NoSuchEntity: codes.AWS_NOT_FOUND,
  OpenIdIdpCommunicationError: codes.AWS_ISSUER_NOT_READ,
  ServiceFailure: codes.AWS_UNAVAILABLE,
};

/** Codes whose words may repeat the signed request, session token included. */
const SILENT: ReadonlySet<CodeDefinition> = new Set([codes.AWS_CREDENTIALS_MISSING, codes.AWS_CREDENTIALS_EXPIRED, codes.AWS_CREDENTIALS_INVALID]);

/** AWS's own code of an error, without the `Exception` that the SDK appends; empty for an error that is not AWS's. */
export function awsCodeOf(error: unknown): string {
  return factsOf(error)?.code ?? "";
}

/**
 * Any failure of a call as a KubeassumeError, by AWS's code or the status, never by its text. What is no failure of the
 * call is returned as it is: a defect.
 */
export function toAwsError(error: unknown, asked: Asked): unknown {
  if (error instanceof KubeassumeError) return error;
  const what = `${asked.action} of ${asked.resource}`;
  if (error instanceof TransportError) {
    const details = { ...asked, reason: error.failure.reason };
    return new KubeassumeError(codes.AWS_UNREACHABLE, { message: `${what} has no answer: ${error.message}`, details, cause: error });
  }
  const facts = factsOf(error);
  if (facts === null) return error;
  const definition = definitionOf(facts);
  const details = { ...asked, awsCode: facts.code, ...(facts.status === null ? {} : { status: facts.status }), ...(facts.requestId === null ? {} : { requestId: facts.requestId }) };
  return new KubeassumeError(definition, { message: wordsFor(definition, facts, what), details });
}

function definitionOf({ code, status }: ErrorFacts): CodeDefinition {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  if (status === 429) return codes.AWS_THROTTLED;
  if (status === 403 || status === 401) return codes.AWS_ACCESS_DENIED;
  if (status !== null && status >= 500) return codes.AWS_UNAVAILABLE;
  return status === 200 ? codes.AWS_UNREACHABLE : codes.AWS_REFUSED;
}

function wordsFor(definition: CodeDefinition, { code, status, words }: ErrorFacts, what: string): string {
  if (definition === codes.AWS_CREDENTIALS_MISSING) return `no AWS credentials were found for ${what}`;
  if (definition === codes.AWS_UNREACHABLE) return `${what} has an answer that cannot be read`;
  const verdict = definition === codes.AWS_ACCESS_DENIED ? "is denied" : definition === codes.AWS_THROTTLED ? "is throttled" : definition === codes.AWS_UNAVAILABLE ? `failed with status ${status}` : "is refused";
  return SILENT.has(definition) || words === "" ? `${what} ${verdict} (${code})` : `${what} ${verdict} (${code}): ${words}`;
}

function factsOf(error: unknown): ErrorFacts | null {
  if (!(error instanceof Error)) return null;
  const { Code, $metadata, $response } = error as Error & { Code?: unknown; $metadata?: { httpStatusCode?: number; requestId?: string }; $response?: unknown };
  const isCredentials = BY_CODE[error.name] === codes.AWS_CREDENTIALS_MISSING;
  // Errors of the service carry $metadata; answers that cannot be parsed at least carry the response.
  if ($metadata === undefined && $response === undefined && !isCredentials) return null;
  const responseStatus = ($response as { statusCode?: number } | undefined)?.statusCode;
  const code = (typeof Code === "string" && Code !== "" ? Code : error.name).replace(/Exception$/, "");
  // What the SDK says of an answer without a body, as those to HEAD are: nothing that AWS said.
  const words = error.message === "UnknownError" ? "" : error.message.replace(/\s+/g, " ").trim().slice(0, 600);
  return { code, status: $metadata?.httpStatusCode ?? responseStatus ?? null, requestId: $metadata?.requestId ?? null, words };
}
