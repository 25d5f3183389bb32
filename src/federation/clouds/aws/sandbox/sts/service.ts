import type { Field } from "../form.ts";
import type { Call, QueryService } from "../query.ts";
import type { XmlTree } from "../xml.ts";
import { assumeRoleWithWebIdentity } from "./assume-role.ts";

/** The bounds of what is judged with the token (role, session, duration) are the judge's own. */
const FIELDS: Readonly<Record<string, Field>> = {
  DurationSeconds: { kind: "number" },
  Policy: { kind: "text", min: 1 },
  PolicyArns: { kind: "list", min: 20, max: 2048, maxEntries: 10, entryMember: "arn" },
  ProviderId: { kind: "text", min: 4, max: 2048 },
  RoleArn: { kind: "text" },
  RoleSessionName: { kind: "text" },
  WebIdentityToken: { kind: "text" },
};

/** STS: who am I, and the exchange of a token for a session. */
export const sts: QueryService = {
  name: "sts",
  namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
  version: "2011-06-15",
  fields: FIELDS,
  unsigned: ["AssumeRoleWithWebIdentity"],
  actions: {
    GetCallerIdentity: { required: [], optional: [], resource: null, run: getCallerIdentity },
    AssumeRoleWithWebIdentity: {
      required: ["RoleArn", "RoleSessionName", "WebIdentityToken"],
      optional: ["DurationSeconds", "Policy", "PolicyArns", "ProviderId"],
      resource: null,
      run: assumeRoleWithWebIdentity,
    },
  },
};

/** Nobody needs a permission for this, and nobody can be denied it. */
function getCallerIdentity({ principal }: Call): XmlTree {
  return { UserId: principal?.userId, Account: principal?.account, Arn: principal?.arn };
}
