import * as z from "zod/mini";
import { API_VERSION } from "./envelope.ts";

/**
 * The JSON document of every result kind (contract, Output), as schemas. The files in schema/output are generated from
 * them. Consumers should ignore members that they do not know: new ones may come without a new apiVersion.
 */

const described = <T extends z.ZodMiniType>(schema: T, description: string): T => schema.check(z.describe(description));
const text = (description: string) => described(z.string(), description);
const textOrNull = (description: string) => described(z.nullable(z.string()), description);
const flag = (description: string) => described(z.boolean(), description);
const texts = (description: string) => described(z.array(z.string()), description);
const json = (description: string) => described(z.unknown(), description);
const anyObject = (description: string) => described(z.record(z.string(), z.unknown()), description);
const milliseconds = (description: string) => described(z.number().check(z.gte(0)), description);
const count = (description: string) => described(z.int().check(z.gte(0)), description);

const problem = z.object({
  code: described(z.string().check(z.regex(/^[A-Z][A-Z0-9_]*$/)), "One of a closed set; kubeassume explain CODE says more"),
  message: text("What is wrong, with the wrong value"),
  hint: text("What to do next"),
  details: anyObject("More for programs; its members depend on the code"),
});

const fields = z.nullable(z.record(z.string(), z.unknown()));
const step = z.object({
  id: text("Unique in this document, stable between runs"),
  cloud: textOrNull("Null for the cluster and for plain files"),
  action: z.enum(["create", "update", "adopt", "delete", "none"]),
  target: text("The resource in its owner's own words: an ARN, a URL, namespace/name"),
  status: z.enum(["planned", "done", "failed", "skipped"]),
  reason: text("Why this action; of a failed or skipped step, what stopped it"),
  before: described(fields, "What was there; null when there was nothing"),
  after: described(fields, "What is to be there; null when it is to be gone"),
});
const steps = described(z.array(step), "In the order in which they were planned");

const check = z.object({
  id: text("Stable; kubeassume explain ID says more"),
  cloud: textOrNull("Null for a check of the issuer or the cluster"),
  status: z.enum(["pass", "warn", "fail", "skip"]),
  message: text("What was found"),
  hint: text("What to do; empty when there is nothing to do"),
  durationMs: milliseconds("How long it took"),
});
const checks = z.array(check);

const manifest = z.object({
  title: text("What it is for"),
  applicable: flag("Whether it can be applied as it stands; the others are snippets to copy from"),
  yaml: text("The manifest"),
});
const manifests = z.array(manifest);
const env = described(z.record(z.string(), z.string()), "Environment variables");
const nextSteps = texts("Commands to type next");
const cloud = text("aws, gcp, azure or oci");
const trustPolicy = json("The trust document in the cloud's own shape");

const grant = {
  principal: text("Role ARN, IAM member, client id or trust"),
  serviceAccounts: texts("namespace/name of each"),
  trustPolicy,
  manifests,
  env,
  credentialConfig: json("GCP's external_account document; null elsewhere"),
};

const keys = z.array(z.object({ kid: z.string(), status: z.enum(["added", "kept", "removed"]) }));
const chainEntry = z.object({
  subject: z.string(),
  issuer: z.string(),
  notAfter: text("RFC 3339"),
  sha1: described(z.string().check(z.regex(/^[0-9a-f]{40}$/)), "Lower-case hex, no colons"),
  role: z.enum(["leaf", "intermediate", "root"]),
});

const session = z.object({
  subject: z.string(),
  audience: z.string(),
  provider: z.string(),
  principal: z.string(),
  durationSeconds: described(z.int(), "How long the credentials would be good"),
});
const exchange = z.object({
  accepted: z.boolean(),
  code: z.nullable(z.string()),
  cloudMessage: z.nullable(z.string()),
  principal: z.nullable(z.string()),
});

const explanation = {
  code: z.string(),
  kind: z.enum(["code", "check"]),
  exit: described(z.nullable(z.int()), "The exit code of a command that ends with it; null for a check"),
  summary: z.string(),
  why: z.string(),
  fix: z.string(),
};

const demoStep = z.object({
  cloud: z.string(),
  title: z.string(),
  command: text("The kubeassume command that was run"),
  exit: z.int(),
  ok: flag("Whether it showed what it shall show"),
  told: z.string(),
  durationMs: milliseconds("How long it took"),
});

/** What `data` holds, by kind. */
export const dataSchemas = {
  SetupResult: z.object({
    cloud,
    issuer: z.string(),
    provider: text("AWS: ARN; GCP: resource name; Azure: identity or application id; OCI: trust OCID"),
    audiences: texts("What tokens may carry as aud"),
    thumbprint: textOrNull("SHA-1 in hex; null where the cloud uses none"),
    trustPolicy,
    steps,
    nextSteps,
  }),
  GrantResult: z.object({ cloud, ...grant, grants: described(z.optional(z.array(z.object(grant))), "Each of them, when there are several; the members beside it are the first one's"), steps, nextSteps }),
  TrustPolicy: z.object({ cloud, trustPolicy, manifests, env, commands: z.array(text("A command of the vendor's own CLI that does the same")) }),
  PublishResult: z.object({
    issuer: textOrNull("Null when the place could not be made that it depends on"),
    discoveryUrl: textOrNull("Where relying parties read the discovery document"),
    jwksUrl: textOrNull("Where they read the keys"),
    keys,
    steps,
  }),
  StatusReport: z.object({
    issuer: z.nullable(z.string()),
    checks,
    summary: z.object({ pass: count("Checks that passed"), warn: count("Warnings"), fail: count("Failures"), skip: count("Checks that could not be made") }),
  }),
  VerifyReport: z.object({
    cloud,
    accepted: z.boolean(),
    code: textOrNull("The cloud's own error code; null when accepted"),
    cloudMessage: textOrNull("The cloud's own words; null when accepted"),
    session: described(z.nullable(session), "What the cloud would hand out; null when refused"),
    claims: anyObject("Of the token, without its signature"),
    checks,
    exchange: described(z.optional(z.nullable(exchange)), "What the real cloud answered, with --exchange"),
  }),
  TeardownResult: z.object({ issuer: z.string(), steps, leftBehind: texts("What is still there, and why") }),
  Thumbprint: z.object({
    url: z.string(),
    jwksUri: textOrNull("From the discovery document; null when there is none"),
    chain: described(z.array(chainEntry), "As served, leaf first"),
    thumbprint: text("SHA-1 in hex of the top of the served chain"),
    publiclyTrusted: z.boolean(),
    usedByAws: z.boolean(),
  }),
  Plan: z.object({
    issuer: z.optional(text("Of a publication or a teardown")),
    keys: described(z.optional(keys), "Of a publication: what becomes of each"),
    steps,
  }),
  DemoReport: z.object({ clouds: z.array(z.string()), steps: z.array(demoStep), durationMs: milliseconds("Of the whole journey") }),
  SandboxInfo: z.object({
    env,
    unset: texts("Variables that must not be set beside them, because they would win"),
    issuer: z.string(),
    clouds: texts("Which clouds have stand-ins"),
  }),
  Explanation: z.union([z.object(explanation), z.object({ entries: z.array(z.object(explanation)) })]),
  Permissions: z.object({
    cloud,
    for: textOrNull("The command, or null for all of them"),
    permissions: json("Policy, role definition or statements in the cloud's own shape"),
  }),
  Completion: z.object({ shell: z.enum(["bash", "zsh", "fish"]), script: z.string() }),
};

export type OutputKind = keyof typeof dataSchemas;

/** The whole document of one kind. `data` is null when the command failed before it had anything to report. */
export function envelopeSchema(kind: OutputKind) {
  return z
    .object({
      apiVersion: z.literal(API_VERSION),
      kind: z.literal(kind),
      ok: flag("Whether error is null"),
      data: z.nullable(dataSchemas[kind] as z.ZodMiniType),
      warnings: described(z.array(problem), "What stopped nothing but should be known"),
      error: described(z.nullable(problem), "Why the command failed; null when it did not"),
    })
    .check(z.meta({ title: kind, description: `What kubeassume prints with -o json (${kind})` }));
}
