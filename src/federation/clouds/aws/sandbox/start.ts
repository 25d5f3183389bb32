import { randomBytes } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Handler, StandInRequest } from "../../../sandbox/http-core.ts";
import type { PublishedAnswer, RunningStandIns, SandboxHost, StandIns } from "../../../sandbox/stand-ins.ts";
import type { Partition } from "../partition.ts";
import { demo } from "./demo.ts";
import type { AwsService } from "./faults.ts";
import { iam } from "./iam/service.ts";
import { answerQuery } from "./query.ts";
import { answerS3 } from "./s3/service.ts";
import { newId, newState, SANDBOX_ACCOUNT } from "./state.ts";
import type { AwsState, Credential, Quotas } from "./state.ts";
import { sts } from "./sts/service.ts";
import type { WireAnswer, WireRequest } from "./wire.ts";
import type { AwsWorld } from "./world.ts";

export interface AwsStandInOptions {
  /** Twelve digits; default {@link SANDBOX_ACCOUNT}. */
  readonly account?: string;
  /** Default `aws`. */
  readonly partition?: Partition;
  /** Where the operator works; default `eu-west-1`. */
  readonly region?: string;
  /** Actions that the operator may not perform, such as `iam:CreateRole`; default none. */
  readonly denyActions?: readonly string[];
  readonly quotas?: Partial<Quotas>;
  /** Milliseconds until STS knows a new provider or role; default 0. AWS takes about eight seconds. */
  readonly propagationMs?: number;
  /** CAs (PEM) that count among those that AWS trusts; default none beside the public ones. */
  readonly publicCaPem?: readonly string[];
  /** Told about every request and its answer. */
  readonly observe?: (service: AwsService, request: WireRequest, answer: WireAnswer) => void;
}

export interface RunningAwsStandIns extends RunningStandIns {
  readonly state: AwsState;
  readonly urls: { readonly iam: string; readonly sts: string; readonly s3: string };
  /** The operator's own; not in `env`, which is printed. */
  readonly credentials: Credential;
}

/** IAM, STS and S3 of one AWS account. What they refuse, and how, is AWS's; what they leave out is refused too. */
export const awsStandIns: StandIns = { demo, start: (host) => startAwsStandIns(host) };

/** The same with knobs, and with the state, for tests. */
export async function startAwsStandIns(host: SandboxHost, options: AwsStandInOptions = {}): Promise<RunningAwsStandIns> {
  const region = options.region ?? "eu-west-1";
  const state = newState({
    account: options.account ?? SANDBOX_ACCOUNT,
    partition: options.partition ?? "aws",
    denyActions: options.denyActions ?? [],
    quotas: options.quotas ?? {},
  });
  const credentials = issueOperator(state);
  const world: AwsWorld = { state, now: host.now, region, http: host.http, publicCaPem: options.publicCaPem ?? [], propagationMs: options.propagationMs ?? 0 };
  const start = async (service: AwsService, answer: (request: WireRequest) => WireAnswer | Promise<WireAnswer>): Promise<string> => {
    return (await host.serve({ service, handler: toHandler(service, answer, options) })).url;
  };
  const [iamUrl, stsUrl, s3Url, files] = await Promise.all([
    start("aws.iam", (request) => answerQuery(iam, request, world)),
    start("aws.sts", (request) => answerQuery(sts, request, world)),
    start("aws.s3", (request) => answerS3(request, world)),
    writeFiles(host.dir, region, credentials),
  ]);
  const urls = { iam: iamUrl, sts: stsUrl, s3: s3Url };
  return {
    state,
    urls,
    credentials,
    env: environmentOf(urls, files, region),
    unset: UNSET,
    readPublished: (bucket, object) => Promise.resolve(readPublished(bucket, object, world)),
    // The servers are the sandbox's to close.
    close: () => Promise.resolve(),
  };
}

/** An administrator, with keys that are new at every start. */
function issueOperator(state: AwsState): Credential {
  const principal = { arn: `arn:${state.partition}:iam::${state.account}:user/sandbox`, userId: newId("AIDA"), account: state.account, roleName: null, sessionPolicies: [] };
  const credential = { accessKeyId: newId("AKIA"), secretAccessKey: randomBytes(30).toString("base64"), sessionToken: null, expires: null, principal };
  state.credentials.set(credential.accessKeyId, credential);
  return credential;
}

function toHandler(service: AwsService, answer: (request: WireRequest) => WireAnswer | Promise<WireAnswer>, options: AwsStandInOptions): Handler {
  return async (received) => {
    const request = toWireRequest(received);
    const answered = await answer(request);
    options.observe?.(service, request, answered);
    return answered;
  };
}

/** The target stays as it came, because signatures cover its bytes. */
function toWireRequest({ method, url, path, headers, body }: StandInRequest): WireRequest {
  const query = url.indexOf("?");
  return { method, target: query === -1 ? path : path + url.slice(query), headers, body: Buffer.from(body) };
}

/** As strangers reach S3 over TLS. */
function readPublished(bucket: string, object: string, world: AwsWorld): PublishedAnswer | null {
  if (!world.state.buckets.has(bucket)) return null;
  const target = `/${[bucket, ...object.split("/")].map(encodeURIComponent).join("/")}`;
  return answerS3({ method: "GET", target, headers: { host: "s3.amazonaws.com" }, body: Buffer.alloc(0) }, world, true);
}

interface ConfigFiles {
  readonly config: string;
  readonly credentials: string;
}

async function writeFiles(dir: string, region: string, { accessKeyId, secretAccessKey }: Credential): Promise<ConfigFiles> {
  const folder = join(dir, "aws");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string, lines: readonly string[]): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, `${["[default]", ...lines].join("\n")}\n`, { mode: 0o600 });
    // The mode above is for new files only.
    await chmod(file, 0o600);
    return file;
  };
  const [config, credentials] = await Promise.all([
    write("config", [`region = ${region}`]),
    write("credentials", [`aws_access_key_id = ${accessKeyId}`, `aws_secret_access_key = ${secretAccessKey}`]),
  ]);
  return { config, credentials };
}

function environmentOf(urls: RunningAwsStandIns["urls"], files: ConfigFiles, region: string): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ENDPOINT_URL_IAM: urls.iam,
    AWS_ENDPOINT_URL_STS: urls.sts,
    AWS_ENDPOINT_URL_S3: urls.s3,
    AWS_CONFIG_FILE: files.config,
    AWS_SHARED_CREDENTIALS_FILE: files.credentials,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
  };
}

/** What would win over the sandbox's own credentials and endpoints. */
const UNSET = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_SECURITY_TOKEN",
  "AWS_CREDENTIAL_EXPIRATION",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_ENDPOINT_URL",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_USE_DUALSTACK_ENDPOINT",
];
