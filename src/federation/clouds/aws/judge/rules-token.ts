import { member } from "../../../oidc/json.ts";
import { NO_TOKEN, span, timeOf } from "../../judge/token.ts";
import type { Facts } from "./facts.ts";
import { secondsOf } from "./facts.ts";
import { expiredToken, internalFailure, invalidToken, WORDS } from "./refusals.ts";
import { fail, pass, quote, skip, UNCONFIRMED, warn } from "../../judge/rule.ts";
import type { Answer } from "../../judge/rule.ts";
import type { Rule } from "./rule.ts";

/** Seconds that AWS tolerates on iat, nbf and exp, as recorded. */
export const CLOCK_TOLERANCE = 300;

export const ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"] as const;

const REQUIRED_CLAIMS = ["iss", "sub", "aud", "iat", "exp"] as const;

/** What the token says about itself, before anybody is asked about its issuer. */
export const tokenRules: readonly Rule[] = [
  { id: "aws-token-form", judge: judgeForm },
  { id: "aws-token-critical-header", judge: judgeCriticalHeader },
  { id: "aws-token-algorithm", judge: judgeAlgorithm },
  { id: "aws-token-required-claims", judge: judgeRequiredClaims },
  { id: "aws-token-claim-types", judge: judgeClaimTypes },
];

export const timeRules: readonly Rule[] = [
  { id: "aws-token-timestamps", judge: judgeTimestamps },
  { id: "aws-token-issued-at", judge: judgeIssuedAt },
  { id: "aws-token-not-before", judge: judgeNotBefore },
  { id: "aws-token-expired", judge: judgeExpiry },
];

function judgeForm({ formProblem }: Facts): Answer {
  return formProblem === null ? pass("the token is a signed JWT") : fail(invalidToken(WORDS.notJwt), formProblem);
}

function judgeCriticalHeader({ jwt, header }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  return member(header, "crit") === undefined
    ? pass("the header demands no extension")
    : fail(invalidToken(WORDS.notJwt), "the token's header has a crit member, which AWS refuses");
}

function judgeAlgorithm({ jwt, algorithm }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  if (ALGORITHMS.some((name) => name === algorithm)) return pass(`the token is signed with ${algorithm}`);
  const shown = algorithm === null ? "no algorithm" : quote(algorithm);
  return fail(invalidToken(WORDS.notValidated), `the token names ${shown}, and AWS takes ${ALGORITHMS.join(", ")} only; the words of its refusal are not recorded ${UNCONFIRMED}`);
}

function judgeRequiredClaims({ jwt, claims }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  const missing = REQUIRED_CLAIMS.filter((name) => member(claims, name) === undefined);
  if (missing.length === 0) return pass(`the token has ${REQUIRED_CLAIMS.join(", ")}`);
  return fail(invalidToken(`Missing a required claim: ${missing[0]}`), `the token has no ${missing.join(", ")}`);
}

function judgeClaimTypes({ jwt, claims, issuer, subject, audiences }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  const has = (name: string): boolean => member(claims, name) !== undefined;
  const odd = (name: string): Answer => fail(invalidToken(WORDS.notValidated), `the token's ${name} is of a type that AWS does not read ${UNCONFIRMED}`);
  if (has("iss") && issuer === null) return odd("iss");
  if (member(claims, "sub") === null) return fail(internalFailure(), "the token's sub is null");
  if (has("sub") && subject === null) return odd("sub");
  if (has("aud") && audiences === null) return odd("aud");
  if (audiences?.length === 0) return fail(invalidToken("Claim is not allowed to be empty: aud"), "the token's aud is an empty list");
  if (has("azp") && typeof member(claims, "azp") !== "string") return odd("azp");
  return pass(`the token speaks for ${subject === null ? "nobody" : quote(subject)}`);
}

function judgeTimestamps({ jwt, claims }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  const wrong = ["iat", "exp", "nbf"].filter((name) => member(claims, name) !== undefined && secondsOf(member(claims, name)) === null);
  if (wrong.length === 0) return pass("the token's times are whole seconds");
  return fail(invalidToken(WORDS.timestamp), `the token's ${wrong.join(", ")} ${wrong.length > 1 ? "are" : "is"} not whole seconds`);
}

function judgeIssuedAt({ claims, now }: Facts): Answer {
  const issued = secondsOf(member(claims, "iat"));
  if (issued === null) return skip("the token has no iat that can be read");
  const ahead = issued - now;
  if (ahead > CLOCK_TOLERANCE) {
    return fail(invalidToken(`Token issued in the future: ${issued}`), `the token was issued ${span(ahead)} in the future, at ${timeOf(issued)}`);
  }
  if (ahead > 0) return warn(`the token was issued ${span(ahead)} in the future, which AWS tolerates up to 5 minutes`);
  return pass(`the token was issued at ${timeOf(issued)}`);
}

function judgeNotBefore({ claims, now }: Facts): Answer {
  const notBefore = secondsOf(member(claims, "nbf"));
  if (notBefore === null) return skip("the token has no nbf, and needs none");
  const ahead = notBefore - now;
  if (ahead > CLOCK_TOLERANCE) {
    const words = `Token not yet valid: current date/time ${now + CLOCK_TOLERANCE} must be after or equal to the not-before date/time ${notBefore}`;
    return fail(invalidToken(words), `the token becomes valid in ${span(ahead)}, at ${timeOf(notBefore)}`);
  }
  if (ahead > 0) return warn(`the token becomes valid in ${span(ahead)}, which AWS tolerates up to 5 minutes`);
  return pass(`the token is valid since ${timeOf(notBefore)}`);
}

function judgeExpiry({ claims, now }: Facts): Answer {
  const expires = secondsOf(member(claims, "exp"));
  if (expires === null) return skip("the token has no exp that can be read");
  const past = now - expires;
  if (past >= CLOCK_TOLERANCE) {
    const words = `Token expired: current date/time ${now - CLOCK_TOLERANCE} must be before the expiration date/time ${expires}`;
    return fail(expiredToken(words), `the token expired ${span(past)} ago, at ${timeOf(expires)}`);
  }
  if (past >= 0) return warn(`the token expired ${span(past)} ago, which AWS tolerates up to 5 minutes`);
  return pass(`the token expires in ${span(-past)}, at ${timeOf(expires)}`);
}
