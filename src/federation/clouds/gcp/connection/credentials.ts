import type { CloudWorld } from "../../cloud.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { textOf } from "../../input.ts";
import { gcpErrorCodes } from "../codes.ts";
import { type CredentialSource, findCredentialSource, readTokenFile } from "./credential-source.ts";
import type { Asked } from "./errors.ts";
import { isOnGoogleCloud, metadataName, metadataToken } from "./metadata-server.ts";

/** The caller's credentials. Nothing is asked before `headers` or `name` is called. */
export interface Credentials {
  /** `authorization`, and `x-goog-user-project` where the requests shall count for another project. Throws GCP_CREDENTIALS_*. */
  headers(asked: Asked): Promise<Readonly<Record<string, string>>>;
  /** The e-mail where the credentials or Google's answer for them tell it, otherwise of what kind they are. */
  name(): Promise<string>;
  /** Whether the environment or gcloud's folder names any, as against the metadata server, which is asked last. */
  readonly isNamed: boolean;
  /** `universe_domain` of the credential file; null when it says none. */
  readonly universe: string | null;
}

/** A way to a token, whatever it is made from. */
export interface TokenSource {
  headers(asked: Asked): Promise<Readonly<Record<string, string>>>;
  /** Called after `headers`. */
  name(): Promise<string>;
}

/**
 * Credentials as Google's tools look for them, from the environment that was handed in and from nothing else, so that a
 * sandbox can never meet the operator's real ones: CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, GOOGLE_APPLICATION_CREDENTIALS,
 * CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE, the application default credentials in gcloud's folder (CLOUDSDK_CONFIG, else
 * HOME or APPDATA), the metadata server. What is wrong with a file is thrown when a token is needed, not before: some
 * calls need none.
 */
export function loadCredentials(world: CloudWorld): Promise<Credentials> {
  const known = loaded.get(world) ?? load(world);
  loaded.set(world, known);
  return known;
}

/** A command's connections to the cloud and to the store share them, and so one request for a token. */
const loaded = new WeakMap<CloudWorld, Promise<Credentials>>();

async function load(world: CloudWorld): Promise<Credentials> {
  const source = await findCredentialSource(world.env);
  let opened: Promise<TokenSource> | undefined;
  const open = () => (opened ??= openSource(world, source));
  let pending: Promise<Readonly<Record<string, string>>> | undefined;
  // One request for a token, however many calls wait for it.
  const headers = (asked: Asked) => (pending ??= open().then((tokens) => tokens.headers(asked)).finally(() => (pending = undefined)));
  const quota = textOf(world.env["GOOGLE_CLOUD_QUOTA_PROJECT"]);
  return {
    headers: async (asked) => ({ ...(await headers(asked)), ...(quota === null ? {} : { "x-goog-user-project": quota }) }),
    name: async () => (await open()).name(),
    isNamed: source.kind !== "none",
    universe: source.kind === "file" ? textOf(source.json["universe_domain"]) : null,
  };
}

async function openSource(world: CloudWorld, source: CredentialSource): Promise<TokenSource> {
  switch (source.kind) {
    case "broken":
      throw source.error;
    case "token-file":
      return { headers: async () => bearer(await readTokenFile(source.file)), name: async () => "the bearer of CLOUDSDK_AUTH_ACCESS_TOKEN_FILE" };
    case "file":
      return openFile(world, source.json, source.from);
    case "none":
      return openMetadata(world);
  }
}

async function openFile(world: CloudWorld, json: JsonObject, from: string): Promise<TokenSource> {
  // A module of its own: loaded only where a file has to be turned into a token.
  const { createTokenSource } = await import("./auth.ts");
  return createTokenSource(world, json, from);
}

async function openMetadata(world: CloudWorld): Promise<TokenSource> {
  if (!(await isOnGoogleCloud(world))) {
    throw new KubeassumeError(gcpErrorCodes.GCP_CREDENTIALS_MISSING, { message: "no Google Cloud credentials were found" });
  }
  let known: { readonly token: string; readonly until: number } | undefined;
  return {
    headers: async (asked) => {
      const now = performance.now();
      if (known === undefined || now >= known.until) {
        const { token, seconds } = await metadataToken(world, asked);
        known = { token, until: now + Math.max(0, seconds - 60) * 1000 };
      }
      return bearer(known.token);
    },
    name: () => metadataName(world),
  };
}

function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token}` };
}
