import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startGcpStandIns } from "../../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import type { GcpService, GcpStandInOptions, RunningGcpStandIns } from "../../../../../../src/federation/clouds/gcp/sandbox/index.ts";
import { createHttp } from "../../../../../../src/federation/http/create-http.ts";
import { serve } from "../../../../../../src/federation/sandbox/http-core.ts";
import type { RunningServer, StandInAnswer, StandInRequest } from "../../../../../../src/federation/sandbox/http-core.ts";
import { createAuthority } from "../../../../../../src/federation/sandbox/pki.ts";
import type { SandboxHost } from "../../../../../../src/federation/sandbox/stand-ins.ts";
import { createTraffic } from "../../../../../../src/federation/sandbox/traffic.ts";
import type { TrafficOptions } from "../../../../../../src/federation/sandbox/traffic.ts";
import { specsMissing } from "../../support/google-spec.ts";
import { googleProblems } from "./conformance.ts";

/** Time stands still within a test, except that it may be moved. */
export interface TestClock {
  now: Date;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Json;
}

/** Parsed JSON, for tests that know what they look at. */
export type Json = Readonly<Record<string, unknown>>;

type ServiceName = keyof RunningGcpStandIns["urls"];

export interface TestGcp extends RunningGcpStandIns {
  readonly dir: string;
  readonly host: SandboxHost;
  readonly exchanges: readonly { readonly service: GcpService; readonly request: StandInRequest; readonly answer: StandInAnswer }[];
  /** A call as the operator, or as the bearer of another token; null for nobody. */
  call(service: ServiceName, method: string, path: string, body?: unknown, token?: string | null): Promise<Answer>;
  /** A form as client libraries post it. */
  post(path: string, form: Readonly<Record<string, string>>): Promise<Answer>;
  /** An access token of the operator, got with the credential file. */
  readonly operator: string;
  stop(): Promise<void>;
}

export interface TestOptions {
  readonly clock?: TestClock;
}

export async function startTestGcp(options: GcpStandInOptions & TrafficOptions & TestOptions = {}): Promise<TestGcp> {
  const now = (): Date => options.clock?.now ?? new Date();
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-gcp-"));
  const root = await createAuthority({ name: "test root", now: now() });
  const traffic = createTraffic({ latencyMs: options.latencyMs, faults: options.faults });
  const servers: RunningServer[] = [];
  const host: SandboxHost = {
    dir,
    caPem: root.certificatePem,
    caBundleFile: join(dir, "ca.pem"),
    now,
    issuerUrl: "https://127.0.0.1:1/oidc",
    http: createHttp({ caPem: [root.certificatePem], env: {}, timeoutMs: 5000 }),
    issueServer: (names) => root.issueServer({ names, now: now() }),
    serve: async ({ service, handler, tls, names }) => {
      const certificate = tls === true ? await root.issueServer({ names: ["127.0.0.1", "localhost", ...(names ?? [])], now: now() }) : undefined;
      const server = await serve({ service, handler, traffic, tls: certificate });
      servers.push(server);
      return server;
    },
  };
  const exchanges: { service: GcpService; request: StandInRequest; answer: StandInAnswer }[] = [];
  const running = await startGcpStandIns(host, { ...options, observe: (service, request, answer) => void exchanges.push({ service, request, answer }) });
  const post: TestGcp["post"] = (path, form) => send(`${running.urls.sts}${path}`, "POST", { "content-type": "application/x-www-form-urlencoded" }, new URLSearchParams(form).toString());
  const operator = await operatorToken(running, post);
  return {
    ...running,
    dir,
    host,
    exchanges,
    operator,
    post,
    call: (service, method, path, body, token = operator) => {
      const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(body === undefined ? {} : { "content-type": "application/json" }) };
      return send(`${running.urls[service]}${path}`, method, headers, body === undefined ? undefined : JSON.stringify(body));
    },
    stop: async () => {
      await Promise.all([...servers.map((server) => server.close()), running.close()]);
      await rm(dir, { recursive: true });
    },
  };
}

async function send(url: string, method: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer> {
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text.startsWith("{") ? (JSON.parse(text) as Json) : {} };
}

async function operatorToken({ state }: RunningGcpStandIns, post: TestGcp["post"]): Promise<string> {
  // With the API switched off there is no token, and none is needed to see that.
  const { json } = await post("/v1/token", {
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: "//iam.googleapis.com/locations/global/workforcePools/sandbox/providers/operator",
    scope: "https://www.googleapis.com/auth/cloud-platform",
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token: state.operatorSecret,
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
  });
  return String(json["access_token"]);
}

/** The last test of a file: everything that the file exchanged, held to Google's own descriptions. */
export function itConforms(gcp: () => TestGcp): void {
  it.skipIf(specsMissing !== null)("exchanged nothing that Google's descriptions (../shared/specs) do not describe", () => {
    const { exchanges } = gcp();
    expect(exchanges.length).toBeGreaterThan(1);
    expect(exchanges.flatMap(({ service, request, answer }) => googleProblems(service, request, answer))).toEqual([]);
  });
}

/** What was refused: status, Google's name of it, and the words. */
export function refusalIn({ status, json }: Answer): { readonly code: number; readonly status: string; readonly message: string } {
  const error = json["error"] as { readonly code: number; readonly status: string; readonly message: string } | undefined;
  expect(error, JSON.stringify(json)).toBeTypeOf("object");
  expect(error?.code).toBe(status);
  return { code: status, status: error?.status ?? "", message: error?.message ?? "" };
}
