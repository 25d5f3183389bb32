import type { Caller, CloudInput } from "../../cloud.ts";
import { createProblems } from "../../input.ts";
import { codes } from "../../../errors/codes.ts";
import { KubeassumeError } from "../../../errors/error.ts";
import type { JsonObject } from "../../../oidc/json.ts";
import { givenText, readIds } from "../input/common.ts";
import { poolName, providerName } from "../names.ts";
import { chooseAccess, projectOf } from "./chosen.ts";
import { readPolicy } from "./policies.ts";
import { mapBounded, type Session } from "./session.ts";
import { providerFields } from "./trust-fields.ts";
import { canonicalPool, idOf, listPools, listProviders, readPool, readProvider } from "./trust-resources.ts";

/**
 * Google's records of pool, provider and the policy that has to allow the access, in the shape of `--trust-file`; null
 * for what does not exist. The pool of `--pool-id`, else the one whose provider has the issuer. Throws FLAG_MISSING when
 * several have it.
 */
export async function readTrust(session: Session, input: CloudInput, issuer: string, caller: Caller): Promise<Readonly<Record<string, unknown>>> {
  const { email, policyOwner } = chooseAccess(input, caller);
  const [trust, policy] = await Promise.all([readPoolAndProvider(session, input, issuer, caller), readPolicy(session, policyOwner)]);
  return { ...trust, ...(email === null ? { projectPolicy: policy } : { serviceAccountPolicy: policy, serviceAccount: email }) };
}

interface Trust {
  readonly pool: JsonObject | null;
  readonly provider: JsonObject | null;
}

async function readPoolAndProvider(session: Session, input: CloudInput, issuer: string, caller: Caller): Promise<Trust> {
  if (givenText(input, "poolId") === null) return findByIssuer(session, projectOf(input, caller), issuer, caller);
  const problems = createProblems();
  const place = { ...readIds(input, problems), project: caller.account };
  problems.throwAll();
  const [pool, provider] = await Promise.all([readPool(session, poolName(place)), readProvider(session, providerName(place))]);
  return { pool, provider };
}

async function findByIssuer(session: Session, project: string, issuer: string, caller: Caller): Promise<Trust> {
  const pools = await listPools(session, project);
  const found = (await mapBounded(pools, async (pool) => (await listProviders(session, canonicalPool(pool, caller.account))).map((provider) => ({ pool, provider }))))
    .flat()
    .filter(({ provider }) => providerFields(provider)["issuerUri"] === issuer);
  const [first] = found;
  if (found.length > 1) {
    const names = found.map(({ pool, provider }) => `${idOf(pool)}/${idOf(provider)}`).join(", ");
    throw new KubeassumeError(codes.FLAG_MISSING, { message: `several providers of project ${project} are for ${issuer}: ${names}`, hint: "give --pool-id and --provider-id" });
  }
  return first ?? { pool: null, provider: null };
}
