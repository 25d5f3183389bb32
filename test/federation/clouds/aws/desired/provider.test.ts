import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { judgeIssuer } from "../../../../../src/federation/clouds/aws/desired/judge-issuer.ts";
import { desiredSetup } from "../../../../../src/federation/clouds/aws/desired/provider.ts";
import { toSetupSpec } from "../../../../../src/federation/clouds/aws/input/setup-spec.ts";
import { describeSetup } from "../../../../../src/federation/clouds/aws/texts/describe.ts";
import type { Caller } from "../../../../../src/federation/clouds/cloud.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import type { ChainFacts, IssuerFacts } from "../../../../../src/federation/oidc/read-issuer.ts";

const ISSUER = "https://oidc.example.com/prod";
const THUMBPRINT = "0123456789abcdef0123456789abcdef01234567";
const CALLER: Caller = { name: "arn:aws:sts::123456789012:assumed-role/Admin/me", account: "123456789012" };
const CHINA: Caller = { name: "arn:aws-cn:iam::123456789012:user/me", account: "123456789012" };
const GOV: Caller = { name: "arn:aws-us-gov:iam::123456789012:user/me", account: "123456789012" };
const KEY = { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" }), kid: "one", use: "sig", alg: "RS256" };
const DISCOVERY = {
  issuer: ISSUER,
  jwks_uri: `${ISSUER}/openid/v1/jwks`,
  response_types_supported: ["id_token"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
};

function spec(flags: FlagValues = {}) {
  return toSetupSpec({ flags: { issuerUrl: ISSUER, ...flags }, config: null });
}

function chain(publiclyTrusted: boolean): ChainFacts {
  return { publiclyTrusted, thumbprints: [{ host: "oidc.example.com", thumbprint: THUMBPRINT.toUpperCase(), notAfter: "2030-01-01T00:00:00Z" }], warnings: [] };
}

function facts(parts: Partial<IssuerFacts> = {}): IssuerFacts {
  const headers = { contentType: "application/json", cacheControl: "max-age=60" };
  return { issuer: ISSUER, discovery: DISCOVERY, jwksUri: DISCOVERY.jwks_uri, jwks: { keys: [KEY] }, headers: { discovery: headers, jwks: headers }, chain: chain(true), ...parts };
}

function fields(flags: FlagValues, issuer: IssuerFacts, caller = CALLER) {
  const { resources, problems, warnings } = desiredSetup(spec(flags), issuer, caller, []);
  return { ...resources[0]?.fields, target: resources[0]?.target, problems: problems.map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
}

describe("the desired provider", () => {
  it("has its ARN from issuer, partition and account, and both marks", () => {
    expect(fields({}, facts())).toEqual({
      target: "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod",
      audiences: ["sts.amazonaws.com"],
      tags: ["kubeassume.dev/managed-by=kubeassume", `kubeassume.dev/issuer=${ISSUER}`],
      problems: [],
      warnings: [],
    });
  });

  it.each([
    ["leaves thumbprints out for a publicly trusted chain", {}, true, undefined],
    ["registers the top of a private chain, in lower case", {}, false, [THUMBPRINT]],
    ["leaves thumbprints alone with none", { thumbprint: "none" }, false, undefined],
    ["registers what was given", { thumbprint: "f".repeat(40) }, false, ["f".repeat(40)]],
  ])("%s", (_, flags, publiclyTrusted, thumbprints) => {
    expect(fields(flags, facts({ chain: chain(publiclyTrusted) }))).toMatchObject(thumbprints === undefined ? {} : { thumbprints });
    expect("thumbprints" in fields(flags, facts({ chain: chain(publiclyTrusted) }))).toBe(thumbprints !== undefined);
  });

  it("takes partition and default audience from the caller, with a warning where the convention is unconfirmed", () => {
    expect(fields({}, facts(), CHINA)).toMatchObject({ target: "arn:aws-cn:iam::123456789012:oidc-provider/oidc.example.com/prod", audiences: ["sts.amazonaws.com.cn"], warnings: [] });
    expect(fields({}, facts(), GOV)).toMatchObject({ audiences: ["sts.amazonaws.com"], warnings: ["AWS_GOVCLOUD_AUDIENCE"] });
    expect(fields({ audience: ["mine"] }, facts(), GOV)).toMatchObject({ audiences: ["mine"], warnings: [] });
  });

  it("refuses a region of another partition than the credentials'", () => {
    expect(fields({ region: "cn-north-1" }, facts()).problems).toEqual(["AWS_PARTITION_MISMATCH"]);
  });

  it("is described with its trust policy and the next command", () => {
    const description = describeSetup(spec({ region: "eu-west-1" }), facts({ chain: chain(false) }), CALLER);
    expect(description).toMatchObject({ provider: "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod", audiences: ["sts.amazonaws.com"], thumbprint: THUMBPRINT });
    expect(description.nextSteps[0]).toContain("kubeassume grant aws --issuer-url https://oidc.example.com/prod --region eu-west-1 ");
    expect(JSON.stringify(description.trustPolicy)).toContain('"oidc.example.com/prod:sub":"system:serviceaccount:NAMESPACE:NAME"');
  });
});

function judged(parts: Partial<IssuerFacts>, flags: FlagValues = {}) {
  const { problems, warnings } = judgeIssuer(facts(parts), spec(flags));
  return { problems: problems.map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
}

describe("the issuer as AWS reads it", () => {
  it("is fine when it is", () => {
    expect(judged({})).toEqual({ problems: [], warnings: [] });
  });

  it.each([
    ["another issuer in its discovery", { discovery: { ...DISCOVERY, issuer: `${ISSUER}/` } }, ["ISSUER_MISMATCH"]],
    ["a discovery without subject_types_supported", { discovery: { ...DISCOVERY, subject_types_supported: undefined } }, ["DISCOVERY_INCOMPLETE"]],
    ["a discovery that is no object", { discovery: [] }, ["DISCOVERY_MALFORMED"]],
    ["no keys", { jwks: { keys: [] } }, ["JWKS_EMPTY"]],
    ["a private key", { jwks: { keys: [{ ...KEY, d: "AQAB" }] } }, ["JWKS_PRIVATE_KEY"]],
    ["only keys with key_ops", { jwks: { keys: [{ ...KEY, key_ops: ["verify"] }] } }, ["AWS_NO_USABLE_KEY"]],
    ["only keys for encryption", { jwks: { keys: [{ ...KEY, use: "enc" }] } }, ["AWS_NO_USABLE_KEY"]],
    ["only keys without kid", { jwks: { keys: [{ ...KEY, kid: undefined }] } }, ["AWS_NO_USABLE_KEY"]],
    ["only keys of a kind that AWS does not take", { jwks: { keys: [{ kty: "OKP", crv: "Ed25519", x: "AA", kid: "ed" }] } }, ["AWS_NO_USABLE_KEY"]],
    ["101 RSA keys", { jwks: { keys: Array.from({ length: 101 }, (_, index) => ({ ...KEY, kid: `k${index}` })) } }, ["AWS_TOO_MANY_KEYS"]],
    ["two problems at once", { discovery: [], jwks: { keys: [] } }, ["DISCOVERY_MALFORMED", "JWKS_EMPTY"]],
  ])("is refused for %s", (_, parts, problems) => {
    expect(judged(parts).problems).toEqual(problems);
  });

  it.each([
    ["a key beside the good one that AWS ignores", { jwks: { keys: [KEY, { ...KEY, kid: "two", key_ops: ["verify"] }] } }, {}, ["AWS_KEY_UNUSABLE"]],
    ["algorithms that AWS does not take", { discovery: { ...DISCOVERY, id_token_signing_alg_values_supported: ["EdDSA"] } }, {}, ["AWS_ALGORITHMS_UNSUPPORTED"]],
    ["a thumbprint that AWS would not look at", {}, { thumbprint: THUMBPRINT }, ["AWS_THUMBPRINT_UNUSED"]],
    ["a thumbprint of another chain", { chain: chain(false) }, { thumbprint: "f".repeat(40) }, ["AWS_THUMBPRINT_DIFFERS"]],
  ])("is a warning for %s", (_, parts, flags: FlagValues, warnings) => {
    expect(judged(parts, flags)).toEqual({ problems: [], warnings });
  });

  it("takes 100 keys of each kind and the same key twice", () => {
    expect(judged({ jwks: { keys: Array.from({ length: 100 }, (_, index) => ({ ...KEY, kid: `k${index}` })) } })).toEqual({ problems: [], warnings: [] });
    expect(judged({ jwks: { keys: [KEY, KEY] } })).toEqual({ problems: [], warnings: [] });
  });

  it("warns of a kid that a later, different key has too: AWS takes the last", () => {
    const other = { ...generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" }), kid: "one", use: "sig" };
    expect(judged({ jwks: { keys: [KEY, other] } })).toEqual({ problems: [], warnings: ["AWS_KEY_UNUSABLE"] });
  });

  it("warns of a port: what AWS does with one is unconfirmed", () => {
    const issuer = "https://oidc.example.com:8443";
    const { problems, warnings } = judgeIssuer(facts({ discovery: { ...DISCOVERY, issuer } }), spec({ issuerUrl: issuer }));
    expect([problems, warnings.map(({ code }) => code)]).toEqual([[], ["ISSUER_PORT"]]);
  });
});
