import type { OptionDefinition } from "../options.ts";

const issuerUrl: OptionDefinition = { name: "issuer-url", value: "URL", description: "the issuer, exactly as tokens carry it", defaultText: "issuer in kubeassume.yaml" };
const project: OptionDefinition = { name: "project", value: "ID", description: "the project of the pool: its ID, not its number", defaultText: "clouds.gcp.project" };
const projectNumber: OptionDefinition = { name: "project-number", value: "NUMBER", description: "the project's number" };
const poolId: OptionDefinition = { name: "pool-id", value: "ID", description: "the workload identity pool, best one per cluster", defaultText: "clouds.gcp.poolId" };
const providerId: OptionDefinition = { name: "provider-id", value: "ID", description: "the provider in the pool", defaultText: "kubernetes" };
const poolName: OptionDefinition = { name: "pool-name", value: "TEXT", description: "the pool's display name, at most 32 characters" };
const audience: OptionDefinition = { name: "audience", value: "AUDIENCE", repeatable: true, description: "what tokens carry as aud", defaultText: "the provider's own name" };
const subjectPrefix: OptionDefinition = { name: "subject-prefix", value: "TEXT", description: "before sub: tells clusters of a pool apart" };
const keys: OptionDefinition = { name: "keys", value: "SOURCE", choices: ["discovery", "upload"], description: "whether Google reads the keys at the issuer or stores them in the provider", defaultText: "discovery" };
const condition: OptionDefinition = { name: "attribute-condition", value: "CEL", description: "which tokens are let in; empty: all" };
const adopt: OptionDefinition = { name: "adopt", description: "take over what exists without kubeassume's mark" };
const serviceAccount: OptionDefinition = { name: "service-account", value: "NAMESPACE/NAME", repeatable: true, description: "who gets the access" };
const role: OptionDefinition = { name: "role", value: "ROLE", repeatable: true, description: "direct access: a role for the service account itself" };
const on: OptionDefinition = { name: "on", value: "project|bucket:NAME", description: "where the roles are given", defaultText: "project" };
const impersonate: OptionDefinition = { name: "impersonate", value: "EMAIL", description: "the Google service account to become, instead of direct access" };
const create: OptionDefinition = { name: "create-service-account", description: "make the one that --impersonate names when it does not exist" };
const jwksFile: OptionDefinition = { name: "jwks-file", value: "FILE", description: "with --keys upload: the keys of this JWKS", defaultText: "the cluster's keys" };

const place = [project, poolId, providerId] as const;
const access = [role, on, impersonate] as const;

/** Flags of the commands that concern GCP (contract, "Flags by command"). */
export const gcpOptions = {
  setup: [
    issuerUrl,
    ...place,
    poolName,
    audience,
    keys,
    jwksFile,
    { name: "public-key-file", value: "FILE", repeatable: true, description: "with --keys upload: this public key (PEM, RSA or EC)" },
    { name: "prune-keys", description: "with --keys upload: remove stored keys that the cluster does not have" },
    condition,
    subjectPrefix,
    adopt,
  ],
  grant: [issuerUrl, serviceAccount, ...access, create, ...place, audience, subjectPrefix, adopt],
  trustPolicy: [
    issuerUrl,
    projectNumber,
    { ...project, description: "the project's ID, for the commands that are printed", defaultText: "the number" },
    poolId,
    providerId,
    poolName,
    audience,
    keys,
    { ...jwksFile, description: "with --keys upload: the file that the printed command names", defaultText: "jwks.json" },
    condition,
    subjectPrefix,
    serviceAccount,
    ...access,
    create,
    { name: "universe-domain", value: "DOMAIN", description: "of a Google cloud of its own", defaultText: "googleapis.com" },
  ],
  verify: [
    { ...issuerUrl, description: "whose pool and grant are meant", defaultText: "issuer in kubeassume.yaml, else the token's" },
    ...place,
    { ...projectNumber, defaultText: "looked up" },
    audience,
    subjectPrefix,
    { ...role, description: "a role that the policy must give" },
    { ...on, description: "whose policy must give it" },
    { ...impersonate, defaultText: "that of the service account's grant, else direct access" },
  ],
  status: [issuerUrl, serviceAccount, ...access, ...place, audience, keys, condition, subjectPrefix],
  teardown: [issuerUrl, project],
  permissions: [
    { ...project, description: "the project that the role is for" },
    { ...on, description: "of grant: only what direct access there needs", defaultText: "everything that grant can do" },
    { ...impersonate, description: "of grant: only what impersonation needs", defaultText: "everything that grant can do" },
    { ...create, description: "of grant: also to make the service account" },
  ],
} as const satisfies Readonly<Record<string, readonly OptionDefinition[]>>;

export const gcpExamples = {
  setup: [
    "kubeassume setup gcp --issuer-url https://oidc.example.com/prod --project acme-prod --pool-id prod",
    "kubeassume setup gcp --issuer-url https://kubernetes.default.svc.cluster.local --project acme-prod --pool-id edge --keys upload",
  ],
  grant: [
    "kubeassume grant gcp --service-account payments/api --role roles/storage.objectViewer --on bucket:acme-invoices",
    "kubeassume grant gcp --service-account payments/api --impersonate payments@acme-prod.iam.gserviceaccount.com --create-service-account",
  ],
  trustPolicy: ["kubeassume trust-policy gcp --issuer-url https://oidc.example.com/prod --project-number 123456789012 --pool-id prod --service-account payments/api --role roles/storage.objectViewer"],
  verify: [
    "kubeassume verify gcp --service-account payments/api --project acme-prod --pool-id prod",
    "kubeassume verify gcp --token-file token.jwt --jwks-file jwks.json --trust-file trust.json",
  ],
} as const;
