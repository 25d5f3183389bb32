import { differenceOf } from "../../../oidc/difference.ts";
import { discoveryProblems } from "../../../oidc/discovery.ts";
import { isJsonObject, member } from "../../../oidc/json.ts";
import { EC_ALGORITHMS, PRIVATE_MEMBERS } from "../../../oidc/jwks.ts";
import { isGiven, isSignedBy, NO_TOKEN } from "../../judge/token.ts";
import type { Facts } from "./facts.ts";
import { findKey, kindOf, MAX_KEYS_PER_KIND } from "./keys.ts";
import type { SetKey } from "./keys.ts";
import { invalidToken, providerUnreachable, WORDS } from "./refusals.ts";
import { fail, pass, quote, skip, UNCONFIRMED, warn } from "../../judge/rule.ts";
import type { Answer } from "../../judge/rule.ts";
import type { Rule } from "./rule.ts";
import { ALGORITHMS } from "./rules-token.ts";

/** The issuer's documents, the key and the signature. */
export const issuerRules: readonly Rule[] = [
  { id: "aws-issuer-reachable", judge: judgeReachable },
  { id: "aws-discovery", judge: judgeDiscovery },
  { id: "aws-keys", judge: judgeKeys },
  { id: "aws-keys-public", judge: judgeKeysPublic },
  { id: "aws-key-found", judge: judgeKeyFound },
  { id: "aws-key-usable", judge: judgeKeyUsable },
  { id: "aws-token-signature", judge: judgeSignature },
];

const noKey = invalidToken(WORDS.noKey);
const NO_KEYS = "the key set was not read";

function judgeReachable({ input }: Facts): Answer {
  const { issuerFailure, discovery, jwks } = input;
  if (issuerFailure?.reason === "thumbprint") return fail(invalidToken(WORDS.thumbprint), issuerFailure.message);
  if (issuerFailure?.reason === "transient") return fail(providerUnreachable(), issuerFailure.message, "try again; if it stays, see kubeassume status aws");
  if (issuerFailure !== undefined) return fail(noKey, issuerFailure.message);
  if (discovery === null) return fail(noKey, "the discovery document could not be read");
  return isGiven(jwks) ? pass("the issuer's documents were read") : fail(noKey, "the key set could not be read");
}

function judgeDiscovery({ input: { discovery }, issuer, algorithm }: Facts): Answer {
  if (!isGiven(discovery)) return skip("no discovery document was given");
  if (!isJsonObject(discovery)) return fail(noKey, "the discovery document is not a JSON object");
  const problems = discoveryProblems(discovery);
  if (problems.length > 0) return fail(noKey, `the discovery document ${problems.join(", ")}`);
  const named = String(member(discovery, "issuer"));
  const difference = issuer === null ? null : differenceOf(issuer, named);
  if (difference !== null) {
    return fail(noKey, `the discovery document names issuer ${quote(named)} and the token ${quote(issuer ?? "")}, ${difference.words}; the words of AWS's refusal are not recorded ${UNCONFIRMED}`);
  }
  const algorithms = member(discovery, "id_token_signing_alg_values_supported");
  if (algorithm !== null && Array.isArray(algorithms) && !algorithms.includes(algorithm)) {
    return warn(`the discovery document does not list ${quote(algorithm)}; whether AWS minds is unknown ${UNCONFIRMED}`);
  }
  return pass("the discovery document has the members that AWS needs");
}

function judgeKeys({ input: { jwks }, keys, algorithm }: Facts): Answer {
  if (!isGiven(jwks)) return skip(NO_KEYS);
  if (keys === null) return fail(noKey, "the key set has no array named keys");
  if (keys.length === 0) return fail(noKey, "the key set has no key");
  const kind = kindOf(algorithm);
  const count = keys.filter((key) => member(key.jwk, "kty") === kind).length;
  if (count > MAX_KEYS_PER_KIND) return fail(noKey, `the key set has ${count} ${kind} keys, more than the ${MAX_KEYS_PER_KIND} that AWS reads`);
  return pass(`the key set has ${keys.length} ${keys.length === 1 ? "key" : "keys"}`);
}

function judgeKeysPublic({ keys }: Facts): Answer {
  if (keys === null) return skip(NO_KEYS);
  const secret = keys.find(({ jwk }) => member(jwk, "kty") === "oct" || PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)));
  return secret === undefined ? pass("the key set holds public keys only") : warn(`${secret.name} is published with its secret part`);
}

function judgeKeyFound({ jwt, keys, keyId }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  if (keys === null) return skip(NO_KEYS);
  const found = findKey(keys, keyId);
  if (found !== null) return pass(`${found.name} signs for the token's kid`);
  if (keyId === null || keyId === "") return fail(noKey, "the token has no kid, which AWS takes only when the set has exactly one key");
  const ignored = keys.findLast((key) => key.kid === keyId);
  if (ignored !== undefined) return fail(noKey, `AWS ignores ${ignored.name}: ${ignored.ignoredBecause}`, "publish it with kty, use, alg, kid and its parameters only: kubeassume publish does");
  const kids = keys.flatMap((key) => (key.kid === null ? [] : [quote(key.kid)]));
  const shown = kids.length === 0 ? "no kid" : kids.slice(0, 5).join(", ");
  return fail(noKey, `the token's kid is ${quote(keyId)} and the key set has ${shown}`);
}

function judgeKeyUsable(facts: Facts): Answer {
  const found = keyOf(facts);
  if (found === null) return skip("there is no key for the token");
  const { algorithm } = facts;
  if (!ALGORITHMS.some((name) => name === algorithm)) return skip("the token's algorithm is not one of AWS's");
  const refuse = (message: string): Answer => fail(invalidToken(WORDS.notValidated), message);
  if (member(found.jwk, "key_ops") !== undefined) return refuse(`${found.name} has key_ops, which AWS refuses whatever it lists`);
  const kind = member(found.jwk, "kty");
  if (kind !== kindOf(algorithm)) return refuse(`${found.name} is of kind ${String(kind)} and cannot verify ${algorithm} ${UNCONFIRMED}`);
  const curve = String(member(found.jwk, "crv"));
  if (kind === "EC" && EC_ALGORITHMS[curve] !== algorithm) return refuse(`${found.name} is on ${curve} and cannot verify ${algorithm} ${UNCONFIRMED}`);
  return pass(`${found.name} can verify ${algorithm}`);
}

function judgeSignature(facts: Facts): Answer {
  const usable = judgeKeyUsable(facts).status === "pass";
  const key = keyOf(facts)?.key ?? null;
  if (facts.jwt === null || key === null || !usable) return skip("there is no usable key for the token");
  return isSignedBy(facts.jwt, key, facts.algorithm ?? "") ? pass("the signature is right") : fail(invalidToken(WORDS.notValidated), "the signature does not fit the key");
}

function keyOf({ jwt, keys, keyId }: Facts): SetKey | null {
  return jwt === null || keys === null ? null : findKey(keys, keyId);
}
