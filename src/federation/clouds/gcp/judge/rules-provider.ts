import { differenceOf } from "../../../oidc/difference.ts";
import { member } from "../../../oidc/json.ts";
import { argument, fail, pass, printable, quote, skip, UNCONFIRMED, warn } from "../../judge/rule.ts";
import type { Answer, Rule } from "../../judge/rule.ts";
import { NO_TOKEN } from "../../judge/token.ts";
import { isProjectNumber, poolName } from "../names.ts";
import type { JudgeCheckId } from "./checks.ts";
import type { Facts } from "./facts.ts";
import { invalidGrant, invalidRequest, invalidTarget, WORDS } from "./refusals.ts";

/** What the exchange names as its target, before the token is looked at. */
export const targetRules: readonly Rule<JudgeCheckId, Facts>[] = [
  { id: "gcp-provider-name", judge: judgeName },
  { id: "gcp-pool", judge: judgePool },
  { id: "gcp-provider", judge: judgeProvider },
];

/** What the provider says about the token's issuer. */
export const issuerRule: Rule<JudgeCheckId, Facts> = { id: "gcp-token-issuer", judge: judgeIssuer };
/** What the provider says about the token's audience. */
export const audienceRule: Rule<JudgeCheckId, Facts> = { id: "gcp-token-audience", judge: judgeAudience };

const NO_PROVIDER = "there is no provider";
const NOT_READ = "it was not read: the token is refused whatever it is";
const UNDELETE = "undelete and repair it: kubeassume setup gcp does both within 30 days";

function judgeName({ input: { provider }, place }: Facts): Answer {
  if (!provider) return skip(NO_PROVIDER);
  const refuse = (message: string): Answer => fail(invalidRequest(WORDS.targetName), message);
  if (place === null) return refuse(`${quote(provider.name)} is not the resource name of a provider`);
  if (!isProjectNumber(place.project)) return refuse(`${quote(provider.name)} names the project by its ID ${quote(place.project)} where the number belongs ${UNCONFIRMED}`);
  return pass(`the provider is ${quote(provider.name)}`);
}

function judgePool({ input: { pool } }: Facts): Answer {
  if (pool === undefined) return skip(NOT_READ);
  if (pool === null) return fail(invalidTarget(), "the pool does not exist");
  if (pool.state === "DELETED") return fail(invalidTarget(), `the pool ${quote(pool.name)} is deleted`, UNDELETE);
  if (pool.disabled === true) return fail(invalidTarget(), `the pool ${quote(pool.name)} is disabled`, "enable it: gcloud iam workload-identity-pools update POOL --location global --no-disabled");
  if (pool.state !== undefined && pool.state !== "ACTIVE") return warn(`the pool is in state ${quote(pool.state)}; what Google does then is unknown ${UNCONFIRMED}`);
  return pass(`the pool ${quote(pool.name)} is active`);
}

function judgeProvider({ input: { pool, provider }, place }: Facts): Answer {
  if (provider === undefined) return skip(NOT_READ);
  if (provider === null) return fail(invalidTarget(), "the provider does not exist");
  if (provider.state === "DELETED") return fail(invalidTarget(), `the provider ${quote(provider.name)} is deleted`, UNDELETE);
  if (provider.disabled === true) {
    return fail(invalidTarget(), `the provider ${quote(provider.name)} is disabled`, "enable it: gcloud iam workload-identity-pools providers update-oidc PROVIDER --workload-identity-pool POOL --location global --no-disabled");
  }
  if (pool && place !== null && pool.name !== poolName(place)) {
    return fail(invalidTarget(), `the provider ${quote(provider.name)} is not of the pool ${quote(pool.name)}`, "give the pool and the provider of one place");
  }
  if (provider.oidc === undefined) return fail(invalidRequest(WORDS.targetName), `the provider takes no JWT: it is of another kind than OIDC ${UNCONFIRMED}`, "name a provider that was made for OIDC");
  if (provider.state !== undefined && provider.state !== "ACTIVE") return warn(`the provider is in state ${quote(provider.state)}; what Google does then is unknown ${UNCONFIRMED}`);
  return pass(`the provider ${quote(provider.name)} is active`);
}

function judgeIssuer({ jwt, claims, issuer, input: { provider } }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  const wanted = provider?.oidc?.issuerUri;
  if (wanted === undefined) return skip(NO_PROVIDER);
  if (issuer === null) return skip(member(claims, "iss") === undefined ? "the token has no iss" : "the token's iss is not a string");
  const difference = differenceOf(wanted, issuer);
  if (difference === null) return pass(`the token's iss is the provider's issuer, ${quote(issuer)}`);
  const slash = `${issuer}/` === wanted || issuer === `${wanted}/`;
  const why = slash ? "a trailing slash makes it another issuer" : difference.words;
  const hint = `set the provider's issuer: kubeassume setup gcp --issuer-url ${argument(issuer, "ISSUER")}, or use a token of ${argument(wanted, "the provider's issuer")}`;
  return fail(wrongIssuer(issuer, wanted), `the token's iss is ${quote(issuer)} and the provider's issuer ${quote(wanted)}: ${why}`, hint);
}

export function wrongIssuer(issuer: string | null, wanted: string): ReturnType<typeof invalidGrant> {
  return invalidGrant(`The issuer in ID Token ${shown(issuer)} does not match the expected one in config: ${shown(wanted)}.`);
}

export function wrongAudience(audiences: readonly string[]): ReturnType<typeof invalidGrant> {
  return invalidGrant(`The audience in ID Token [${audiences.map(shown).join(", ")}] does not match the expected audience.`);
}

function judgeAudience({ audiences, audience, allowed, place, input: { provider } }: Facts): Answer {
  if (audiences === null) return skip("the token has no aud that can be read");
  if (!provider) return skip(NO_PROVIDER);
  const own = (provider.oidc?.allowedAudiences ?? []).length === 0;
  if (audience !== null) {
    const taken = own ? `the provider takes its own name as audience, ${quote(audience)}` : `the provider allows the token's audience ${quote(audience)}`;
    return audiences.length === 1 ? pass(taken) : warn(`${taken}; the token has ${audiences.length} audiences, and whether Google takes one of several is unknown ${UNCONFIRMED}`);
  }
  const got = audiences.length === 0 ? "no audience" : audiences.slice(0, 5).map(quote).join(", ");
  const wants = own ? `its own name, ${quote(allowed[0] ?? "")}` : allowed.slice(0, 5).map(quote).join(", ");
  const byId = place !== null && audiences.some((one) => namesByProjectId(one, place.poolId));
  const why = byId ? "; it names the project by its ID where the number belongs" : "";
  const mint = `mint the token with --audience ${argument(allowed[0] ?? null, "AUDIENCE")}`;
  const hint = byId ? mint : `${mint}, or allow it: kubeassume setup gcp --audience ${argument(audiences[0] ?? null, "AUDIENCE")}`;
  return fail(wrongAudience(audiences), `the token is for ${got} and the provider takes ${wants}${why}`, hint);
}

function namesByProjectId(audience: string, poolId: string): boolean {
  const [, project, pool] = /^(?:https:)?\/\/iam\.googleapis\.com\/projects\/([^/]+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/providers\//.exec(audience) ?? [];
  return project !== undefined && pool === poolId && !isProjectNumber(project);
}

/** A claim or a record's value within Google's own words. */
function shown(value: string | null): string {
  return value === null ? "null" : printable(value);
}
