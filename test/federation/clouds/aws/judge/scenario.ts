import { sign } from "node:crypto";
import { expect } from "vitest";
import { judgeAws } from "../../../../../src/federation/clouds/aws/judge/judge.ts";
import type { AwsVerdict } from "../../../../../src/federation/clouds/aws/judge/judge.ts";
import type { AwsJudgeInput } from "../../../../../src/federation/clouds/aws/judge/facts.ts";
import type { Check } from "../../../../../src/federation/errors/checks.ts";
import { ecKey, rsaKey } from "../../../oidc/keys.ts";
import type { TestKey } from "../../../oidc/keys.ts";

export const issuer = "https://oidc.example.com/prod";
export const prefix = "oidc.example.com/prod";
export const subject = "system:serviceaccount:payments:api";
export const audience = "sts.amazonaws.com";
export const providerArn = `arn:aws:iam::111122223333:oidc-provider/${prefix}`;
export const roleArn = "arn:aws:iam::111122223333:role/kubeassume/payments-api";
/** 2026-11-23T12:00:00Z */
export const now = 1_795_435_200;
export const at = new Date(now * 1000);

export const rsa = rsaKey("rsa-1");
export const otherRsa = rsaKey("rsa-2");
export const ec256 = ecKey("ec-256", "P-256");
export const ec384 = ecKey("ec-384", "P-384");
export const ec521 = ecKey("ec-521", "P-521");

/** As the API server mints them: aud is a list even for one value. */
export const claims: Readonly<Record<string, unknown>> = {
  iss: issuer,
  sub: subject,
  aud: [audience],
  iat: now - 60,
  nbf: now - 60,
  exp: now + 3540,
  jti: "1b6e6c1e-32f0-4d3f-9f0a-2f6a4a1d8c55",
  "kubernetes.io": { namespace: "payments", serviceaccount: { name: "api", uid: "u" } },
};

export interface TokenOptions {
  readonly claims?: Record<string, unknown>;
  /** Exact text of the payload, for what JSON.stringify cannot write. */
  readonly payload?: string;
  readonly header?: Record<string, unknown>;
  readonly key?: TestKey;
  readonly algorithm?: string;
}

/** A truly signed token; RSASSA-PKCS1-v1_5 or ECDSA by the key. */
export function token(options: TokenOptions = {}): string {
  const key = options.key ?? rsa;
  const algorithm = options.algorithm ?? String(key.jwk.alg);
  const header = options.header ?? { alg: algorithm, kid: key.jwk.kid };
  const payload = options.payload ?? JSON.stringify({ ...claims, ...options.claims });
  const input = [JSON.stringify(header), payload].map((text) => Buffer.from(text).toString("base64url")).join(".");
  const signature = sign(`sha${algorithm.slice(2)}`, Buffer.from(input), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

export const discovery = {
  issuer,
  jwks_uri: `${issuer}/openid/v1/jwks`,
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"],
};

export const statement = {
  Effect: "Allow",
  Principal: { Federated: providerArn },
  Action: "sts:AssumeRoleWithWebIdentity",
  Condition: { StringEquals: { [`${prefix}:sub`]: subject, [`${prefix}:aud`]: audience } },
};

export const policy = { Version: "2012-10-17", Statement: [statement] };
export const provider = { Url: prefix, ClientIDList: [audience], ThumbprintList: [], Arn: providerArn };
export const role = { Arn: roleArn, MaxSessionDuration: 7200, AssumeRolePolicyDocument: policy as unknown };

/** Input of a call that AWS accepts, with some parts replaced. */
export function input(parts: Partial<AwsJudgeInput> = {}): AwsJudgeInput {
  return {
    token: token(),
    discovery,
    jwks: { keys: [rsa.jwk, ec256.jwk, ec384.jwk, ec521.jwk] },
    provider,
    role,
    request: { roleArn, roleSessionName: "session" },
    at,
    ...parts,
  };
}

export function judge(parts: Partial<AwsJudgeInput> = {}): AwsVerdict {
  return judgeAws(input(parts));
}

export function judgeClaims(changed: Record<string, unknown>, removed: readonly string[] = []): AwsVerdict {
  const kept = Object.entries({ ...claims, ...changed }).filter(([name]) => !removed.includes(name));
  return judge({ token: token({ payload: JSON.stringify(Object.fromEntries(kept)) }) });
}

/** Trust policy as given, everything else in order. */
export function judgePolicy(document: unknown, parts: Partial<AwsJudgeInput> = {}): AwsVerdict {
  return judge({ role: { ...role, AssumeRolePolicyDocument: document }, ...parts });
}

export function checkOf(verdict: AwsVerdict, id: string): Check {
  const found = verdict.checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

/** AWS's words for what it says most often, as recorded. */
export const words = {
  generic: "The web identity token provided could not be validated. See the AssumeRoleWithWebIdentity documentation for requirements.",
  noKey: "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
  notJwt: "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
  denied: "Not authorized to perform sts:AssumeRoleWithWebIdentity",
} as const;

/** Refused by that rule, with AWS's code, words and status. */
export function expectRefusal(verdict: AwsVerdict, refusedBy: string, code: string, cloudMessage: string | RegExp, httpStatus = 400): void {
  expect(verdict).toMatchObject({ accepted: false, refusedBy, code, httpStatus, session: null });
  if (typeof cloudMessage === "string") expect(verdict.cloudMessage).toBe(cloudMessage);
  else expect(verdict.cloudMessage).toMatch(cloudMessage);
  expect(checkOf(verdict, refusedBy).status).toBe("fail");
}
