import type { IssuerFailure } from "../../judge/facts.ts";
import { KubeassumeError } from "../../../../errors/error.ts";
import { discoveryUrl } from "../../../../oidc/issuer.ts";
import { isJsonObject, member } from "../../../../oidc/json.ts";
import { readDocument } from "../../../../oidc/read-issuer.ts";
import type { OidcProvider } from "../state.ts";
import { readChainTrust } from "../tls.ts";
import type { AwsWorld } from "../world.ts";

export interface IssuerReading {
  readonly discovery?: unknown;
  readonly jwks?: unknown;
  readonly issuerFailure?: IssuerFailure;
}

/** The issuer's documents as STS reads them, or why it cannot: each read anew, because how long AWS keeps them is not known. */
export async function readIssuer(provider: OidcProvider, world: AwsWorld): Promise<IssuerReading> {
  const discovery = await readJson(discoveryUrl(`https://${provider.url}`), world);
  if ("issuerFailure" in discovery) return discovery;
  const jwksUri = isJsonObject(discovery.json) ? member(discovery.json, "jwks_uri") : undefined;
  if (typeof jwksUri !== "string") return { discovery: discovery.json };
  const [trust, jwks] = await Promise.all([readChainTrust(jwksUri, provider.thumbprints, world), readJson(jwksUri, world)]);
  if (trust === "mismatch") {
    return { discovery: discovery.json, issuerFailure: { reason: "thumbprint", message: `the chain of ${jwksUri} has none of the registered thumbprints at its top` } };
  }
  if ("issuerFailure" in jwks) return { discovery: discovery.json, ...jwks };
  return { discovery: discovery.json, jwks: jwks.json };
}

async function readJson(url: string, world: AwsWorld): Promise<{ readonly json: unknown } | { readonly issuerFailure: IssuerFailure }> {
  try {
    return { json: (await readDocument(world.http, url)).json };
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return { issuerFailure: { reason: "unreachable", message: error.message } };
  }
}
