import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAwsStandIns, startAwsStandIns } from "../../src/federation/clouds/aws/sandbox/start.ts";
import { type GcpStandInOptions, type RunningGcpStandIns, startGcpStandIns } from "../../src/federation/clouds/gcp/sandbox/start.ts";
import type { SandboxHost } from "../../src/federation/sandbox/stand-ins.ts";
import { type Sandbox, startSandbox } from "../../src/federation/sandbox/start-sandbox.ts";
import { countSequential, type Fault, type SeenRequest } from "../../src/federation/sandbox/traffic.ts";
import { kubeassume, type Ran, type RunOptions } from "./kubeassume.ts";

/** A running sandbox, and the built command in its environment. */
export interface Scene {
  readonly sandbox: Sandbox;
  /** The stand-ins of a cloud with their state, to look into and to seed; looking at one that was not started throws. */
  readonly aws: RunningAwsStandIns;
  readonly gcp: RunningGcpStandIns;
  readonly dir: string;
  readonly issuer: string;
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs with `-o json` and answers the document; the exit code is asserted by the caller. */
  runJson(args: readonly string[], options?: RunOptions): Promise<{ readonly ran: Ran; readonly document: JsonDocument }>;
  /** Every request since the start or the last `forget`. */
  calls(): readonly Call[];
  /** Those of them that ask for a change. */
  writes(): readonly string[];
  /** The longest chain of requests, each of which waited for the one before. */
  roundTrips(): number;
  /** Begins to count calls, writes and round trips anew. */
  forget(): void;
  /** What goes wrong from now on; null is nothing. */
  breakWith(faults: ((request: SeenRequest, call: Call) => Fault | null) | null): void;
  /** Writes a file below the scene's folder and answers its path. */
  file(name: string, content: string): Promise<string>;
  close(): Promise<void>;
}

export interface JsonStep {
  readonly id: string;
  readonly action: string;
  readonly target: string;
  readonly status: string;
  readonly reason: string;
}

export interface JsonProblem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: Record<string, unknown>;
}

export interface JsonDocument {
  readonly apiVersion: string;
  readonly kind: string;
  readonly ok: boolean;
  readonly data: (Record<string, unknown> & { readonly steps?: readonly JsonStep[] }) | null;
  readonly warnings: readonly JsonProblem[];
  readonly error: JsonProblem | null;
}

/** One request in the words of its service: `aws.iam CreateRole`, `aws.s3 PUT /bucket?policy`, `gcp.iam PATCH /v1/...`. */
export interface Call {
  readonly service: string;
  readonly action: string;
  readonly writes: boolean;
}

export interface SceneOptions {
  /** By default AWS alone. */
  readonly clouds?: readonly ("aws" | "gcp")[];
  /** Knobs of the stand-ins. */
  readonly gcp?: GcpStandInOptions;
  /** Added to each request, in milliseconds. */
  readonly latencyMs?: number;
  readonly now?: () => Date;
}

/** Starts the sandbox in this process, so that a test can look into it, seed it and break it. */
export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-scene-"));
  const calls: Call[] = [];
  let faults: Parameters<Scene["breakWith"]>[0] = null;
  const running: { aws?: RunningAwsStandIns; gcp?: RunningGcpStandIns } = {};
  const startable = {
    aws: { start: async (host: SandboxHost) => (running.aws = await startAwsStandIns(host)) },
    gcp: { start: async (host: SandboxHost) => (running.gcp = await startGcpStandIns(host, options.gcp)) },
  };
  const sandbox = await startSandbox({
    clouds: Object.fromEntries((options.clouds ?? ["aws"]).map((cloud) => [cloud, startable[cloud]])),
    dir,
    now: options.now ?? (() => new Date()),
    latencyMs: options.latencyMs,
    faults: (request) => {
      const call = toCall(request);
      calls.push(call);
      return faults?.(request, call) ?? null;
    },
  });
  // Node reads this one at its start, for 30 ms that no test needs: kubeassume takes KUBEASSUME_CA_FILE.
  const { NODE_EXTRA_CA_CERTS: _unused, ...env } = sandbox.env;
  const run = (args: readonly string[], more: RunOptions = {}) => kubeassume(args, { cwd: dir, ...more, env: { ...env, ...more.env } });
  let seen = 0;
  return {
    sandbox,
    get aws() {
      return started(running.aws, "AWS");
    },
    get gcp() {
      return started(running.gcp, "GCP");
    },
    dir,
    issuer: sandbox.issuerUrl,
    env,
    run,
    runJson: async (args, more) => {
      const ran = await run([...args, "--output", "json"], more);
      return { ran, document: ran.json<JsonDocument>() };
    },
    calls: () => [...calls],
    writes: () => calls.filter((call) => call.writes).map(({ service, action }) => `${service} ${action}`),
    roundTrips: () => countSequential(sandbox.requests.slice(seen)),
    forget: () => {
      calls.length = 0;
      seen = sandbox.requests.length;
    },
    breakWith: (next) => {
      faults = next;
    },
    file: async (name, content) => {
      const path = join(dir, name);
      await writeFile(path, content);
      return path;
    },
    close: async () => {
      await sandbox.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function started<T>(standIns: T | undefined, name: string): T {
  if (standIns === undefined) throw new TypeError(`this scene has no ${name}: name it in its clouds`);
  return standIns;
}

function toCall({ service, method, url, body }: SeenRequest): Call {
  const { pathname, searchParams } = new URL(url);
  if (service === "aws.iam" || service === "aws.sts") {
    const action = new URLSearchParams(Buffer.from(body).toString("utf8")).get("Action") ?? "";
    return { service, action, writes: service === "aws.iam" && !/^(Get|List)/.test(action) };
  }
  const parameters = [...searchParams.keys()].filter((name) => name !== "x-id").join("&");
  // Minting and exchanging tokens changes nothing, nor does reading a policy with POST.
  const asks = (service === "cluster" && pathname.endsWith("/token")) || service === "gcp.sts" || /:(getIamPolicy|testIamPermissions|generateAccessToken)$/.test(pathname);
  const writes = method !== "GET" && method !== "HEAD" && !asks;
  return { service, action: `${method} ${pathname}${parameters === "" ? "" : `?${parameters}`}`, writes };
}
