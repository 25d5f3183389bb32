import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";

export interface AwsPlace {
  readonly endpoint: string;
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface AwsClients {
  readonly iam: IAMClient;
  readonly s3: S3Client;
  readonly sts: STSClient;
}

/** AWS's own SDK clients for a stand-in: one attempt each, so that a test sees the first answer. */
export function toAwsClients(place: AwsPlace): AwsClients {
  const settings = {
    endpoint: place.endpoint,
    region: place.region ?? "eu-west-1",
    credentials: place.credentials ?? { accessKeyId: "testing", secretAccessKey: "testing" },
    maxAttempts: 1,
  };
  return { iam: new IAMClient(settings), s3: new S3Client({ ...settings, forcePathStyle: true }), sts: new STSClient(settings) };
}

export interface AwsRefusal {
  readonly code: string;
  readonly status: number | undefined;
}

/** The error code and HTTP status with which a call is refused; throws when the call succeeds. */
export async function refusalOf(calling: Promise<unknown>): Promise<AwsRefusal> {
  try {
    await calling;
  } catch (error) {
    if (!(error instanceof Error && "$metadata" in error)) throw error;
    const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
    return { code: error.name, status: httpStatusCode };
  }
  throw new Error("the call was not refused");
}
