import { readFile } from "node:fs/promises";
import type { CloudWorld } from "../../cloud.ts";
import { type HttpAnswer, HttpFailure } from "../../../http/http.ts";
import { isJsonObject } from "../../../oidc/json.ts";
import { textOf } from "../../input.ts";
import { withAttempts } from "../../../http/attempts.ts";
import { type Asked, toGcpError, toUnreachable, toUnreadable } from "./errors.ts";
import { parseJson } from "../../../http/answers.ts";
import { parseGoogleError } from "./google-answer.ts";

const ADDRESS = "169.254.169.254";
const FLAVOR = { "metadata-flavor": "Google" };
const ACCOUNT = "computeMetadata/v1/instance/service-accounts/default";
/** Where there is a metadata server, it answers within milliseconds; elsewhere nobody shall wait for it. */
const DETECTION_MS = 1000;

/**
 * Whether to ask the metadata server: as METADATA_SERVER_DETECTION says (`assume-present`, `none`, `bios-only`,
 * `ping-only`), never with NO_GCE_CHECK, at once where GCE_METADATA_HOST or a serverless environment says so, otherwise
 * when it answers within a second in Google's way (Google's client libraries, "Application Default Credentials").
 */
export async function isOnGoogleCloud(world: CloudWorld): Promise<boolean> {
  const { env } = world;
  if (/^(1|true)$/i.test(env["NO_GCE_CHECK"] ?? "")) return false;
  switch ((env["METADATA_SERVER_DETECTION"] ?? "").trim().toLowerCase()) {
    case "none":
      return false;
    case "assume-present":
      return true;
    case "bios-only":
      return isGoogleBios();
  }
  if ([env["GCE_METADATA_HOST"], env["GCE_METADATA_IP"], env["K_SERVICE"], env["CLOUD_RUN_JOB"], env["FUNCTION_NAME"]].some((value) => textOf(value) !== null)) return true;
  return answersAsGoogle(world);
}

/** A token of the instance's service account, and for how many seconds. Throws GCP_UNREACHABLE, GCP_NOT_FOUND and what else the server answers. */
export async function metadataToken(world: CloudWorld, asked: Asked): Promise<{ readonly token: string; readonly seconds: number }> {
  const about = { action: "the token of the metadata server", resource: asked.resource };
  const answer = await ask(world, `${ACCOUNT}/token`, about);
  if (answer.status !== 200) throw toGcpError(parseGoogleError(answer.status, answer.body), about);
  const json = parseJson(answer.body);
  const token = isJsonObject(json) ? textOf(json["access_token"]) : null;
  if (!isJsonObject(json) || token === null) throw toUnreadable(about, answer.status);
  return { token, seconds: typeof json["expires_in"] === "number" ? json["expires_in"] : 0 };
}

/** The e-mail of the instance's service account. */
export async function metadataName(world: CloudWorld): Promise<string> {
  const answer = await ask(world, `${ACCOUNT}/email`, { action: "the e-mail of the metadata server", resource: "the caller" });
  const email = answer.body.trim();
  return answer.status === 200 && /^[\w.+-]+@[\w.-]+$/.test(email) ? email : "the instance's service account";
}

async function ask(world: CloudWorld, path: string, about: Asked): Promise<HttpAnswer> {
  const attempts = { timeoutMs: world.timeoutMs, signal: world.signal, repeatable: true };
  try {
    return await withAttempts(attempts, (timeoutMs) => world.http({ url: `http://${hostOf(world)}/${path}`, headers: FLAVOR, timeoutMs }));
  } catch (error) {
    if (error instanceof HttpFailure) throw toUnreachable(error, about);
    throw error;
  }
}

function hostOf({ env }: CloudWorld): string {
  return textOf(env["GCE_METADATA_HOST"]) ?? textOf(env["GCE_METADATA_IP"]) ?? ADDRESS;
}

/** Other clouds answer at this address too, but not with Google's header. */
async function answersAsGoogle(world: CloudWorld): Promise<boolean> {
  const timeoutMs = Math.min(DETECTION_MS, world.timeoutMs);
  try {
    const { headers } = await world.http({ url: `http://${ADDRESS}/computeMetadata/v1/instance`, headers: FLAVOR, timeoutMs });
    return headers["metadata-flavor"] === "Google";
  } catch (error) {
    if (error instanceof HttpFailure && error.reason !== "aborted") return false;
    throw error instanceof HttpFailure ? toUnreachable(error, { action: "detection", resource: "the metadata server" }) : error;
  }
}

async function isGoogleBios(): Promise<boolean> {
  return readFile("/sys/class/dmi/id/bios_vendor", "utf8").then(
    (vendor) => vendor.trim() === "Google",
    () => false,
  );
}
