import { resolve } from "node:path";
import type { CloudWorld } from "../../federation/clouds/cloud.ts";
import type { FlagValues } from "../../federation/clouds/options.ts";
import { codes } from "../../federation/errors/codes.ts";
import { KubeassumeError } from "../../federation/errors/error.ts";
import type { Http } from "../../federation/http/http.ts";
import { toShellWord } from "../../federation/report/shell-word.ts";
import type { CommandContext, Ui } from "../command.ts";
import type { World } from "../world.ts";
import { traceHttp } from "./traced-http.ts";

export interface ContextOptions {
  readonly world: World;
  readonly flags: FlagValues;
  readonly arguments: readonly string[];
  readonly ui: Ui;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** One remote call gets a quarter of the command's bound, so that a stalled one leaves room to report; 1 to 30 s. */
function callTimeout(totalMs: number): number {
  return Math.min(Math.max(totalMs / 4, 1000), 30_000);
}

/** Makes a command's context. Everything costly is loaded on first use and once. */
export function createContext(options: ContextOptions): CommandContext {
  const { world, flags, ui, signal } = options;
  const timeoutMs = callTimeout(options.timeoutMs);
  const caPem = once(() => readCaFile(flags, world));
  const trace = (client: Http): Http => (flags["verbose"] === true ? traceHttp(client, ui.debug, world.now) : client);
  const http = once(async () => {
    const { createHttp } = await import("../../federation/http/create-http.ts");
    return trace(createHttp({ caPem: await caPem(), env: world.env, timeoutMs, signal }));
  });
  const config = once(async () => {
    const { loadConfig } = await import("../../federation/config/load-config.ts");
    return loadConfig(textFlag(flags, "config"), { cwd: world.cwd, readFile: async (path) => (await import("node:fs/promises")).readFile(path, "utf8") });
  });
  const cluster = once(async () => {
    const { connectCluster } = await import("../../federation/cluster/connect.ts");
    const file = await config();
    const kubeconfig = textFlag(flags, "kubeconfig") ?? file?.cluster?.kubeconfig;
    const context = textFlag(flags, "context") ?? file?.cluster?.context;
    const optional = { ...(kubeconfig === undefined || kubeconfig === null ? {} : { kubeconfig: resolve(world.cwd, kubeconfig) }), ...(context === undefined || context === null ? {} : { context }) };
    return connectCluster({ ...optional, env: world.env, caPem: await caPem(), timeoutMs, signal, now: world.now, trace, interactive: world.stdin.isTTY && world.stderr.isTTY });
  });
  const cloudWorld = once(async (): Promise<CloudWorld> => ({
    env: world.env,
    http: await http(),
    caPem: await caPem(),
    now: world.now,
    signal,
    timeoutMs,
    notify: ui.progress,
  }));
  const commandLine = ["kubeassume", ...world.argv].map(toShellWord).join(" ");
  return { world, flags, arguments: options.arguments, commandLine, ui, dryRun: flags["dryRun"] === true, timeoutMs, signal, http, caPem, cloudWorld, config, cluster };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function textFlag(flags: FlagValues, name: string): string | null {
  const value = flags[name];
  return typeof value === "string" ? value : null;
}

async function readCaFile(flags: FlagValues, world: World): Promise<readonly string[]> {
  const named = textFlag(flags, "caFile") ?? world.env["KUBEASSUME_CA_FILE"] ?? "";
  if (named === "") return [];
  const path = resolve(world.cwd, named);
  const text = await readTextFile(path, "the CA file");
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (certificates !== null) return certificates;
  throw new KubeassumeError(codes.FLAG_INVALID, { message: `${named} holds no PEM certificate`, hint: "name a file with the CA's certificate in PEM form", details: { file: named } });
}

/** Reads a file that the operator named. Throws FILE_UNREADABLE. Bound: 1 MiB. */
export async function readTextFile(path: string, what: string): Promise<string> {
  try {
    const { readFile } = await import("node:fs/promises");
    const bytes = await readFile(path);
    if (bytes.length <= 1024 * 1024) return bytes.toString("utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unreadable";
    throw new KubeassumeError(codes.FILE_UNREADABLE, { message: `${what} ${path} cannot be read (${reason})`, details: { file: path, reason }, cause });
  }
  throw new KubeassumeError(codes.FILE_UNREADABLE, { message: `${what} ${path} is larger than 1 MiB`, details: { file: path } });
}
