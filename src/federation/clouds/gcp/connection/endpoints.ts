import type { CloudWorld } from "../../cloud.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import { textOf } from "../../input.ts";

/** The services that kubeassume calls, by the first label of their host. */
export type Service = "iam" | "sts" | "iamcredentials" | "cloudresourcemanager" | "storage";

type Env = CloudWorld["env"];

const DEFAULT_UNIVERSE = "googleapis.com";

/**
 * The universe of all endpoints: GOOGLE_CLOUD_UNIVERSE_DOMAIN, else what the credentials say, else googleapis.com.
 * Throws FLAG_INVALID for what is no domain.
 */
export function chooseUniverse(env: Env, ofCredentials: string | null): string {
  const domain = textOf(env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"]) ?? ofCredentials ?? DEFAULT_UNIVERSE;
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain)) return domain;
  throw new KubeassumeError(codes.FLAG_INVALID, { message: `${JSON.stringify(domain.slice(0, 100))} is not the domain of a universe`, hint: "set GOOGLE_CLOUD_UNIVERSE_DOMAIN to a domain such as googleapis.com" });
}

/**
 * Where a service answers, ending with a slash: gcloud's own override (`api_endpoint_overrides/SERVICE`, with or without
 * the slash), for storage STORAGE_EMULATOR_HOST, else `https://SERVICE.UNIVERSE/`. Paths begin with the version, for
 * storage with `storage/v1/`, which gcloud's override already has. Throws FLAG_INVALID for what is no such URL.
 */
export function endpointOf(env: Env, service: Service, universe: string): string {
  const variable = `CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`;
  const override = textOf(env[variable]);
  if (override !== null) return checked(variable, override).replace(/(?<=\/)storage\/v1\/$/, "");
  const emulator = service === "storage" ? emulatorOf(env) : null;
  return emulator ?? `https://${service}.${universe}/`;
}

/** Whether storage is an emulator, which nobody needs credentials for. */
export function isEmulator(env: Env, service: Service): boolean {
  return service === "storage" && textOf(env["CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE"]) === null && emulatorOf(env) !== null;
}

/** Google's libraries take the variable with and without a scheme. */
function emulatorOf(env: Env): string | null {
  const host = textOf(env["STORAGE_EMULATOR_HOST"]);
  if (host === null) return null;
  return checked("STORAGE_EMULATOR_HOST", /^[a-z]+:\/\//.test(host) ? host : `http://${host}`).replace(/(?<=\/)storage\/v1\/$/, "");
}

function checked(variable: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.search === "" && url.hash === "") {
    return url.href.endsWith("/") ? url.href : `${url.href}/`;
  }
  // A URL with a password in it is not for the screen.
  throw new KubeassumeError(codes.FLAG_INVALID, { message: `${variable} is not the URL of an endpoint`, hint: `set ${variable} to something like https://host:port/` });
}
