import { differenceOf } from "../../../oidc/difference.ts";
import { discoveryProblems } from "../../../oidc/discovery.ts";
import { isJsonObject, member } from "../../../oidc/json.ts";
import { PRIVATE_MEMBERS } from "../../../oidc/jwks.ts";
import { fail, pass, quote, skip, UNCONFIRMED, warn } from "../../judge/rule.ts";
import type { Answer, Rule } from "../../judge/rule.ts";
import { isGiven, isSignedBy, NO_TOKEN } from "../../judge/token.ts";
import type { JudgeCheckId } from "./checks.ts";
import type { Facts } from "./facts.ts";
import { algorithmOf, uploadProblem } from "./keys.ts";
import type { SetKey } from "./keys.ts";
import { invalidGrant, WORDS } from "./refusals.ts";
import { ALGORITHMS } from "./rules-token.ts";

/** The issuer's documents or the uploaded keys, the key and the signature. */
export const issuerRules: readonly Rule<JudgeCheckId, Facts>[] = [
  { id: "gcp-issuer-reachable", judge: judgeReachable },
  { id: "gcp-discovery", judge: judgeDiscovery },
  { id: "gcp-keys-uploaded", judge: judgeUploaded },
  { id: "gcp-keys", judge: judgeKeys },
  { id: "gcp-keys-public", judge: judgeKeysPublic },
  { id: "gcp-key-found", judge: judgeKeyFound },
  { id: "gcp-key-usable", judge: judgeKeyUsable },
  { id: "gcp-token-signature", judge: judgeSignature },
];

const noIssuer = invalidGrant(WORDS.issuer);
const NO_KEYS = "there is no key set to look at";
const UPLOADED = "the provider has uploaded keys, so Google fetches nothing";

function judgeReachable({ input: { issuerFailure, discovery, jwks }, uploaded }: Facts): Answer {
  if (uploaded !== null) return pass(UPLOADED);
  if (issuerFailure !== undefined) return fail(noIssuer, issuerFailure.message);
  if (discovery === null) return fail(noIssuer, "the discovery document could not be read");
  return isGiven(jwks) ? pass("the issuer's documents were read") : fail(noIssuer, "the key set could not be read");
}

function judgeDiscovery({ input: { discovery, provider }, uploaded, algorithm }: Facts): Answer {
  if (uploaded !== null) return skip(UPLOADED);
  if (!isGiven(discovery)) return skip("no discovery document was given");
  if (!isJsonObject(discovery)) return fail(noIssuer, "the discovery document is not a JSON object");
  const [needed, others] = parted(discoveryProblems(discovery));
  if (needed.length > 0) return fail(noIssuer, `the discovery document ${needed.join(", ")}`);
  const named = String(member(discovery, "issuer"));
  const wanted = provider?.oidc?.issuerUri ?? named;
  const difference = differenceOf(wanted, named);
  if (difference !== null) return fail(invalidGrant(WORDS.discoveryIssuer), `the discovery document names issuer ${quote(named)} and the provider ${quote(wanted)}, ${difference.words}`);
  if (others.length > 0) return warn(`the discovery document ${others.join(", ")}; whether Google minds is unknown ${UNCONFIRMED}`);
  const algorithms = member(discovery, "id_token_signing_alg_values_supported");
  if (algorithm !== null && Array.isArray(algorithms) && !algorithms.includes(algorithm)) {
    return warn(`the discovery document does not list ${quote(algorithm)}; whether Google minds is unknown ${UNCONFIRMED}`);
  }
  return pass("the discovery document names the provider's issuer and where its keys are");
}

/** Google needs the issuer and where the keys are; the lists are what the specification demands beside them. */
function parted(problems: readonly string[]): [string[], string[]] {
  const isNeeded = (problem: string): boolean => /\b(issuer|jwks_uri)\b/.test(problem);
  return [problems.filter(isNeeded), problems.filter((problem) => !isNeeded(problem))];
}

function judgeUploaded({ uploaded }: Facts): Answer {
  if (uploaded === null) return skip("the provider has no uploaded keys: Google fetches the issuer's");
  const problem = uploadProblem(uploaded);
  return problem === null ? pass("Google takes the uploaded keys") : fail(noIssuer, `Google does not take the uploaded key set: ${problem} ${UNCONFIRMED}`);
}

function judgeKeys({ input: { jwks }, uploaded, keys }: Facts): Answer {
  if (uploaded === null && !isGiven(jwks)) return skip(NO_KEYS);
  if (keys === null) return fail(noIssuer, "the key set has no array named keys");
  return keys.length === 0 ? fail(noIssuer, "the key set has no key") : pass(`the key set has ${keys.length} ${keys.length === 1 ? "key" : "keys"}`);
}

function judgeKeysPublic({ keys }: Facts): Answer {
  if (keys === null) return skip(NO_KEYS);
  const secret = keys.find(({ jwk }) => member(jwk, "kty") === "oct" || PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)));
  return secret === undefined ? pass("the key set holds public keys only") : warn(`${secret.name} stands there with its secret part`);
}

function judgeKeyFound({ jwt, keys, keyId, uploaded }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  if (keys === null) return skip(NO_KEYS);
  if (keyId === null || keyId === "") return skip("the token names no key");
  const found = findKey(keys, keyId);
  if (found !== null) return pass(`${found.name} signs for the token's kid`);
  const kids = keys.flatMap((key) => (key.kid === null ? [] : [quote(key.kid)]));
  const shown = kids.length === 0 ? "no kid" : kids.slice(0, 5).join(", ");
  const hint = uploaded === null ? "" : "upload the cluster's present keys: kubeassume setup gcp --keys upload";
  return fail(noIssuer, `the token's kid is ${quote(keyId)} and the ${uploaded === null ? "" : "uploaded "}key set has ${shown}`, hint);
}

function judgeKeyUsable(facts: Facts): Answer {
  const found = keyOf(facts);
  if (found === null) return skip("there is no key for the token");
  const { algorithm } = facts;
  if (algorithm === null || !ALGORITHMS.includes(algorithm)) return skip("the token's algorithm is not one of Google's");
  const fits = algorithmOf(found);
  if (fits !== algorithm) return fail(noIssuer, `${found.name} is ${fits === null ? "of a kind that Google does not take" : `for ${fits}`} and cannot verify ${algorithm}`);
  if (found.key === null) return fail(noIssuer, `the parameters of ${found.name} are missing or cannot be read ${UNCONFIRMED}`);
  const [use, alg] = [member(found.jwk, "use"), member(found.jwk, "alg")];
  if (use !== undefined && use !== "sig") return warn(`${found.name} is meant for ${quote(String(use))} instead of "sig"; whether Google minds is unknown ${UNCONFIRMED}`);
  if (alg !== undefined && alg !== algorithm) return warn(`${found.name} is meant for ${quote(String(alg))} instead of ${algorithm}; whether Google minds is unknown ${UNCONFIRMED}`);
  return pass(`${found.name} can verify ${algorithm}`);
}

function judgeSignature(facts: Facts): Answer {
  const key = keyOf(facts)?.key ?? null;
  const status = judgeKeyUsable(facts).status;
  if (facts.jwt === null || key === null || (status !== "pass" && status !== "warn")) return skip("there is no usable key for the token");
  return isSignedBy(facts.jwt, key, facts.algorithm ?? "") ? pass("the signature is right") : fail(invalidGrant(WORDS.signature), "the signature does not fit the key");
}

/** The key that Google takes for a kid; which of two with the same one is unknown, and the first is taken here. */
function findKey(keys: readonly SetKey[], kid: string): SetKey | null {
  return keys.find((key) => key.kid === kid) ?? null;
}

function keyOf({ jwt, keys, keyId }: Facts): SetKey | null {
  return jwt === null || keys === null || keyId === null || keyId === "" ? null : findKey(keys, keyId);
}
