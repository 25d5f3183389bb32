import { mkdtemp, readdir, readFile, rm, watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, request } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSandboxRequest } from "../../../src/commands/sandbox/run-sandbox.ts";
import { run } from "../../../src/commands/run.ts";
import type { World } from "../../../src/commands/world.ts";
import { clouds } from "../../../src/federation/clouds/registry.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubeassume-command-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

interface Run {
  readonly stdout: string[];
  readonly stderr: string[];
  readonly interruption: AbortController;
  readonly exit: Promise<number>;
  /** Resolves when something has been written to stdout. */
  readonly printed: Promise<string>;
}

function start(argv: readonly string[], more: Partial<World> = {}): Run {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const interruption = new AbortController();
  let wrote = (_text: string): void => undefined;
  const written = new Promise<string>((resolve) => (wrote = resolve));
  const world: World = {
    argv: ["sandbox", ...argv],
    env: { PATH: process.env["PATH"], HOME: join(folder, "home") },
    cwd: folder,
    stdout: { write: (text) => (stdout.push(text), wrote(text)), isTTY: false, columns: 80 },
    stderr: { write: (text) => void stderr.push(text), isTTY: false, columns: 80 },
    stdin: { isTTY: false, readAll: async () => "", readLine: async () => null },
    now: () => new Date(),
    signal: interruption.signal,
    ...more,
  };
  const exit = run(world, "0.0.0");
  const ended = exit.then((code) => Promise.reject(new Error(`ended with ${code}: ${stderr.join("")}`)));
  const printed = Promise.race([written, ended]);
  // Most tests do not wait for it.
  printed.catch(() => undefined);
  return { stdout, stderr, interruption, exit, printed };
}

describe("with a command", () => {
  it("runs it inside and answers its exit code, with nothing of its own on stdout", async () => {
    const script = `printf '%s\\n' "$KUBEASSUME_ISSUER_URL" "$KUBECONFIG" "$PWD" > out.txt; exit 7`;
    const inside = start(["--dir", "kept", "--", "sh", "-c", script]);
    expect({ exit: await inside.exit, stderr: inside.stderr.join("") }).toMatchObject({ exit: 7 });
    expect(inside.stdout).toEqual([]);
    const [issuer, kubeconfig, cwd] = (await readFile(join(folder, "out.txt"), "utf8")).split("\n");
    expect(issuer).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/oidc$/);
    expect({ kubeconfig, cwd }).toEqual({ kubeconfig: join(folder, "kept", "kubeconfig"), cwd: folder });
  });

  it("reaches the issuer from inside, trusting what the environment names", async () => {
    const script = `fetch(process.env.KUBEASSUME_ISSUER_URL + "/openid/v1/jwks").then((r) => r.json()).then((j) => process.exit(j.keys.length === 1 ? 0 : 1), () => process.exit(2))`;
    expect(await start(["--", process.execPath, "-e", script]).exit).toBe(0);
  });

  it("removes its temporary folder at the end, and leaves one that was named", async () => {
    const script = `echo "$KUBEASSUME_SANDBOX_DIR" > "${folder}/where.txt"`;
    expect(await start(["--", "sh", "-c", script]).exit).toBe(0);
    const where = (await readFile(join(folder, "where.txt"), "utf8")).trim();
    await expect(readdir(where)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await start(["--dir", "kept", "--", "true"]).exit).toBe(0);
    expect(await readdir(join(folder, "kept"))).toEqual(expect.arrayContaining(["ca.pem", "kubeconfig"]));
  });

  it("answers like a shell when a signal ends it", async () => {
    expect(await start(["--", "sh", "-c", "kill -TERM $$"]).exit).toBe(143);
  });

  it("passes signals on, and the command decides what they mean", async () => {
    const handlers: ((name: NodeJS.Signals) => void)[] = [];
    let released = false;
    const takeSignals: World["takeSignals"] = (handler) => {
      handlers.push(handler);
      return () => void (released = true);
    };
    const script = `trap 'exit 5' TERM; touch ready; while :; do sleep 0.05; done`;
    const ready = watch(folder, { signal: AbortSignal.timeout(20_000) });
    const inside = start(["--", "sh", "-c", script], { takeSignals });
    for await (const { filename } of ready) if (filename === "ready") break;
    handlers[0]?.("SIGTERM");
    expect(await inside.exit).toBe(5);
    expect(released).toBe(true);
  });

  it("says so when there is no such command, and leaves no folder behind", async () => {
    const inside = start(["--", "no-such-command-here"]);
    expect(await inside.exit).toBe(2);
    expect(inside.stderr.join("")).toContain("SANDBOX_COMMAND_NOT_FOUND");
    expect(inside.stderr.join("")).toContain('cannot start "no-such-command-here" (ENOENT)');
  });

  it("refuses -o json: stdout is the command's", async () => {
    const inside = start(["-o", "json", "--", "true"]);
    expect(await inside.exit).toBe(2);
    expect(JSON.parse(inside.stdout.join(""))).toMatchObject({ ok: false, error: { code: "FLAGS_CONFLICT" } });
  });
});

describe("without a command", () => {
  it("prints export lines, serves until it is interrupted, and ends with 0", async () => {
    const serving = start(["--dir", "kept"]);
    const text = await serving.printed;
    const env = Object.fromEntries([...text.matchAll(/^export ([A-Z_0-9]+)='(.*)'$/gm)].map(([, name, value]) => [name, value]));
    for (const name of ["KUBECONFIG", "KUBEASSUME_ISSUER_URL", "KUBEASSUME_CA_FILE", "KUBEASSUME_SANDBOX_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"]) {
      expect(env).toHaveProperty(name);
    }
    const agent = new Agent({ connect: { ca: await readFile(env["KUBEASSUME_CA_FILE"] ?? "", "utf8") } });
    const url = `${env["KUBEASSUME_ISSUER_URL"]}/.well-known/openid-configuration`;
    expect((await request(url, { dispatcher: agent })).statusCode).toBe(200);
    serving.interruption.abort();
    expect(await serving.exit).toBe(0);
    await expect(request(url, { dispatcher: agent })).rejects.toThrow();
    await agent.destroy();
    expect(serving.stdout).toHaveLength(1);
  });

  it("prints one JSON document with -o json, and removes its temporary folder at the end", async () => {
    const serving = start(["-o", "json"]);
    const document = JSON.parse(await serving.printed) as { data: { env: Record<string, string> } };
    expect(document).toMatchObject({ kind: "SandboxInfo", ok: true, data: { env: { KUBEASSUME_ISSUER_URL: expect.any(String) as string }, clouds: clouds.map((cloud) => cloud.name) } });
    const dir = document.data.env["KUBEASSUME_SANDBOX_DIR"] ?? "";
    expect(await readdir(dir)).toContain("kubeconfig");
    serving.interruption.abort();
    expect(await serving.exit).toBe(0);
    await expect(readdir(dir)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("refuses a folder that cannot be made", async () => {
    const serving = start(["--dir", "/dev/null/sandbox"]);
    expect(await serving.exit).toBe(2);
    expect(serving.stderr.join("")).toContain("SANDBOX_FOLDER_UNUSABLE");
  });
});

describe("the words of the command line", () => {
  const [first] = clouds;

  it("are clouds before -- and a command after it", () => {
    const words = [first?.name ?? "", "aws", "-v"];
    const parsed = parseSandboxRequest(words, ["sandbox", words[0] ?? "", "--", "aws", "-v"]);
    expect(parsed).toEqual({ clouds: [first], command: ["aws", "-v"] });
  });

  it("mean all clouds when none is named, and each once", () => {
    expect(parseSandboxRequest([], ["sandbox"]).clouds).toEqual(clouds);
    expect(parseSandboxRequest(["aws", "aws"], ["sandbox", "aws", "aws"]).clouds).toHaveLength(1);
  });

  it("are refused when they name no cloud", () => {
    expect(() => parseSandboxRequest(["kubectl"], ["sandbox", "kubectl"])).toThrow(expect.objectContaining({ code: "SANDBOX_CLOUD_UNKNOWN" }) as Error);
  });
});
