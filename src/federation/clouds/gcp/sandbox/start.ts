import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../../make-folders.ts";
import type { Handler, StandInAnswer, StandInRequest } from "../../../sandbox/http-core.ts";
import type { RunningStandIns, SandboxHost, StandIns } from "../../../sandbox/stand-ins.ts";
import { bearerOf } from "../../../sandbox/bearer.ts";
import { tokenOf } from "./authenticate.ts";
import { isAllowed, membersOf } from "./authorize.ts";
import { resourceManager } from "./crm/service.ts";
import { iamCredentials } from "./credentials/service.ts";
import { demo } from "./demo.ts";
import { renderJson, serviceDisabled } from "./errors.ts";
import type { GcpService } from "./faults.ts";
import { iam } from "./iam/service.ts";
import { answerRest } from "./rest.ts";
import { newState, OPERATOR_PROVIDER, SANDBOX_PROJECT, SANDBOX_PROJECT_NUMBER } from "./state.ts";
import type { GcpState, Quotas } from "./state.ts";
import { answerStorage, readPublished } from "./storage/service.ts";
import type { StorageWorld } from "./storage/world.ts";
import { answerSts } from "./sts/service.ts";
import type { GcpWorld } from "./world.ts";

export interface GcpStandInOptions {
  /** Project ID; default {@link SANDBOX_PROJECT}. */
  readonly project?: string;
  /** Default {@link SANDBOX_PROJECT_NUMBER}. */
  readonly number?: string;
  /** Milliseconds until the token services know a new pool, provider, service account or policy; default 0. Google takes minutes. */
  readonly propagationMs?: number;
  /** Milliseconds that a long-running operation takes; default 0. */
  readonly operationMs?: number;
  /** Permissions that the operator has not, such as `iam.workloadIdentityPools.create`; default none. */
  readonly denyPermissions?: readonly string[];
  /** The only permissions that the operator has; default all. */
  readonly allowPermissions?: readonly string[];
  /** Host names of APIs that are not enabled, such as `iam.googleapis.com`; default none. */
  readonly disabledApis?: readonly string[];
  readonly quotas?: Partial<Quotas>;
  /** Told about every request and its answer. */
  readonly observe?: (service: GcpService, request: StandInRequest, answer: StandInAnswer) => void;
}

export interface RunningGcpStandIns extends RunningStandIns {
  readonly state: GcpState;
  readonly urls: { readonly iam: string; readonly cloudresourcemanager: string; readonly sts: string; readonly iamcredentials: string; readonly storage: string };
  /** The operator's external_account file. */
  readonly credentialFile: string;
}

/** Five services of one project. What they refuse, and how, is Google's; what they leave out is refused too. */
export const gcpStandIns: StandIns = { demo, start: (host) => startGcpStandIns(host) };

/** The same with knobs, and with the state, for tests. */
export async function startGcpStandIns(host: SandboxHost, options: GcpStandInOptions = {}): Promise<RunningGcpStandIns> {
  const state = newState({
    project: options.project ?? SANDBOX_PROJECT,
    number: options.number ?? SANDBOX_PROJECT_NUMBER,
    now: host.now(),
    denyPermissions: options.denyPermissions ?? [],
    allowPermissions: options.allowPermissions ?? null,
    disabledApis: options.disabledApis ?? [],
    quotas: options.quotas ?? {},
  });
  const world: GcpWorld = { state, now: host.now, http: host.http, propagationMs: options.propagationMs ?? 0, operationMs: options.operationMs ?? 0 };
  const start = async (service: GcpService, handler: Handler): Promise<string> => (await host.serve({ service, handler: observed(service, handler, options) })).url;
  const [iamUrl, crmUrl, stsUrl, credentialsUrl, storageUrl] = await Promise.all([
    start("gcp.iam", (request) => answerRest(iam, request, world)),
    start("gcp.cloudresourcemanager", (request) => answerRest(resourceManager, request, world)),
    start("gcp.sts", (request) => answerSts(request, world)),
    start("gcp.iamcredentials", (request) => answerRest(iamCredentials, request, world)),
    start("gcp.storage", (request) => answerEnabledStorage(request, world)),
  ]);
  const urls = { iam: iamUrl, cloudresourcemanager: crmUrl, sts: stsUrl, iamcredentials: credentialsUrl, storage: storageUrl };
  const files = await writeFiles(host.dir, urls.sts, state.operatorSecret);
  return {
    state,
    urls,
    credentialFile: files.credential,
    env: environmentOf(urls, files, state, host),
    unset: UNSET,
    readPublished: (bucket, object) => Promise.resolve(readPublished(bucket, object, storageWorldOf(world))),
    // The servers are the sandbox's to close.
    close: () => Promise.resolve(),
  };
}

function observed(service: GcpService, handler: Handler, { observe }: GcpStandInOptions): Handler {
  return async (request) => {
    const answer = await handler(request);
    if (answer !== null) observe?.(service, request, answer);
    return answer;
  };
}

function answerEnabledStorage(request: StandInRequest, world: GcpWorld): StandInAnswer | null {
  const { disabledApis, project } = world.state;
  if (disabledApis.has("storage.googleapis.com")) {
    const { code, status, message, details } = serviceDisabled("storage.googleapis.com", "Google Cloud Storage JSON API", project.number);
    // In both forms: the store's own, and that of all other APIs.
    return renderJson(code, { error: { code, message, errors: [{ message, domain: "usageLimits", reason: "accessNotConfigured" }], status, details } });
  }
  return answerStorage(request, storageWorldOf(world));
}

/** What the store may know: buckets have policies of their own, the project's is asked here. */
function storageWorldOf(world: GcpWorld): StorageWorld {
  const { state } = world;
  return {
    now: world.now,
    project: state.project.id,
    projectNumber: state.project.number,
    storage: state.storage,
    authorize: (request, permission) => {
      const bearer = bearerOf(request.headers);
      if (bearer === null) return { outcome: "denied", caller: null };
      const token = tokenOf(bearer, world);
      if (token === null) return { outcome: "invalid" };
      const caller = { name: token.principal.name, members: membersOf(token.principal) };
      return { outcome: isAllowed(token.principal, permission, undefined, world) ? "allowed" : "denied", caller };
    },
  };
}

interface ConfigFiles {
  /** gcloud writes here. */
  readonly folder: string;
  readonly credential: string;
}

/** The operator's credential: a file without a secret that names the one that has it. */
async function writeFiles(dir: string, sts: string, secret: string): Promise<ConfigFiles> {
  const folder = join(dir, "gcp", "gcloud");
  await makeFolders(folder, 0o700);
  const write = async (name: string, content: string): Promise<string> => {
    const file = join(dir, "gcp", name);
    await writeFile(file, content, { mode: 0o600 });
    // The mode above is for new files only.
    await chmod(file, 0o600);
    return file;
  };
  const source = await write("operator-token", secret);
  const account = {
    universe_domain: "googleapis.com",
    type: "external_account",
    audience: OPERATOR_PROVIDER,
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    token_url: `${sts}/v1/token`,
    token_info_url: `${sts}/v1/introspect`,
    credential_source: { file: source, format: { type: "text" } },
  };
  return { folder, credential: await write("operator.json", `${JSON.stringify(account, null, 2)}\n`) };
}

/**
 * `CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE` is gcloud's; a workload that sets it to its own file takes the operator's
 * place. gcloud finds the name of an account that way only with the introspection endpoint.
 */
function environmentOf(urls: RunningGcpStandIns["urls"], files: ConfigFiles, { project }: GcpState, host: SandboxHost): Record<string, string> {
  return {
    GOOGLE_CLOUD_PROJECT: project.id,
    GOOGLE_APPLICATION_CREDENTIALS: files.credential,
    CLOUDSDK_CONFIG: files.folder,
    CLOUDSDK_CORE_PROJECT: project.id,
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: files.credential,
    CLOUDSDK_AUTH_TOKEN_INTROSPECTION_ENDPOINT: `${urls.sts}/v1/introspect`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM: `${urls.iam}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS: `${urls.iamcredentials}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: `${urls.sts}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER: `${urls.cloudresourcemanager}/`,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE: `${urls.storage}/storage/v1/`,
    STORAGE_EMULATOR_HOST: urls.storage,
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: host.caBundleFile,
    // Neither questions nor calls to anybody else.
    CLOUDSDK_CORE_DISABLE_PROMPTS: "1",
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: "true",
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: "true",
    CLOUDSDK_SURVEY_DISABLE_PROMPTS: "true",
    NO_GCE_CHECK: "true",
    METADATA_SERVER_DETECTION: "none",
  };
}

/** What would win over the sandbox's own credentials and endpoints. */
const UNSET = [
  "CLOUDSDK_AUTH_ACCESS_TOKEN",
  "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
  "CLOUDSDK_AUTH_DISABLE_CREDENTIALS",
  "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT",
  "CLOUDSDK_AUTH_TOKEN_HOST",
  "CLOUDSDK_ACTIVE_CONFIG_NAME",
  "CLOUDSDK_CORE_ACCOUNT",
  "CLOUDSDK_CORE_UNIVERSE_DOMAIN",
  "CLOUDSDK_CORE_API_HOST",
  "CLOUDSDK_BILLING_QUOTA_PROJECT",
  "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
  "GOOGLE_CLOUD_QUOTA_PROJECT",
  "GOOGLE_API_USE_CLIENT_CERTIFICATE",
  "GCLOUD_PROJECT",
  "GCE_METADATA_HOST",
  "GCE_METADATA_IP",
];
