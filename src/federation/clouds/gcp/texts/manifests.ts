import type { Manifest, ServiceAccount } from "../../cloud.ts";
import { renderConfigMap, renderProjectedPod, renderServiceAccount, renderWebhookPod } from "../../../cluster/manifests.ts";
import { type CredentialConfig, renderCredentialConfig } from "./credential-config.ts";

/** Where the webhook that people have puts the token and the credential file: pods look the same with and without it. */
export const TOKEN_FOLDER = "/var/run/secrets/sts.googleapis.com/serviceaccount";
export const CONFIG_FOLDER = "/var/run/secrets/workload-identity";
const TOKEN_FILE = "token";
const CONFIG_FILE = "federation.json";
/** Seconds. The kubelet renews at 80 % of it, and libraries read the file anew for each exchange. */
const TOKEN_SECONDS = 3600;

export const TOKEN_PATH = `${TOKEN_FOLDER}/${TOKEN_FILE}`;

export interface ManifestInput {
  readonly serviceAccounts: readonly ServiceAccount[];
  /** With the project's number. */
  readonly provider: string;
  readonly audience: string;
  readonly impersonate: string | null;
  /** The project that clients work in by default; null when it is not known. */
  readonly project: string | null;
  readonly credentialConfig: CredentialConfig;
}

/**
 * What Google's libraries read, then gcloud: it uses no application default credentials, so it is told of the same file
 * (property auth/credential_file_override). Without GOOGLE_CLOUD_PROJECT libraries look for the project elsewhere: at
 * the metadata server of a machine that is not Google's, or in Resource Manager with a permission that nobody granted.
 */
export function toEnv({ project }: Pick<ManifestInput, "project">): Readonly<Record<string, string>> {
  const file = `${CONFIG_FOLDER}/${CONFIG_FILE}`;
  return {
    GOOGLE_APPLICATION_CREDENTIALS: file,
    ...(project === null ? {} : { GOOGLE_CLOUD_PROJECT: project }),
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: file,
    ...(project === null ? {} : { CLOUDSDK_CORE_PROJECT: project }),
  };
}

/**
 * What a webhook reads from the ServiceAccount, under the names that the existing one has
 * (pfnet-research/gcp-workload-identity-federation-webhook). `direct` needs no image and no gcloud.
 */
export function toAnnotations({ provider, audience, impersonate }: Pick<ManifestInput, "provider" | "audience" | "impersonate">): Readonly<Record<string, string>> {
  return {
    "cloud.google.com/workload-identity-provider": provider,
    ...(impersonate === null ? {} : { "cloud.google.com/service-account-email": impersonate }),
    "cloud.google.com/audience": audience,
    "cloud.google.com/injection-mode": "direct",
  };
}

/** Per service account: the ServiceAccount, the credential file in a ConfigMap, and a pod with and one without a webhook. */
export function toManifests(input: ManifestInput): readonly Manifest[] {
  return input.serviceAccounts.flatMap((serviceAccount) => [
    renderServiceAccount({ ...serviceAccount, annotations: toAnnotations(input) }),
    renderConfigMap({ namespace: serviceAccount.namespace, name: configMapName(serviceAccount), data: { [CONFIG_FILE]: renderCredentialConfig(input.credentialConfig) }, title: "ConfigMap with the credential file (no secret is in it)" }),
    renderWebhookPod({ serviceAccount }),
    renderProjectedPod({
      serviceAccount,
      audience: input.audience,
      expirationSeconds: TOKEN_SECONDS,
      mountPath: TOKEN_FOLDER,
      fileName: TOKEN_FILE,
      env: toEnv(input),
      volumeName: "gcp-iam-token",
      configMap: { name: configMapName(serviceAccount), mountPath: CONFIG_FOLDER, volumeName: "external-credential-config" },
      title: "pod with a projected token and the credential file",
    }),
  ]);
}

/** One per account: two accounts of a namespace may become different identities. Subjects bound the name to 105 characters. */
function configMapName({ name }: ServiceAccount): string {
  return `${name}-gcp-credentials`;
}
