import { differenceOf } from "../../../oidc/difference.ts";
import { withoutScheme } from "../arn.ts";
import type { Facts } from "./facts.ts";
import { invalidToken, WORDS } from "./refusals.ts";
import { argument, fail, pass, printable, quote, skip } from "../../judge/rule.ts";
import type { Answer } from "../../judge/rule.ts";
import type { Rule } from "./rule.ts";
import { NO_TOKEN } from "../../judge/token.ts";

/** The look-up of the provider and what it says about audiences. */
export const providerRules: readonly Rule[] = [
  { id: "aws-token-issuer-provider", judge: judgeProvider },
  { id: "aws-token-single-audience", judge: judgeSingleAudience },
  { id: "aws-token-audience", judge: judgeAudience },
];

function judgeProvider(facts: Facts): Answer {
  const { issuer, input, roleArn } = facts;
  if (issuer === null) return skip("the token has no iss that can be read");
  const refuse = (message: string, hint = `create it: kubeassume setup aws --issuer-url ${argument(issuer, "ISSUER")}`): Answer =>
    fail(invalidToken(`${WORDS.noProvider} ${printable(issuer)}`), message, hint);
  if (input.provider === null) return refuse(`no OIDC provider for ${quote(issuer)} exists in ${roleArn === null ? "the role's account" : `account ${roleArn.account}`}`);
  const url = withoutScheme(input.provider.Url);
  const difference = differenceOf(`https://${url}`, issuer);
  if (difference !== null) {
    const slash = issuer === `https://${url}/` || `${issuer}/` === `https://${url}`;
    const why = slash ? "a trailing slash makes it another provider" : difference.words;
    return refuse(`the token's iss is ${quote(issuer)} and the provider's URL ${quote(`https://${url}`)}: ${why}`);
  }
  const problem = arnProblem(facts, url);
  return problem === null ? pass(`the provider's URL is the token's iss, ${quote(issuer)}`) : refuse(problem.message, problem.hint);
}

/** STS looks the provider up in the account and partition of the role. */
function arnProblem({ input, roleArn }: Facts, url: string): { message: string; hint: string } | null {
  const arn = input.provider?.Arn;
  if (arn === undefined) return null;
  const [, partition, account, tail] = /^arn:([\w-]+):iam::(\d{12}):oidc-provider\/(.+)$/.exec(arn) ?? [];
  if (tail !== url) {
    return { message: `the provider's Arn ${quote(arn)} does not end in its Url ${quote(url)}`, hint: "give the Arn and the Url of one provider" };
  }
  if (roleArn === null || (roleArn.account === account && roleArn.partition === partition)) return null;
  return {
    message: `the provider is in account ${account} (${partition}) and the role in ${roleArn.account} (${roleArn.partition})`,
    hint: "use a role of the provider's account, or run kubeassume setup aws with credentials of the role's account",
  };
}

function judgeSingleAudience({ jwt, audiences, authorizedParty }: Facts): Answer {
  if (jwt === null) return skip(NO_TOKEN);
  if (authorizedParty !== null) return pass(`azp says which audience counts: ${quote(authorizedParty)}`);
  if (audiences === null || audiences.length === 0) return skip("the token has no aud that can be read");
  if (audiences.length === 1) return pass("the token has one audience");
  const list = audiences.slice(0, 5).map(quote).join(", ");
  return fail(invalidToken(WORDS.manyAudiences), `the token has ${audiences.length} audiences (${list}) and no azp`);
}

function judgeAudience({ audience, authorizedParty, audiences, input: { provider } }: Facts): Answer {
  if (audience === null) return skip(audiences === null ? "the token has no aud that can be read" : "no single audience counts");
  if (provider === null) return skip("there is no provider that could list it");
  const registered = provider.ClientIDList ?? [];
  const claim = authorizedParty === null ? "audience" : "azp";
  if (registered.includes(audience)) return pass(`the provider lists the token's ${claim} ${quote(audience)}`);
  // Recorded: the generic words for azp and for an empty audience. The specific ones are what users of EKS report.
  const words = authorizedParty !== null || audience === "" ? WORDS.notValidated : WORDS.wrongAudience;
  const listed = registered.length === 0 ? "none" : registered.slice(0, 5).map(quote).join(", ");
  const mint = registered[0] ?? "sts.amazonaws.com";
  const hint = `add it with kubeassume setup aws --audience ${argument(audience, "AUDIENCE")}, or mint the token with --audience ${argument(mint, "AUDIENCE")}`;
  return fail(invalidToken(words), `the token's ${claim} is ${quote(audience)} and the provider lists ${listed}`, hint);
}
