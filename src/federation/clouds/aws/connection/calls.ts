import type { IAMClient } from "@aws-sdk/client-iam";
import type { STSClient } from "@aws-sdk/client-sts";
import { awsCodeOf, toAwsError } from "./errors.ts";

type Iam = typeof import("./sdk-iam.ts");
type Sts = typeof import("./sdk-sts.ts");

/** The loaded SDKs with their clients. */
export interface Sdk {
  readonly iam: Iam;
  readonly sts: Sts;
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
