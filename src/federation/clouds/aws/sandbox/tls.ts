import { readServedChain, thumbprintOf } from "../../../../thumbprint/index.ts";
import type { ServedChain } from "../../../../thumbprint/index.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { AwsWorld } from "./world.ts";

/** Seconds that AWS gives an issuer's endpoint, as re:Post has it. */
const TIMEOUT_MS = 5000;

/** The thumbprint of the last certificate that the URL's host serves; null when it cannot be asked. */
export async function readTopThumbprint(url: string, world: AwsWorld): Promise<string | null> {
  const chain = await readChain(url, world);
  return chain === null ? null : thumbprintOf(chain.certificates);
}

export type ChainTrust = "trusted" | "pinned" | "mismatch" | "unreachable";

/**
 * How AWS takes the chain of the host that serves the JWKS: thumbprints do not matter for a chain that leads to a CA
 * that AWS trusts; any other chain must carry a registered thumbprint at its top
 * (IAM API reference, UpdateOpenIDConnectProviderThumbprint).
 */
export async function readChainTrust(jwksUri: string, thumbprints: readonly string[], world: AwsWorld): Promise<ChainTrust> {
  const chain = await readChain(jwksUri, world);
  if (chain === null) return "unreachable";
  if (chain.publicRoots.trusted || chain.extraRoots?.trusted === true) return "trusted";
  return thumbprints.includes(thumbprintOf(chain.certificates)) ? "pinned" : "mismatch";
}

async function readChain(url: string, world: AwsWorld): Promise<ServedChain | null> {
  if (!URL.canParse(url) || new URL(url).protocol !== "https:") return null;
  const { hostname, port } = new URL(url);
  const address = { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 443 : Number(port) };
  try {
    return await readServedChain(address, { timeoutMs: TIMEOUT_MS, caPem: world.publicCaPem });
  } catch (error) {
    if (error instanceof KubeassumeError) return null;
    throw error;
  }
}
