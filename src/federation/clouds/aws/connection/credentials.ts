import type { CloudWorld } from "../../cloud.ts";
import { textOf } from "../../input.ts";
import type { createRequestHandler } from "./transport.ts";

/** How the chain's own calls (STS, SSO) are made. */
type ChainClient = {
  readonly requestHandler: ReturnType<typeof createRequestHandler>;
  readonly maxAttempts: number;
  readonly region?: string;
};

type Env = CloudWorld["env"];

/**
 * Credentials as AWS's tools look for them (AWS SDKs and Tools Reference Guide, "Standardized credential providers"):
 * keys in the environment, the profile (keys, roles, SSO, login, process), a web identity token, the container's and
 * the instance's own. The SDK's ready-made chain reads the process itself; this one reads only the environment that was
 * handed in, so that a sandbox can never meet the operator's real keys.
 */
export async function chooseCredentials(env: Env, clientConfig: ChainClient) {
  const keys = keysOf(env);
  const profile = textOf(env["AWS_PROFILE"]) ?? textOf(env["AWS_DEFAULT_PROFILE"]);
  // A profile that was named wins over keys, as in the SDK.
  if (keys !== null && profile === null) return keys;
  const { createCredentialChain, fromHttp, fromIni, fromInstanceMetadata, fromTokenFile } = await import("./credential-chain.ts");
  const files = defined({ profile: profile ?? "default", filepath: textOf(env["AWS_SHARED_CREDENTIALS_FILE"]), configFilepath: textOf(env["AWS_CONFIG_FILE"]) });
  return createCredentialChain(
    fromIni({ ...files, clientConfig, parentClientConfig: clientConfig }),
    ...(textOf(env["AWS_WEB_IDENTITY_TOKEN_FILE"]) === null ? [] : [fromTokenFile({ ...tokenFileOf(env), clientConfig })]),
    ...(hasContainer(env) ? [fromHttp(containerOf(env))] : []),
    ...(isUnset(env["AWS_EC2_METADATA_DISABLED"]) && !hasContainer(env) ? [fromInstanceMetadata()] : []),
  );
}

function keysOf(env: Env) {
  const accessKeyId = textOf(env["AWS_ACCESS_KEY_ID"]);
  const secretAccessKey = textOf(env["AWS_SECRET_ACCESS_KEY"]);
  if (accessKeyId === null || secretAccessKey === null) return null;
  return { accessKeyId, secretAccessKey, ...defined({ sessionToken: textOf(env["AWS_SESSION_TOKEN"]) }) };
}

function tokenFileOf(env: Env) {
  return defined({ webIdentityTokenFile: textOf(env["AWS_WEB_IDENTITY_TOKEN_FILE"]), roleArn: textOf(env["AWS_ROLE_ARN"]), roleSessionName: textOf(env["AWS_ROLE_SESSION_NAME"]) });
}

function hasContainer(env: Env): boolean {
  return textOf(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]) !== null || textOf(env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]) !== null;
}

function containerOf(env: Env) {
  return defined({
    awsContainerCredentialsFullUri: textOf(env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]),
    awsContainerCredentialsRelativeUri: textOf(env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]),
    awsContainerAuthorizationToken: textOf(env["AWS_CONTAINER_AUTHORIZATION_TOKEN"]),
    awsContainerAuthorizationTokenFile: textOf(env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]),
  });
}

function isUnset(value: string | undefined): boolean {
  return value === undefined || value === "" || value.toLowerCase() === "false";
}

/** Without the members that are null. */
function defined<T extends Readonly<Record<string, string | null>>>(members: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null)) as { [K in keyof T]?: string };
}
