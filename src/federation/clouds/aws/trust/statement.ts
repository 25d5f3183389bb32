import { createHash } from "node:crypto";
import type { Json } from "../../../plan/step.ts";
import { withoutScheme } from "../arn.ts";

export const WEB_IDENTITY_ACTION = "sts:AssumeRoleWithWebIdentity";

/** What the statement of one issuer says. */
export interface TrustStatement {
  readonly issuer: string;
  readonly providerArn: string;
  readonly audiences: readonly string[];
  /** `sub` claims; with `patterns` they may contain * and ?. */
  readonly subjects: readonly string[];
  readonly patterns: boolean;
}

/** Makes our statement findable among foreign ones: the same for one issuer in every role, and different for each issuer. */
export function statementId(issuer: string): string {
  const hash = createHash("sha256").update(`AssumeRoleWithWebIdentity ${issuer}`).digest("hex").slice(0, 16);
  return `Kubeassume${hash}`;
}

/**
 * Lets exactly these subjects, with one of these audiences, assume the role: both conditions always, sorted, so that the
 * same input gives the same text (IAM User Guide, "Creating a role for OpenID Connect federation").
 */
export function toStatement(trust: TrustStatement): { readonly [member: string]: Json } {
  const key = withoutScheme(trust.issuer);
  const audience = { [`${key}:aud`]: oneOrList(trust.audiences) };
  const subject = { [`${key}:sub`]: oneOrList(trust.subjects) };
  const condition: { readonly [operator: string]: Json } = trust.patterns ? { StringEquals: audience, StringLike: subject } : { StringEquals: { ...audience, ...subject } };
  return {
    Sid: statementId(trust.issuer),
    Effect: "Allow",
    Principal: { Federated: trust.providerArn },
    Action: WEB_IDENTITY_ACTION,
    Condition: condition,
  };
}

/** A trust policy with nothing but our statement. */
export function toTrustPolicy(trust: TrustStatement): Json {
  return { Version: "2012-10-17", Statement: [toStatement(trust)] };
}

function oneOrList(values: readonly string[]): Json {
  const sorted = [...new Set(values)].sort();
  const [only] = sorted;
  return sorted.length === 1 && only !== undefined ? only : sorted;
}
