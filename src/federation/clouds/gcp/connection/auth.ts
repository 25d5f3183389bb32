import { Agent } from "node:https";
import { AwsClient, ExternalAccountAuthorizedUserClient, IdentityPoolClient, Impersonated, JWT, UserRefreshClient } from "google-auth-library";
import type { AwsClientOptions, ExternalAccountAuthorizedUserClientOptions, IdentityPoolClientOptions } from "google-auth-library";
import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { isJsonObject, type JsonObject, parseJsonObject } from "../../../oidc/json.ts";
import { textOf } from "../../input.ts";
import { gcpErrorCodes } from "../codes.ts";
import { createAuthFetch } from "./auth-fetch.ts";
import { createAwsSupplier } from "./aws-source.ts";
import type { TokenSource } from "./credentials.ts";
import type { Asked } from "./errors.ts";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

type ClientOptions = ReturnType<typeof clientOptions>;
type Client = UserRefreshClient | JWT | IdentityPoolClient | AwsClient | Impersonated | ExternalAccountAuthorizedUserClient;

/**
 * Tokens from a credential file, made by Google's own library, whose requests go through kubeassume's HTTP. Types:
 * authorized_user, service_account (a self-signed JWT: AIP-4111), external_account (file, URL, AWS),
 * external_account_authorized_user, impersonated_service_account. Throws GCP_CREDENTIALS_INVALID for a file that is none
 * of them; `headers` throws GCP_CREDENTIALS_EXPIRED, GCP_CREDENTIALS_INVALID, GCP_UNREACHABLE, GCP_THROTTLED, GCP_UNAVAILABLE.
 */
export function createTokenSource(world: CloudWorld, json: JsonObject, from: string): TokenSource {
  const client = constructed(from, () => createClient(world, json, from));
  const quotaProject = textOf(json["quota_project_id"]);
  if (quotaProject !== null) client.quotaProjectId = quotaProject;
  return {
    headers: async (asked) => Object.fromEntries(await requestHeaders(client, asked, from)),
    name: async () => nameOf(client, json),
  };
}

function createClient(world: CloudWorld, json: JsonObject, from: string): Client {
  const options = clientOptions(world);
  switch (json["type"]) {
    case "authorized_user":
      return createUserClient(world, json, options);
    case "service_account":
      return createServiceAccountClient(json, options);
    case "external_account":
      return createExternalClient(world, json, options, from);
    case "external_account_authorized_user":
      return viaKubeassume(new ExternalAccountAuthorizedUserClient({ ...(json as unknown as ExternalAccountAuthorizedUserClientOptions), ...options }));
    case "impersonated_service_account":
      return createImpersonated(world, json, options, from);
    default:
      throw invalid(from, `is of type ${JSON.stringify(json["type"] ?? null).slice(0, 100)}, which kubeassume cannot use`, "use credentials of gcloud auth application-default login, a service account, or an external account");
  }
}

/** The library's own HTTP, proxies and repetitions stay out: they would read the process's environment. */
function clientOptions(world: CloudWorld) {
  return {
    transporterOptions: { fetchImplementation: createAuthFetch(world), agent: new Agent(), retryConfig: { shouldRetry: () => false } },
    useAuthRequestParameters: false,
  };
}

function createUserClient(world: CloudWorld, json: JsonObject, options: ClientOptions): UserRefreshClient {
  const oauth2TokenUrl = textOf(world.env["CLOUDSDK_AUTH_TOKEN_HOST"]) ?? textOf(json["token_uri"]);
  const client = new UserRefreshClient({ ...options, ...(oauth2TokenUrl === null ? {} : { endpoints: { oauth2TokenUrl } }) });
  client.fromJSON(json);
  return client;
}

function createServiceAccountClient(json: JsonObject, options: ClientOptions): JWT {
  const client = new JWT({ ...options, scopes: [SCOPE] });
  client.fromJSON(json);
  client.useJWTAccessWithScope = true;
  return client;
}

function createExternalClient(world: CloudWorld, json: JsonObject, options: ClientOptions, from: string): IdentityPoolClient | AwsClient {
  const source = json["credential_source"];
  if (!isJsonObject(source)) throw invalid(from, "has no credential_source");
  const unusable = ["executable", "certificate"].find((kind) => source[kind] !== undefined);
  if (unusable !== undefined) {
    throw invalid(from, `has a credential_source of kind ${unusable}, which kubeassume does not run`, "write a token with gcloud auth print-access-token into a file and name it in CLOUDSDK_AUTH_ACCESS_TOKEN_FILE");
  }
  if (typeof source["environment_id"] === "string") {
    // The library takes either the source or somebody who knows it.
    const { credential_source: _source, ...rest } = json;
    const aws_security_credentials_supplier = createAwsSupplier(world, source);
    return viaKubeassume(new AwsClient({ ...rest, ...options, aws_security_credentials_supplier } as unknown as AwsClientOptions));
  }
  return viaKubeassume(new IdentityPoolClient({ ...json, ...options } as unknown as IdentityPoolClientOptions));
}

/** The source may be of any type; the token is asked for where the file says. */
function createImpersonated(world: CloudWorld, json: JsonObject, options: ClientOptions, from: string): Impersonated {
  const source = json["source_credentials"];
  const url = textOf(json["service_account_impersonation_url"]) ?? "";
  const targetPrincipal = /\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(url)?.[1];
  if (!isJsonObject(source)) throw invalid(from, "has no source_credentials");
  if (targetPrincipal === undefined || !URL.canParse(url)) throw invalid(from, "has no service_account_impersonation_url that ends with serviceAccounts/EMAIL:generateAccessToken");
  const delegates = Array.isArray(json["delegates"]) ? json["delegates"].filter((delegate) => typeof delegate === "string") : [];
  const sourceClient = createClient(world, source, from);
  return new Impersonated({ ...options, sourceClient, targetPrincipal: decodeURIComponent(targetPrincipal), targetScopes: [SCOPE], delegates, endpoint: new URL(url).origin });
}

/** The library gives the part of a client that exchanges tokens a transport of its own. */
function viaKubeassume<T extends IdentityPoolClient | AwsClient | ExternalAccountAuthorizedUserClient>(client: T): T {
  if ("stsCredential" in client) client["stsCredential"]["transporter"] = client.transporter;
  return client;
}

async function requestHeaders(client: Client, { action, resource }: Asked, from: string): Promise<Headers> {
  try {
    return await client.getRequestHeaders();
  } catch (error) {
    const known = causeOf(error);
    if (known !== null) throw known;
    throw new KubeassumeError(gcpErrorCodes.GCP_CREDENTIALS_INVALID, { message: `the credentials of ${from} give no token for ${action} of ${resource}: ${wordsOf(error)}`, cause: error });
  }
}

/** Our own error below the library's wrappings. */
function causeOf(error: unknown): KubeassumeError | null {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 6; cause = cause.cause, depth += 1) {
    if (cause instanceof KubeassumeError) return cause;
  }
  return null;
}

/** System errors and the library's complaints about a file; neither repeats what is secret in it. */
function wordsOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && /^E[A-Z]+$/.test(code)) return `a file that they name cannot be read (${code})`;
  return "Google's library cannot use them";
}

function constructed(from: string, create: () => Client): Client {
  try {
    return create();
  } catch (cause) {
    if (cause instanceof KubeassumeError) throw cause;
    throw new KubeassumeError(gcpErrorCodes.GCP_CREDENTIALS_INVALID, { message: `the credentials of ${from} are incomplete: a member that their type needs is missing or wrong`, cause });
  }
}

function nameOf(client: Client, json: JsonObject): string {
  if (client instanceof Impersonated) return client.getTargetPrincipal();
  if (client instanceof JWT) return client.email ?? "a service account";
  if (client instanceof UserRefreshClient) return emailOf(client.credentials.id_token) ?? textOf(json["account"]) ?? "the user of the application default credentials";
  if (client instanceof ExternalAccountAuthorizedUserClient) return `a user of ${textOf(json["audience"]) ?? "a workforce pool"}`;
  return client.getServiceAccountEmail() ?? `an external account of ${textOf(json["audience"]) ?? "a pool"}`;
}

/** Straight from Google's token endpoint over TLS: nobody else could have signed it. */
function emailOf(idToken: string | null | undefined): string | null {
  const payload = (idToken ?? "").split(".")[1] ?? "";
  return textOf(parseJsonObject(Buffer.from(payload, "base64url").toString("utf8"))?.["email"]);
}

function invalid(from: string, words: string, hint?: string): KubeassumeError {
  return new KubeassumeError(gcpErrorCodes.GCP_CREDENTIALS_INVALID, { message: `the credential file of ${from} ${words}`, ...(hint === undefined ? {} : { hint }) });
}
