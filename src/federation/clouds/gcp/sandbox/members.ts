import { parseServiceAccountEmail } from "../names.ts";
import { invalidArgument } from "./errors.ts";
import type { GcpState } from "./state.ts";

const EMAIL = /^[^@\s:]+@[^@\s:]+\.[^@\s:]+$/;
/** cloud.google.com/iam/docs/principal-identifiers */
const POOL_MEMBER = /^(principal|principalSet):\/\/iam\.googleapis\.com\/(projects\/[^/]+\/locations\/[^/]+\/workloadIdentityPools\/[^/]+)\/(.+)$/;
const WORKFORCE_MEMBER = /^(?:principal:\/\/iam\.googleapis\.com\/locations\/global\/workforcePools\/[^/]+\/subject\/.+|principalSet:\/\/iam\.googleapis\.com\/locations\/global\/workforcePools\/[^/]+\/(?:\*|group\/.+|attribute\.[a-z0-9_]+\/.+))$/;
const OF_SET = /^(?:\*|group\/.+|attribute\.[a-z0-9_]+\/.+)$/;

/**
 * Lets a new member of a policy through, or refuses it as Google does: an unknown kind, a malformed one, a pool or
 * service account that is not there. A pool is looked up by the name in its resource, which has the project's number.
 *
 * @throws GoogleError INVALID_ARGUMENT
 */
export function checkMember(member: string, state: GcpState): void {
  if (member === "allUsers" || member === "allAuthenticatedUsers") return;
  const [, kind = "", rest = ""] = /^([A-Za-z]+):(.*)$/s.exec(member) ?? [];
  switch (kind) {
    case "user":
    case "group":
      if (!EMAIL.test(rest)) throw invalidArgument(`Invalid email address in member: ${member}`);
      return;
    case "serviceAccount":
      return checkServiceAccount(rest, member, state);
    case "domain":
      if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(rest)) throw invalidArgument(`Invalid domain in member: ${member}`);
      return;
    case "deleted":
      if (!/^(?:user|group|serviceAccount):[^?]+\?uid=\d+$/.test(rest) && !rest.startsWith("principal")) throw invalidArgument(`Invalid deleted member: ${member}`);
      return;
    case "principal":
    case "principalSet":
      return checkPrincipal(member, state);
    default:
      throw invalidArgument(`The member ${member} is of an unknown type. Please set a valid type prefix for the member.`);
  }
}

/** Accounts of other projects, and those of Google's own services, are not known here and pass. */
function checkServiceAccount(email: string, member: string, state: GcpState): void {
  if (!EMAIL.test(email)) throw invalidArgument(`Invalid service account in member: ${member}`);
  const known = parseServiceAccountEmail(email);
  if (known?.kind === "user" && known.project === state.project.id && !state.serviceAccounts.has(email)) throw invalidArgument(`Service account ${email} does not exist.`);
}

function checkPrincipal(member: string, state: GcpState): void {
  const [, kind, pool = "", what = ""] = POOL_MEMBER.exec(member) ?? [];
  if (pool === "") {
    if (!WORKFORCE_MEMBER.test(member)) throw invalidArgument(`Invalid principal in member: ${member}`);
    return;
  }
  if (!state.pools.has(pool)) {
    throw invalidArgument(`Identity Pool does not exist (${pool}). Please check that you specified a valid resource name as returned in the \`name\` attribute in the configuration API.`);
  }
  if (!(kind === "principal" ? /^subject\/.+$/ : OF_SET).test(what)) throw invalidArgument(`Invalid principal in member: ${member}`);
}
