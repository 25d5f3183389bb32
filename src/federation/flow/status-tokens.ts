import { generateKeyPair, type KeyPairKeyObjectResult, randomUUID, sign } from "node:crypto";
import { promisify } from "node:util";
import type { ServiceAccount } from "../clouds/cloud.ts";
import { KubeassumeError } from "../errors/error.ts";
import { keyIdOf } from "../oidc/pem.ts";
import { subjectOf } from "../oidc/subject.ts";
import type { StatusCloud, StatusJourney } from "./status.ts";

/** The tokens that the grants are judged against. They stay in memory: no stream, log or file ever sees one. */
export interface StatusTokens {
  /** Tokens by cloud, then by `namespace/name`. */
  readonly byCloud: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The key set that they verify with; null for minted ones, which verify with the issuer's own. */
  readonly jwks: unknown;
  /** A token as the API server makes it when no audience is asked for; null when none was minted. */
  readonly apiToken: string | null;
  readonly failure: KubeassumeError | null;
}

const LIFETIME_SECONDS = 600;

/**
 * Mints one token for each service account and cloud, or builds what the cluster would sign with a throw-away key:
 * enough to judge claims and trust, and no credential for anybody.
 */
export async function buildTokens(journey: StatusJourney): Promise<StatusTokens> {
  const mints = journey.mint && journey.cluster !== null;
  const needsKey = !mints && journey.clouds.some(({ grants }) => grants.length > 0);
  // Making a key takes as long as a request: beside those that tell who asks.
  const [key, wanted] = await Promise.all([needsKey ? promisify(generateKeyPair)("rsa", { modulusLength: 2048 }) : null, Promise.all(journey.clouds.map(toWanted))]);
  return key === null ? mintTokens(journey, wanted.flat()) : signTokens(journey, wanted.flat(), key);
}

interface Wanted {
  readonly cloud: string;
  readonly audience: string;
  readonly accounts: readonly ServiceAccount[];
}

/** Nothing for a cloud that does not say who asks: no token could be judged there. */
async function toWanted({ name, provider, connection, spec, grants }: StatusCloud): Promise<readonly Wanted[]> {
  try {
    const [audience = ""] = provider.audiences(spec, await connection.identify());
    return [{ cloud: name, audience, accounts: grants.flatMap((grant) => grant.serviceAccounts) }];
  } catch (error) {
    if (error instanceof KubeassumeError) return [];
    throw error;
  }
}

/** None at all where nobody asks for minted ones, and no grant needs another. */
async function mintTokens({ cluster, mint }: StatusJourney, wanted: readonly Wanted[]): Promise<StatusTokens> {
  if (cluster === null || !mint) return { byCloud: new Map(), jwks: null, apiToken: null, failure: null };
  const first = wanted.flatMap(({ accounts }) => accounts)[0] ?? { namespace: "default", name: "default" };
  try {
    const [apiToken, byCloud] = await Promise.all([
      cluster.mintToken(first, null, LIFETIME_SECONDS),
      collect(wanted, (account, audience) => cluster.mintToken(account, audience, LIFETIME_SECONDS)),
    ]);
    return { byCloud, jwks: null, apiToken, failure: null };
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    return { byCloud: new Map(), jwks: null, apiToken: null, failure: error };
  }
}

async function signTokens(journey: StatusJourney, wanted: readonly Wanted[], { publicKey, privateKey }: KeyPairKeyObjectResult): Promise<StatusTokens> {
  const kid = keyIdOf(publicKey);
  const issuedAt = Math.floor(journey.now().getTime() / 1000);
  const byCloud = await collect(wanted, async (account, audience) => {
    // As of a token that is bound to nothing: relying parties may ask for the namespace and the name by themselves.
    const bound = { namespace: account.namespace, serviceaccount: { name: account.name, uid: randomUUID() } };
    const claims = { iss: journey.issuer, sub: subjectOf(account), aud: [audience], iat: issuedAt, nbf: issuedAt, exp: issuedAt + LIFETIME_SECONDS, jti: randomUUID(), "kubernetes.io": bound };
    const input = [{ alg: "RS256", kid }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${input}.${sign("RSA-SHA256", Buffer.from(input), privateKey).toString("base64url")}`;
  });
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }] };
  return { byCloud, jwks, apiToken: null, failure: null };
}

async function collect(wanted: readonly Wanted[], make: (account: ServiceAccount, audience: string) => Promise<string>) {
  const entries = wanted.map(async ({ cloud, audience, accounts }) => {
    const tokens = await Promise.all(accounts.map(async (account) => [`${account.namespace}/${account.name}`, await make(account, audience)] as const));
    return [cloud, new Map(tokens)] as const;
  });
  return new Map(await Promise.all(entries));
}
