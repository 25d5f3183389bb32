import type { Manifest, ServiceAccount } from "../../cloud.ts";
import { renderProjectedPod, renderServiceAccount, renderWebhookPod } from "../../../cluster/manifests.ts";

/** Where the pod-identity webhook puts the token: pods look the same with and without it. */
export const TOKEN_FOLDER = "/var/run/secrets/eks.amazonaws.com/serviceaccount";
const TOKEN_FILE = "token";
/** Seconds. The kubelet renews at 80 % of it, and SDKs read the file anew for each exchange. */
const TOKEN_SECONDS = 3600;

export interface ManifestInput {
  readonly serviceAccounts: readonly ServiceAccount[];
  readonly roleArn: string;
  readonly audience: string;
  readonly region: string | null;
}

/** What SDKs read (AWS SDKs and Tools Reference Guide, "Assume role with web identity"). */
export function toEnv({ roleArn, region }: ManifestInput): Readonly<Record<string, string>> {
  return {
    AWS_ROLE_ARN: roleArn,
    AWS_WEB_IDENTITY_TOKEN_FILE: `${TOKEN_FOLDER}/${TOKEN_FILE}`,
    ...(region === null ? {} : { AWS_REGION: region }),
  };
}

/** What a webhook reads from the ServiceAccount, under the names of Amazon's own (amazon-eks-pod-identity-webhook). */
export function toAnnotations({ roleArn, audience }: ManifestInput): Readonly<Record<string, string>> {
  return { "eks.amazonaws.com/role-arn": roleArn, "eks.amazonaws.com/audience": audience };
}

/** Per service account: the ServiceAccount, a pod where a webhook injects the token, and one that does without. */
export function toManifests(input: ManifestInput): readonly Manifest[] {
  return input.serviceAccounts.flatMap((serviceAccount) => [
    renderServiceAccount({ ...serviceAccount, annotations: toAnnotations(input) }),
    renderWebhookPod({ serviceAccount }),
    renderProjectedPod({
      serviceAccount,
      audience: input.audience,
      expirationSeconds: TOKEN_SECONDS,
      mountPath: TOKEN_FOLDER,
      fileName: TOKEN_FILE,
      env: toEnv(input),
      volumeName: "aws-iam-token",
    }),
  ]);
}
