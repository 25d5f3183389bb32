import type { Caller } from "../../cloud.ts";
import { stsAudience } from "../names.ts";

/** Google's cloud for everybody; others have services of their own under another domain. */
export const DEFAULT_UNIVERSE = "googleapis.com";

/** Who asks, with the universe that the environment names; the usual one when it names none. */
export interface GcpCaller extends Caller {
  readonly universe?: string;
}

/** The universe of whoever `identify` found. */
export function universeOf(caller: GcpCaller): string {
  return caller.universe ?? DEFAULT_UNIVERSE;
}

export interface CredentialInput {
  /** With the project's number. */
  readonly provider: string;
  /** Where the token lies in the container. */
  readonly tokenFile: string;
  /** The service account to become; null for direct access. */
  readonly impersonate: string | null;
  readonly universe: string;
}

/** An `external_account` document: no secret is in it. */
export type CredentialConfig = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/**
 * The credential file that Google's libraries read, with the members and in the order of what
 * `gcloud iam workload-identity-pools create-cred-config` writes for the same input (AIP-4117). In every universe the
 * audience keeps iam.googleapis.com.
 */
export function toCredentialConfig({ provider, tokenFile, impersonate, universe }: CredentialInput): CredentialConfig {
  const sts = `https://sts.${universe}/v1`;
  return {
    universe_domain: universe,
    type: "external_account",
    audience: stsAudience(provider),
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    token_url: `${sts}/token`,
    credential_source: { file: tokenFile },
    ...(impersonate === null
      ? { token_info_url: `${sts}/introspect` }
      : { service_account_impersonation_url: `https://iamcredentials.${universe}/v1/projects/-/serviceAccounts/${impersonate}:generateAccessToken` }),
  };
}

/** The file's bytes, as gcloud writes them: no line break at the end. */
export function renderCredentialConfig(config: CredentialConfig): string {
  return JSON.stringify(config, null, 2);
}
