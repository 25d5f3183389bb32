import { createPublicKey, generateKeyPair, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { jwkFromPem } from "../../oidc/pem.ts";
import type { PublicJwk } from "../../oidc/jwks.ts";

const generate = promisify(generateKeyPair);

export type SigningKeyKind = "rsa" | "ec";

/** The service account keys of a cluster: one signs, all are served. Private halves never leave this module. */
export interface SigningKeys {
  /** Public keys with `kid` as Kubernetes computes it; the signing key first, as the API server lists them. */
  readonly jwks: readonly PublicJwk[];
  readonly signingKid: string;
  /** Adds a key that is served and does not sign yet; answers its `kid`. */
  add(kind?: SigningKeyKind): Promise<string>;
  signWith(kid: string): void;
  /** Takes a key out of the served set. The signing key cannot be removed. */
  remove(kid: string): void;
  /** A compact JWS of these claims, in the order in which the API server writes them (alphabetical). */
  sign(claims: Readonly<Record<string, unknown>>): string;
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly jwk: PublicJwk;
  readonly kid: string;
}

/** Starts with one RSA key of 2048 bits, as kubeadm makes it; `ec` adds keys on P-256. */
export async function createSigningKeys(kind: SigningKeyKind = "rsa"): Promise<SigningKeys> {
  const first = await createKeyPair(kind);
  const pairs = new Map([[first.kid, first]]);
  let signing = first;
  const find = (kid: string): KeyPair => {
    const pair = pairs.get(kid);
    if (pair === undefined) throw new TypeError(`the sandbox's cluster has no key ${kid}`);
    return pair;
  };
  return {
    get jwks() {
      return [signing, ...[...pairs.values()].filter((pair) => pair !== signing)].map((pair) => pair.jwk);
    },
    get signingKid() {
      return signing.kid;
    },
    async add(added = "rsa") {
      const pair = await createKeyPair(added);
      pairs.set(pair.kid, pair);
      return pair.kid;
    },
    signWith(kid) {
      signing = find(kid);
    },
    remove(kid) {
      if (find(kid) === signing) throw new TypeError(`key ${kid} signs and cannot be removed`);
      pairs.delete(kid);
    },
    sign: (claims) => signJws(signing, claims),
  };
}

async function createKeyPair(kind: SigningKeyKind): Promise<KeyPair> {
  const { privateKey } = kind === "rsa" ? await generate("rsa", { modulusLength: 2048 }) : await generate("ec", { namedCurve: "P-256" });
  const [jwk] = jwkFromPem(createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString());
  if (jwk?.kid === undefined) throw new TypeError("a fresh key has no kid");
  return { privateKey, jwk, kid: jwk.kid };
}

function signJws(pair: KeyPair, claims: Readonly<Record<string, unknown>>): string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const ordered = Object.fromEntries(Object.entries(claims).sort(([a], [b]) => (a < b ? -1 : 1)));
  const input = `${encode({ alg: pair.jwk.alg, kid: pair.kid })}.${encode(ordered)}`;
  const signature = sign("sha256", Buffer.from(input), { key: pair.privateKey, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}
