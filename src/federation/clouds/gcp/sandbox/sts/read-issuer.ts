import { KubeassumeError } from "../../../../errors/error.ts";
import { discoveryUrl } from "../../../../oidc/issuer.ts";
import { isJsonObject, member } from "../../../../oidc/json.ts";
import { readDocument } from "../../../../oidc/read-issuer.ts";
import type { GcpJudgeInput } from "../../judge/judge.ts";
import type { GcpWorld } from "../world.ts";

type IssuerReading = Pick<GcpJudgeInput, "discovery" | "jwks" | "issuerFailure">;

/** The issuer's documents as STS reads them, or why it cannot: each read anew, because how long Google keeps them is not known. */
export async function readIssuer(issuer: string, { http }: Pick<GcpWorld, "http">): Promise<IssuerReading> {
  try {
    const { json: discovery } = await readDocument(http, discoveryUrl(issuer));
    const jwksUri = isJsonObject(discovery) ? member(discovery, "jwks_uri") : undefined;
    if (typeof jwksUri !== "string") return { discovery, jwks: { keys: [] } };
    return { discovery, jwks: (await readDocument(http, jwksUri)).json };
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return { issuerFailure: { message: error.message } };
  }
}
