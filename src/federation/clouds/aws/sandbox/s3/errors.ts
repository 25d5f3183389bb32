import { AwsError } from "../errors.ts";

/** Refusals of S3 (docs.aws.amazon.com S3 API, `ErrorResponses`). */
export function accessDenied(message = "Access Denied"): AwsError {
  return new AwsError("AccessDenied", 403, message);
}

export function noSuchBucket(name: string): AwsError {
  return new AwsError("NoSuchBucket", 404, "The specified bucket does not exist", { members: { BucketName: name } });
}

export function noSuchKey(key: string): AwsError {
  return new AwsError("NoSuchKey", 404, "The specified key does not exist.", { members: { Key: key } });
}

export function preconditionFailed(condition: string): AwsError {
  const message = "At least one of the pre-conditions you specified did not hold";
  return new AwsError("PreconditionFailed", 412, message, { members: { Condition: condition } });
}

export function invalidRequest(message: string): AwsError {
  return new AwsError("InvalidRequest", 400, message);
}

export function invalidArgument(message: string, name: string, value: string): AwsError {
  return new AwsError("InvalidArgument", 400, message, { members: { ArgumentName: name, ArgumentValue: value } });
}

export function malformedXml(): AwsError {
  return new AwsError("MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema");
}

export function malformedPolicy(message: string): AwsError {
  return new AwsError("MalformedPolicy", 400, message);
}

/** Also for what the stand-in leaves out of S3, so that nothing is accepted and ignored. */
export function notImplemented(header: string): AwsError {
  return new AwsError("NotImplemented", 501, "A header you provided implies functionality that is not implemented", { members: { Header: header } });
}

export function aclsOff(): AwsError {
  return new AwsError("AccessControlListNotSupported", 400, "The bucket does not allow ACLs");
}
