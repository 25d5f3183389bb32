import { KubeassumeError } from "../federation/errors/error.ts";
import { codes } from "./codes.ts";
import type { Address } from "./tunnel.ts";

/** Host and port of an https URL. Throws THUMBPRINT_URL_INVALID for anything else, and for a URL with credentials. */
export function toAddress(url: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.protocol !== "https:" || parsed.hostname === "" || parsed.username !== "" || parsed.password !== "") {
    const shown = url.replace(/\/\/[^/]*@/, "//...@").slice(0, 300);
    throw new KubeassumeError(codes.THUMBPRINT_URL_INVALID, { message: `${JSON.stringify(shown)} is not an https URL without credentials`, details: { url: shown } });
  }
  return { host: parsed.hostname.replace(/^\[|\]$/g, ""), port: parsed.port === "" ? 443 : Number(parsed.port) };
}

/** Whether both lead to one server port by the same name. */
export function sameAddress(left: Address, right: Address): boolean {
  return left.host === right.host && left.port === right.port;
}
