import type { IAMClient } from "@aws-sdk/client-iam";
import type { STSClient } from "@aws-sdk/client-sts";
import { awsCodeOf, toAwsError } from "./errors.ts";

/** The SDK's clients. Commands are imported where they are sent, so that the bundle leaves the others out. */
export interface Sdk {
  readonly iamClient: IAMClient;
  readonly stsClient: STSClient;
}

/** Makes one call and turns its failure into a KubeassumeError that names action and resource. */
export async function call<T>(action: string, resource: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    throw toAwsError(error, { action, resource });
  }
}

/** The same for something that may not exist: null when AWS answers that it does not. */
export async function callIfExists<T>(action: string, resource: string, send: () => Promise<T>): Promise<T | null> {
  try {
    return await send();
  } catch (error) {
    if (awsCodeOf(error) === "NoSuchEntity") return null;
    throw toAwsError(error, { action, resource });
  }
}

/** The same for a creation: null when it exists already, which a lost answer may have caused. */
export async function callUnlessExists<T>(action: string, resource: string, send: () => Promise<T>): Promise<T | null> {
  try {
    return await send();
  } catch (error) {
    if (awsCodeOf(error) === "EntityAlreadyExists") return null;
    throw toAwsError(error, { action, resource });
  }
}
