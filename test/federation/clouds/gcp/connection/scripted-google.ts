import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { CloudWorld } from "../../../../../src/federation/clouds/cloud.ts";
import { createHttp } from "../../../../../src/federation/http/create-http.ts";
import { KubeassumeError } from "../../../../../src/federation/errors/error.ts";
import { checkAnswer, checkRequest, type SpecService, specsMissing } from "../support/google-spec.ts";

/** A request as it arrived at a service. */
export interface Arrived {
  readonly service: SpecService;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
  readonly text: string;
}

export interface Said {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Cut the connection instead of answering. */
  readonly cut?: boolean;
}

export interface ScriptedGoogle {
  readonly env: Readonly<Record<string, string>>;
  readonly url: string;
  readonly arrived: readonly Arrived[];
  /** `METHOD /path` of what arrived. */
  readonly lines: () => readonly string[];
  /** What Google's descriptions have against the requests and against our answers to them. */
  readonly problems: readonly string[];
  answer(script: (request: Arrived) => Said): void;
  forget(): void;
  stop(): Promise<void>;
}

const SERVICES: readonly SpecService[] = ["iam", "sts", "iamcredentials", "cloudresourcemanager", "storage"];

/** All services on one port, answering what a test says; requests and good answers are held to Google's descriptions. */
export async function startScriptedGoogle(): Promise<ScriptedGoogle> {
  const arrived: Arrived[] = [];
  const problems: string[] = [];
  let script: (request: Arrived) => Said = () => ({ status: 500 });
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const request = toArrived(incoming, Buffer.concat(chunks).toString("utf8"));
      arrived.push(request);
      const said = script(request);
      problems.push(...judge(request, said));
      if (said.cut === true) return incoming.socket.destroy();
      const body = said.text ?? (said.json === undefined ? "" : JSON.stringify(said.json));
      return outgoing.writeHead(said.status ?? 200, { "content-type": "application/json", ...said.headers }).end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    env: { NO_GCE_CHECK: "true", ...Object.fromEntries(SERVICES.map((service) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`, `${url}/${service}/${service === "storage" ? "storage/v1/" : ""}`])) },
    arrived,
    lines: () => arrived.map(({ method, path }) => `${method} ${path}`),
    problems,
    answer: (next) => {
      script = next;
    },
    forget: () => {
      arrived.length = 0;
      problems.length = 0;
    },
    stop: () => close(server),
  };
}

/** An answer with an error of Google's (AIP-193). */
export function refusal(code: number, status: string, message = "words of Google", details: readonly object[] = []): Said {
  return { status: code, json: { error: { code, message, status, ...(details.length === 0 ? {} : { details }) } } };
}

/** google.rpc.ErrorInfo. */
export function errorInfo(reason: string, metadata: Readonly<Record<string, string>> = {}): object {
  return { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com", metadata };
}

/** The world of a command whose environment is exactly `env`. */
export function worldWith(env: CloudWorld["env"], changes: Partial<CloudWorld> = {}): CloudWorld {
  const signal = changes.signal ?? new AbortController().signal;
  const timeoutMs = changes.timeoutMs ?? 5000;
  return { env, http: createHttp({ caPem: [], env: {}, timeoutMs, signal }), caPem: [], now: () => new Date(), signal, timeoutMs, notify: () => undefined, ...changes };
}

/** What a piece of work fails with. */
export async function failureOf(work: Promise<unknown>): Promise<KubeassumeError> {
  const outcome = await work.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
  if (outcome instanceof KubeassumeError) return outcome;
  throw outcome instanceof Error ? outcome : new Error(String(outcome));
}

function toArrived(incoming: IncomingMessage, text: string): Arrived {
  const [, service = "", rest = ""] = /^\/([a-z]+)(\/.*)$/.exec(incoming.url ?? "") ?? [];
  let body: unknown;
  try {
    body = text === "" ? undefined : JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { service: service as SpecService, method: incoming.method ?? "", path: rest, headers: incoming.headers, body, text };
}

function judge(request: Arrived, said: Said): readonly string[] {
  if (specsMissing !== null || !SERVICES.includes(request.service)) return [];
  const { method, problems } = checkRequest(request.service, { method: request.method, url: request.path, body: request.body });
  const isGood = (said.status ?? 200) < 300 && said.json !== undefined;
  return [...problems, ...(isGood && method !== null ? checkAnswer(request.service, method, said.json) : [])];
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
