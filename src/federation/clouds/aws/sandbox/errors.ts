/** An answer that refuses, in AWS's own code, status and words. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** More members of the error document, such as S3's BucketName. */
  readonly members: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, status: number, message: string, more: AwsErrorDetails = {}) {
    super(message);
    this.name = "AwsError";
    this.code = code;
    this.status = status;
    this.members = more.members ?? {};
    this.headers = more.headers ?? {};
  }
}

export interface AwsErrorDetails {
  readonly members?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function validationError(message: string): AwsError {
  return new AwsError("ValidationError", 400, message);
}

export function invalidInput(message: string): AwsError {
  return new AwsError("InvalidInput", 400, message);
}

export function noSuchEntity(message: string): AwsError {
  return new AwsError("NoSuchEntity", 404, message);
}

export function alreadyExists(message: string): AwsError {
  return new AwsError("EntityAlreadyExists", 409, message);
}

export function limitExceeded(message: string): AwsError {
  return new AwsError("LimitExceeded", 409, message);
}

export function malformedPolicy(message: string): AwsError {
  return new AwsError("MalformedPolicyDocument", 400, message);
}

/** How AWS words a missing permission since 2021: who, what, on what, and which kind of policy decided. */
export function accessDenied(arn: string, action: string, resource: string, reason: string): AwsError {
  return new AwsError("AccessDenied", 403, `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${reason}`);
}
