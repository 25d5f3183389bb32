import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseTrustFile } from "../../../../../src/federation/clouds/gcp/judge/trust-file.ts";
import { judgeGcp } from "../../../../../src/federation/clouds/gcp/judge/judge.ts";
import { describeGrant, describeSetup } from "../../../../../src/federation/clouds/gcp/texts/describe.ts";
import { trustPolicy } from "../../../../../src/federation/clouds/gcp/texts/trust-policy.ts";
import type { Manifest } from "../../../../../src/federation/clouds/cloud.ts";
import type { FlagValues } from "../../../../../src/federation/clouds/options.ts";
import { CALLER, configWith, EMAIL, facts, grants, ISSUER, JWKS, MARK, MEMBER, NOW, NUMBER, OWN_AUDIENCE, POOL, problemsOf, PROVIDER, setup, token } from "../scene.ts";

const ROLE = "roles/storage.objectViewer";
const FLAGS = { issuerUrl: ISSUER, projectNumber: NUMBER, poolId: "prod", serviceAccount: ["payments/api"] };
const TOKEN = "/var/run/secrets/sts.googleapis.com/serviceaccount/token";
const FILE = "/var/run/secrets/workload-identity/federation.json";

function texts(flags: FlagValues = {}) {
  return trustPolicy({ flags: { ...FLAGS, ...flags }, config: null });
}

function described(flags: FlagValues, caller = CALLER) {
  const [spec] = grants({ serviceAccount: ["payments/api"], ...flags });
  if (spec === undefined) throw new Error("no grant");
  return describeGrant(spec, caller);
}

function yamlOf(manifests: readonly Manifest[], kind: string): unknown {
  return manifests.map(({ yaml }) => parse(yaml) as { readonly kind: string }).find((object) => object.kind === kind);
}

describe("the credential file", () => {
  it("has the members and the order of gcloud's for direct access", () => {
    expect(JSON.stringify(texts().credentialConfig, null, 2)).toBe(`{
  "universe_domain": "googleapis.com",
  "type": "external_account",
  "audience": "//iam.googleapis.com/${PROVIDER}",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "https://sts.googleapis.com/v1/token",
  "credential_source": {
    "file": "${TOKEN}"
  },
  "token_info_url": "https://sts.googleapis.com/v1/introspect"
}`);
  });

  it("has them for impersonation, and those of another universe where one is named", () => {
    const flags = { impersonate: EMAIL, universeDomain: "example.cloud" };
    expect(JSON.stringify(texts(flags).credentialConfig, null, 2)).toBe(`{
  "universe_domain": "example.cloud",
  "type": "external_account",
  "audience": "//iam.googleapis.com/${PROVIDER}",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "https://sts.example.cloud/v1/token",
  "credential_source": {
    "file": "${TOKEN}"
  },
  "service_account_impersonation_url": "https://iamcredentials.example.cloud/v1/projects/-/serviceAccounts/${EMAIL}:generateAccessToken"
}`);
    expect(described({ impersonate: EMAIL }, { ...CALLER, universe: "example.cloud" } as typeof CALLER).credentialConfig).toEqual(texts(flags).credentialConfig);
  });

  it("is the same for the same grant, offline and with a known caller", () => {
    expect(described({ role: [ROLE] }).credentialConfig).toEqual(texts({ role: [ROLE] }).credentialConfig);
  });
});

describe("the manifests of a grant", () => {
  const { manifests, env, serviceAccountAnnotations } = described({ role: [ROLE] });

  it("are the ServiceAccount as the existing webhook reads it, without an e-mail for direct access", () => {
    expect(yamlOf(manifests, "ServiceAccount")).toMatchObject({ metadata: { name: "api", namespace: "payments", annotations: serviceAccountAnnotations } });
    expect(serviceAccountAnnotations).toEqual({ "cloud.google.com/workload-identity-provider": PROVIDER, "cloud.google.com/audience": OWN_AUDIENCE, "cloud.google.com/injection-mode": "direct" });
    expect(described({ impersonate: EMAIL }).serviceAccountAnnotations).toMatchObject({ "cloud.google.com/service-account-email": EMAIL });
  });

  it("hold the credential file in a ConfigMap, byte for byte", () => {
    const map = yamlOf(manifests, "ConfigMap") as { readonly metadata: object; readonly data: Readonly<Record<string, string>> };
    expect(map.metadata).toEqual({ name: "api-gcp-credentials", namespace: "payments" });
    expect(map.data["federation.json"]).toBe(JSON.stringify(described({ role: [ROLE] }).credentialConfig, null, 2));
  });

  it("let a pod without a webhook find token, file and project where the webhook would put them", () => {
    const pod = manifests.map(({ yaml }) => parse(yaml) as { readonly kind: string; readonly spec?: { readonly volumes?: unknown } }).find(({ kind, spec }) => kind === "Pod" && spec?.volumes !== undefined);
    expect(pod).toMatchObject({
      spec: {
        serviceAccountName: "api",
        containers: [{ env: Object.entries(env).map(([name, value]) => ({ name, value })), volumeMounts: [{ mountPath: TOKEN.replace("/token", ""), readOnly: true }, { mountPath: FILE.replace("/federation.json", ""), readOnly: true }] }],
        volumes: [{ projected: { sources: [{ serviceAccountToken: { audience: OWN_AUDIENCE, expirationSeconds: 3600, path: "token" } }] } }, { configMap: { name: "api-gcp-credentials" } }],
      },
    });
    expect(env).toEqual({ GOOGLE_APPLICATION_CREDENTIALS: FILE, CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: FILE, GOOGLE_CLOUD_PROJECT: "acme-prod", CLOUDSDK_CORE_PROJECT: "acme-prod" });
  });

  it.each([
    [{ impersonate: "payments@other-project.iam.gserviceaccount.com" }, "other-project"],
    [{ impersonate: "123456-compute@developer.gserviceaccount.com" }, "acme-prod"],
  ])("name the project of the identity: %j", (flags, project) => {
    expect(described(flags).env).toMatchObject({ GOOGLE_CLOUD_PROJECT: project, CLOUDSDK_CORE_PROJECT: project });
  });

  it("say which of them can be applied as they stand", () => {
    expect(manifests.map(({ applicable }) => applicable)).toEqual([true, true, false, false]);
  });
});

describe("trust-policy gcp", () => {
  it("prints the resources as IAM has them, and what verify --trust-file reads", () => {
    expect(texts({ role: [ROLE], audience: ["a"], attributeCondition: "true", poolName: "Prod", subjectPrefix: "p:" }).trustPolicy).toEqual({
      pool: { name: POOL, displayName: "Prod", description: MARK, state: "ACTIVE" },
      provider: {
        name: PROVIDER,
        description: MARK,
        state: "ACTIVE",
        attributeMapping: expect.objectContaining({ "google.subject": "'p:' + assertion.sub" }),
        attributeCondition: "true",
        oidc: { issuerUri: ISSUER, allowedAudiences: ["a"] },
      },
      projectPolicy: { bindings: [{ role: ROLE, members: [MEMBER.replace("/subject/", "/subject/p:")] }] },
    });
  });

  it.each([{ role: [ROLE] }, { impersonate: EMAIL }])("is accepted by the judge with a token of the account: %j", (access) => {
    const records = parseTrustFile(JSON.stringify(texts(access).trustPolicy));
    const verdict = judgeGcp({ ...records, token: token(), discovery: facts().discovery, jwks: JWKS, at: NOW });
    expect(verdict.checks.filter(({ status }) => status === "fail")).toEqual([]);
    expect(verdict.accepted).toBe(true);
  });

  it("prints the commands that do the same by hand", () => {
    const { commands } = texts({ project: "acme-prod", impersonate: EMAIL, createServiceAccount: true, keys: "upload", jwksFile: "keys.json", audience: ["a,b", "c"], attributeCondition: "assertion.sub != ''" });
    expect(commands).toEqual([
      `gcloud iam workload-identity-pools create prod --project=acme-prod --location=global --description='${MARK}'`,
      expect.stringContaining(`gcloud iam workload-identity-pools providers create-oidc kubernetes --project=acme-prod --location=global --workload-identity-pool=prod --issuer-uri=${ISSUER} --allowed-audiences='^|^a,b|c' --attribute-mapping='google.subject=assertion.sub,`),
      `gcloud iam service-accounts create payments --project=acme-prod --display-name='payments (kubeassume)' --description='${MARK}'`,
      `gcloud iam service-accounts add-iam-policy-binding ${EMAIL} --project=acme-prod --role=roles/iam.workloadIdentityUser --member=${MEMBER} --condition=None`,
      `gcloud iam workload-identity-pools create-cred-config ${PROVIDER} --credential-source-file=${TOKEN} --service-account=${EMAIL} --output-file=federation.json`,
    ]);
    expect(commands[1]).toContain(`--attribute-condition='assertion.sub != '\\'''\\''' --jwk-json-path=keys.json`);
    expect(texts({ role: [ROLE] }).commands).toContain(`gcloud projects add-iam-policy-binding ${NUMBER} --role=${ROLE} --member=${MEMBER} --condition=None`);
    expect(texts({ role: [ROLE], on: "bucket:acme-x" }).commands).toContain(`gcloud storage buckets add-iam-policy-binding gs://acme-x --role=${ROLE} --member=${MEMBER} --condition=None`);
  });

  it("needs no access: pool, provider and pods are texts of their own", () => {
    const { trustPolicy: records, commands } = texts();
    expect(Object.keys(records as object)).toEqual(["pool", "provider"]);
    expect(commands).toHaveLength(3);
  });

  it.each([
    [{ projectNumber: undefined }, ["FLAG_MISSING"]],
    [{ projectNumber: "acme-prod" }, ["GCP_PROJECT_NUMBER_INVALID"]],
    [{ project: "123" }, ["GCP_PROJECT_INVALID"]],
    [{ serviceAccount: undefined }, ["FLAG_MISSING"]],
    [{ serviceAccount: ["x"] }, ["SERVICE_ACCOUNT_INVALID"]],
    [{ serviceAccount: [`payments/${"a".repeat(98)}`] }, ["GCP_SUBJECT_TOO_LONG"]],
    [{ on: "project" }, ["FLAGS_CONFLICT"]],
    [{ attributeCondition: "attribute.namespace == 'shop'" }, ["GCP_CONDITION_REJECTS_GRANTS"]],
    [{ attributeCondition: "(" , poolId: "x", audience: [""] }, ["GCP_ID_INVALID", "GCP_AUDIENCE_INVALID", "GCP_CONDITION_INVALID"]],
  ])("refuses %j", (flags, codes) => {
    expect(problemsOf(() => texts(flags))).toEqual(codes);
  });
});

describe("what setup and grant say in the end", () => {
  it("is the provider with its audience, and commands that can be pasted", () => {
    const { provider, audiences, thumbprint, nextSteps } = describeSetup(setup(), facts(), CALLER);
    expect({ provider, audiences, thumbprint }).toEqual({ provider: PROVIDER, audiences: [OWN_AUDIENCE], thumbprint: null });
    expect(nextSteps).toEqual([
      `kubeassume grant gcp --issuer-url ${ISSUER} --project acme-prod --pool-id prod --service-account NAMESPACE/NAME --role ROLE`,
      `kubeassume status gcp --issuer-url ${ISSUER} --project acme-prod --pool-id prod`,
    ]);
  });

  it("repeats in the next commands whatever differs from the default", () => {
    const { nextSteps } = describeSetup(setup({ keys: "upload", providerId: "edge", audience: ["my$audience"], subjectPrefix: "e:" }), facts(), CALLER);
    expect(nextSteps[1]).toBe(`kubeassume status gcp --issuer-url ${ISSUER} --project acme-prod --pool-id prod --provider-id edge --audience 'my$audience' --subject-prefix e: --keys upload`);
    expect(described({ role: [ROLE], on: "bucket:acme-x" }).nextSteps).toEqual([`kubeassume verify gcp --issuer-url ${ISSUER} --project acme-prod --pool-id prod --service-account payments/api --role ${ROLE} --on bucket:acme-x`]);
    expect(described({ impersonate: EMAIL, createServiceAccount: true }).nextSteps).toEqual([`kubeassume verify gcp --issuer-url ${ISSUER} --project acme-prod --pool-id prod --service-account payments/api --impersonate ${EMAIL}`]);
  });

  it("shows the uploaded keys, and only their public members", () => {
    const { trustPolicy: records } = describeSetup(setup({ keys: "upload" }), facts({ jwks: JWKS }), CALLER);
    expect(JSON.parse((records as { provider: { oidc: { jwksJson: string } } }).provider.oidc.jwksJson)).toEqual({ keys: [expect.objectContaining({ kid: "one" })] });
  });

  it("names the principal as a policy has it", () => {
    expect(described({ role: [ROLE] }).principal).toBe(MEMBER);
    expect(described({ impersonate: EMAIL }).principal).toBe(`serviceAccount:${EMAIL}`);
  });

  it("shows which policy gets which bindings", () => {
    expect(described({ role: [ROLE], on: "bucket:acme-x" }).trustPolicy).toEqual({ resource: "buckets/acme-x", bindings: [{ role: ROLE, members: [MEMBER] }] });
  });

  it("takes the place from the config", () => {
    const config = configWith({ issuer: ISSUER, clouds: { gcp: { project: "acme-prod", poolId: "prod" } } });
    expect(trustPolicy({ flags: { projectNumber: NUMBER, serviceAccount: ["payments/api"] }, config }).trustPolicy).toEqual(texts().trustPolicy);
  });
});
