import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { startSandbox } from "../../../src/federation/sandbox/start-sandbox.ts";
import type { Sandbox, SandboxOptions } from "../../../src/federation/sandbox/start-sandbox.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The parsed body; null when it is not JSON. */
  readonly json: unknown;
}

export interface TestSandbox extends Sandbox {
  readonly dir: string;
  readonly agent: Agent;
  /** A GET or HEAD below the issuer's origin. */
  read(path: string, method?: "GET" | "HEAD" | "POST"): Promise<Answer>;
  /** A call to the cluster as its admin; an object is sent as JSON. */
  call(method: "GET" | "POST" | "PATCH" | "DELETE" | "PUT", path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Server-side apply. */
  apply(path: string, manager: string, object: unknown, more?: string): Promise<Answer>;
  end(): Promise<void>;
}

/** A sandbox in a temporary folder, with a client that trusts its CA alone. */
export async function openSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
  const dir = await mkdtemp(join(tmpdir(), "kubeassume-test-"));
  const sandbox = await startSandbox({ clouds: {}, dir, now: () => new Date(), ...options });
  const agent = new Agent({ connect: { ca: sandbox.caPem } });
  const send = async (url: string, method: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Answer> => {
    const answer = await request(url, { dispatcher: agent, method: method as "GET", headers, body: body ?? null });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, json: parseOrNull(text) };
  };
  const call: TestSandbox["call"] = (method, path, body, headers = {}) => {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const own = { authorization: `Bearer ${sandbox.cluster.adminToken}`, ...(text === undefined ? {} : { "content-type": "application/json" }) };
    return send(`${sandbox.cluster.url}${path}`, method, { ...own, ...headers }, text);
  };
  return {
    ...sandbox,
    dir,
    agent,
    read: (path, method = "GET") => send(`${new URL(sandbox.issuerUrl).origin}${path}`, method, {}),
    call,
    apply: (path, manager, object, more = "") => call("PATCH", `${path}?fieldManager=${manager}${more}`, object, { "content-type": "application/apply-patch+yaml" }),
    async end() {
      await agent.destroy();
      await sandbox.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
