import { member } from "../../../oidc/json.ts";
import { fail, pass, quote, skip, UNCONFIRMED, warn } from "../../judge/rule.ts";
import type { Answer, Rule } from "../../judge/rule.ts";
import { NO_TOKEN, span, timeOf } from "../../judge/token.ts";
import type { JudgeCheckId } from "./checks.ts";
import { secondsOf } from "./facts.ts";
import type { Facts } from "./facts.ts";
import { invalidGrant, stale, unauthorizedClient, WORDS } from "./refusals.ts";
import { wrongAudience, wrongIssuer } from "./rules-provider.ts";

/** STS v1, ExchangeTokenRequest.subjectToken. */
export const ALGORITHMS: readonly string[] = ["RS256", "ES256"];
/** Seconds that Google tolerates on iat and exp, as recorded in September 2026. */
export const CLOCK_TOLERANCE = 60;
const DAY = 86_400;

const REQUIRED_CLAIMS = ["iss", "sub", "aud", "iat", "exp"] as const;

/** What the token says about itself, before anybody is asked about its issuer. */
export const tokenRules: readonly Rule<JudgeCheckId, Facts>[] = [
  { id: "gcp-token-form", judge: judgeForm },
  { id: "gcp-token-algorithm", judge: judgeAlgorithm },
  { id: "gcp-token-key-id", judge: judgeKeyId },
  { id: "gcp-token-required-claims", judge: judgeRequiredClaims },
  { id: "gcp-token-claim-types", judge: judgeClaimTypes },
];

export const timeRules: readonly Rule<JudgeCheckId, Facts>[] = [
  { id: "gcp-token-issued-at", judge: judgeIssuedAt },
  { id: "gcp-token-expired", judge: judgeExpiry },
  { id: "gcp-token-age", judge: judgeAge },
  { id: "gcp-token-lifetime", judge: judgeLifetime },
];

function judgeForm({ formProblem }: Facts): Answer {
  return formProblem === null ? pass("the token is a signed JWT") : fail(invalidGrant(WORDS.notJwt), formProblem);
}

function judgeAlgorithm({ jwt, algorithm }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  if (algorithm !== null && ALGORITHMS.includes(algorithm)) return pass(`the token is signed with ${algorithm}`);
  const shown = algorithm === null ? "no algorithm" : quote(algorithm);
  return fail(invalidGrant(WORDS.signature), `the token names ${shown}, and Google takes ${ALGORITHMS.join(" and ")} only; the words of its refusal are not recorded ${UNCONFIRMED}`);
}

function judgeKeyId({ jwt, keyId }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  if (keyId !== null && keyId !== "") return pass(`the token names the key ${quote(keyId)}`);
  return fail(invalidGrant(WORDS.issuer), `the token's header has no kid, which Google requires; the words of its refusal are not recorded ${UNCONFIRMED}`);
}

function judgeRequiredClaims(facts: Facts): Answer {
  const { jwt, claims } = facts;
  if (jwt === null) return skip(NO_TOKEN);
  const missing = REQUIRED_CLAIMS.filter((name) => member(claims, name) === undefined);
  const [first] = missing;
  if (first === undefined) return pass(`the token has ${REQUIRED_CLAIMS.join(", ")}`);
  return fail(refusalWithout(first, facts), `the token has no ${missing.join(", ")}`);
}

/** Recorded, claim by claim: Google reports what it then compares. Without sub, the condition is asked first. */
function refusalWithout(claim: (typeof REQUIRED_CLAIMS)[number], { claims, input: { provider }, mapping }: Facts): ReturnType<typeof invalidGrant> {
  if (claim === "iss") return wrongIssuer(null, provider?.oidc?.issuerUri ?? "");
  if (claim === "aud") return wrongAudience([]);
  if (claim === "sub") return unauthorizedClient(mapping?.ok === false && mapping.rejected ? WORDS.condition : WORDS.noSubject);
  return stale(claim === "iat" ? null : textOfTime(member(claims, "iat")));
}

function judgeClaimTypes({ jwt, claims, issuer, audiences, input: { provider } }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  const has = (name: string): boolean => member(claims, name) !== undefined;
  const odd = (name: string, refusal: ReturnType<typeof invalidGrant>): Answer => fail(refusal, `the token's ${name} is of a type that Google does not read ${UNCONFIRMED}`);
  if (has("iss") && issuer === null) return odd("iss", wrongIssuer(null, provider?.oidc?.issuerUri ?? ""));
  if (has("sub") && typeof member(claims, "sub") !== "string") return odd("sub", unauthorizedClient(WORDS.noSubject));
  if (has("aud") && audiences === null) return odd("aud", wrongAudience([]));
  const time = ["iat", "exp"].find((name) => has(name) && secondsOf(member(claims, name)) === null);
  if (time !== undefined) return odd(time, stale(time === "iat" ? null : textOfTime(member(claims, "iat"))));
  const subject = member(claims, "sub");
  return pass(`the token speaks for ${typeof subject === "string" ? quote(subject) : "nobody"}`);
}

function judgeIssuedAt({ claims, now }: Facts): Answer {
  const issued = secondsOf(member(claims, "iat"));
  if (issued === null) return skip("the token has no iat that can be read");
  const ahead = issued - now;
  if (ahead > CLOCK_TOLERANCE) return fail(stale(textOfTime(issued)), `the token was issued ${span(Math.ceil(ahead))} in the future, at ${timeOf(issued)}`);
  if (ahead > 0) return warn(`the token was issued ${span(Math.ceil(ahead))} in the future, which Google tolerates up to a minute`);
  return pass(`the token was issued at ${timeOf(issued)}`);
}

function judgeExpiry({ claims, now }: Facts): Answer {
  const expires = secondsOf(member(claims, "exp"));
  if (expires === null) return skip("the token has no exp that can be read");
  const past = now - expires;
  if (past >= CLOCK_TOLERANCE) return fail(stale(textOfTime(member(claims, "iat"))), `the token expired ${span(Math.floor(past))} ago, at ${timeOf(expires)}`);
  if (past >= 0) return warn(`the token expired ${span(Math.floor(past))} ago, which Google tolerates up to a minute`);
  return pass(`the token expires in ${span(Math.floor(-past))}, at ${timeOf(expires)}`);
}

function judgeAge({ claims, now }: Facts): Answer {
  const issued = secondsOf(member(claims, "iat"));
  if (issued === null) return skip("the token has no iat that can be read");
  const age = now - issued;
  if (age <= DAY) return pass("the token was issued within the last 24 hours");
  return fail(stale(textOfTime(issued)), `the token was issued ${span(Math.floor(age))} ago, and Google takes none that is older than 24 hours`);
}

/** Google's documents disagree with each other and with what was recorded: a token of 11 years was taken when it was fresh. */
function judgeLifetime({ claims }: Facts): Answer {
  const [issued, expires] = [secondsOf(member(claims, "iat")), secondsOf(member(claims, "exp"))];
  if (issued === null || expires === null) return skip("the token has no iat and exp that can be read");
  const lifetime = expires - issued;
  const recorded = `one recording has a fresh token of any lifetime accepted ${UNCONFIRMED}`;
  if (lifetime < 0) return fail(stale(textOfTime(issued)), `the token expires before it was issued ${UNCONFIRMED}`);
  if (lifetime >= 2 * DAY) return fail(stale(textOfTime(issued)), `the token is valid for ${span(Math.floor(lifetime))}, and Google documents less than 48 hours; ${recorded}`);
  if (lifetime > DAY) return warn(`the token is valid for ${span(Math.floor(lifetime))}; Google documents at most 24 hours in one place and less than 48 in another; ${recorded}`);
  return pass(`the token is valid for ${span(Math.floor(lifetime))}`);
}

/** A time within Google's own words: as it is. */
function textOfTime(value: unknown): string | null {
  return typeof value === "number" ? String(value) : null;
}
