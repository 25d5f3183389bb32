import type { Caller } from "../cloud.ts";
import { codes } from "../../errors/codes.ts";
import { KubeassumeError } from "../../errors/error.ts";
import { isPartition, type Partition } from "./partition.ts";

/** The roles that kubeassume makes live under this path, so that a policy can name them all. */
export const ROLE_PATH = "/kubeassume/";

/** Where everything of one operator lives. */
export interface Account {
  readonly partition: Partition;
  readonly account: string;
}

export interface RoleArn extends Account {
  /** Begins and ends with a slash. */
  readonly path: string;
  readonly name: string;
}

const ROLE_NAME = /^[\w+=,.@-]{1,64}$/;
const PATH = "(?:[\\x21-\\x2e\\x30-\\x7e]+/)*";

/** Partition and account of the caller, from the ARN that GetCallerIdentity answers. */
export function accountOf(caller: Caller): Account {
  const partition = caller.name.split(":")[1] ?? "";
  if (!isPartition(partition)) {
    throw new KubeassumeError(codes.DEFECT, { message: `the caller ${JSON.stringify(caller.name)} is in a partition that kubeassume does not know` });
  }
  return { partition, account: caller.account };
}

/** IAM keys the provider by the issuer without its scheme, path kept and case kept. */
export function providerArn(issuer: string, { partition, account }: Account): string {
  return `arn:${partition}:iam::${account}:oidc-provider/${withoutScheme(issuer)}`;
}

/** The issuer as it stands in provider ARNs and in condition keys. */
export function withoutScheme(issuer: string): string {
  return issuer.replace(/^https:\/\//, "");
}

/** The ARN of a role, its path included. */
export function roleArn({ partition, account, path, name }: RoleArn): string {
  return `arn:${partition}:iam::${account}:role${path}${name}`;
}

/** Null when the text is no role ARN, such as the ARN of an assumed role. */
export function parseRoleArn(text: string): RoleArn | null {
  const match = new RegExp(`^arn:([a-z-]+):iam::(\\d{12}):role/(${PATH})([^/]+)$`).exec(text);
  if (match === null) return null;
  const [, partition = "", account = "", path = "", name = ""] = match;
  if (!isPartition(partition) || !isRoleName(name)) return null;
  return { partition, account, path: `/${path}`, name };
}

/** Customer-managed policies have an account, AWS's own have the word `aws` in its place. */
export function parsePolicyArn(text: string): { readonly partition: Partition; readonly account: string } | null {
  const match = new RegExp(`^arn:([a-z-]+):iam::(\\d{12}|aws):policy/${PATH}[\\w+=,.@-]{1,128}$`).exec(text);
  if (match === null) return null;
  const [, partition = "", account = ""] = match;
  return isPartition(partition) ? { partition, account } : null;
}

/** Whether IAM takes it as a role name (CreateRole, RoleName). */
export function isRoleName(text: string): boolean {
  return ROLE_NAME.test(text);
}
