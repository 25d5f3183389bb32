import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import { expect, it } from "vitest";
import { startAwsStandIns } from "../../../../../../src/federation/clouds/aws/sandbox/index.ts";
import type { AwsService, AwsStandInOptions, Credential, RunningAwsStandIns } from "../../../../../../src/federation/clouds/aws/sandbox/index.ts";
import type { WireAnswer, WireRequest } from "../../../../../../src/federation/clouds/aws/sandbox/wire.ts";
import { createHttp } from "../../../../../../src/federation/http/create-http.ts";
import { serve } from "../../../../../../src/federation/sandbox/http-core.ts";
import type { RunningServer } from "../../../../../../src/federation/sandbox/http-core.ts";
import { createAuthority } from "../../../../../../src/federation/sandbox/pki.ts";
import type { Authority } from "../../../../../../src/federation/sandbox/pki.ts";
import type { SandboxHost } from "../../../../../../src/federation/sandbox/stand-ins.ts";
import { createTraffic } from "../../../../../../src/federation/sandbox/traffic.ts";
import type { TrafficOptions } from "../../../../../../src/federation/sandbox/traffic.ts";
import { hasModels } from "./models.ts";
import { queryProblems } from "./query-conformance.ts";
import { s3Problems } from "./s3-conformance.ts";

export const REGION = "eu-west-1";

export interface TestAws extends RunningAwsStandIns {
  readonly dir: string;
  readonly root: Authority;
  readonly intermediate: Authority;
  readonly host: SandboxHost;
  readonly exchanges: readonly { readonly service: AwsService; readonly request: WireRequest; readonly answer: WireAnswer }[];
  readonly iam: IAMClient;
  readonly sts: STSClient;
  readonly s3: S3Client;
  /** Clients with other credentials, or for another region. */
  clients(credentials: Keys, region?: string): { readonly iam: IAMClient; readonly sts: STSClient; readonly s3: S3Client };
  stop(): Promise<void>;
}

export type Keys = Pick<Credential, "accessKeyId" | "secretAccessKey"> & { readonly sessionToken?: string | null };

/** Time stands still within a test, except that it may be moved. */
export interface TestClock {
  now: Date;
}

export interface TestOptions {
  readonly clock?: TestClock;
  /** AWS counts the host's own CA among those that it trusts. */
  readonly trustsHostCa?: boolean;
}

/** The stand-ins on a host of their own, with the real SDK's clients. */
export async function startTestAws(options: AwsStandInOptions & TrafficOptions & TestOptions = {}): Promise<TestAws> {
  const now = (): Date => options.clock?.now ?? new Date();
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-aws-"));
  const root = await createAuthority({ name: "test root", now: now() });
  const intermediate = await root.issueIntermediate({ name: "test intermediate", now: now() });
  const traffic = createTraffic({ latencyMs: options.latencyMs, faults: options.faults });
  const servers: RunningServer[] = [];
  const host: SandboxHost = {
    dir,
    caPem: root.certificatePem,
    caBundleFile: join(dir, "ca.pem"),
    now,
    issuerUrl: "https://127.0.0.1:1/oidc",
    http: createHttp({ caPem: [root.certificatePem], env: {}, timeoutMs: 5000 }),
    issueServer: (names) => intermediate.issueServer({ names, now: now() }),
    serve: async ({ service, handler, tls, names }) => {
      const certificate = tls === true ? await intermediate.issueServer({ names: ["127.0.0.1", "localhost", ...(names ?? [])], now: now() }) : undefined;
      const server = await serve({ service, handler, traffic, tls: certificate });
      servers.push(server);
      return server;
    },
  };
  const exchanges: { service: AwsService; request: WireRequest; answer: WireAnswer }[] = [];
  const publicCaPem = options.trustsHostCa === true ? [root.certificatePem] : [];
  const running = await startAwsStandIns(host, { ...options, publicCaPem, observe: (service, request, answer) => void exchanges.push({ service, request, answer }) });
  const clients = clientsFor(running);
  return {
    ...running,
    dir,
    root,
    intermediate,
    host,
    exchanges,
    clients,
    ...clients(running.credentials),
    stop: async () => {
      await Promise.all([...servers.map((server) => server.close()), running.close()]);
      await rm(dir, { recursive: true });
    },
  };
}

function clientsFor({ urls }: RunningAwsStandIns): TestAws["clients"] {
  return ({ accessKeyId, secretAccessKey, sessionToken }, region = REGION) => {
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
    const shared = { region, credentials, maxAttempts: 1 };
    return {
      iam: new IAMClient({ ...shared, endpoint: urls.iam }),
      sts: new STSClient({ ...shared, endpoint: urls.sts }),
      s3: new S3Client({ ...shared, endpoint: urls.s3 }),
    };
  };
}

/** The last test of a file: everything that the file exchanged, held to AWS's own descriptions. */
export function itConforms(aws: () => TestAws): void {
  it.skipIf(!hasModels)("exchanged nothing that AWS's descriptions (../shared/specs) do not describe", () => {
    const { exchanges } = aws();
    expect(exchanges.length).toBeGreaterThan(0);
    expect(exchanges.flatMap(({ service, request, answer }) => problemsOf(service, request, answer))).toEqual([]);
  });
}

function problemsOf(service: AwsService, request: WireRequest, answer: WireAnswer): string[] {
  if (service === "aws.s3") return s3Problems(request, answer);
  return queryProblems(service === "aws.iam" ? "iam" : "sts", request, answer);
}

/** What a call was refused with, in the code that is on the wire; fails when it was not refused. */
export async function refusalOf(call: Promise<unknown>): Promise<{ readonly code: string; readonly status: number; readonly message: string }> {
  try {
    await call;
  } catch (error) {
    const failed = error as { readonly name: string; readonly Code?: string; readonly message: string; readonly $metadata?: { readonly httpStatusCode?: number } };
    return { code: failed.Code ?? failed.name, status: failed.$metadata?.httpStatusCode ?? 0, message: failed.message };
  }
  throw new Error("the call was not refused");
}
