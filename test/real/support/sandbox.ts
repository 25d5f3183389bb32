import { spawn } from "node:child_process";
import { join } from "node:path";
import { COMMAND } from "../../support/kubeassume.ts";
import { expectEnvelope } from "../../support/output-schema.ts";
import { runCommand } from "./command.ts";
import type { CommandResult } from "./command.ts";
import { makeTemporaryFolder } from "./temporary.ts";

export interface SandboxCommand {
  readonly issuer: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the sandbox and the programs inside of it write. */
  readonly directory: string;
  /** Runs a program in the sandbox's environment and nothing else: none of the person's own accounts or clusters. */
  run(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CommandResult>;
  /** Interrupts it as a person does; throws unless it then ends with 0. */
  stop(): Promise<void>;
}

interface SandboxInfo {
  readonly env: Readonly<Record<string, string>>;
  readonly issuer: string;
}

/** Starts the built command's sandbox, as `kubeassume sandbox CLOUD -o json`, and takes the environment that it prints. */
export async function startSandboxCommand(cloud: "aws" | "gcp" = "aws"): Promise<SandboxCommand> {
  const folder = await makeTemporaryFolder("sandbox");
  const own = { PATH: process.env["PATH"] ?? "", HOME: join(folder.directory, "home") };
  const child = spawn(process.execPath, [COMMAND, "sandbox", cloud, "--dir", folder.directory, "-o", "json"], { env: own, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const printed = { stdout: "", stderr: "" };
  child.stderr.setEncoding("utf8").on("data", (text: string) => (printed.stderr += text));
  const described = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    void ended.then((code) => reject(new Error(`the sandbox ended with ${code}: ${printed.stderr}`)));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      printed.stdout += text;
      if (isJson(printed.stdout)) resolve(printed.stdout);
    });
  });
  const { env, issuer } = expectEnvelope<SandboxInfo>("SandboxInfo", await described).data;
  return {
    issuer,
    env,
    directory: folder.directory,
    run: (command, args, more = {}) => runCommand(command, args, { env: { ...own, ...env, ...more }, inherits: false, cwd: folder.directory }),
    stop: async () => {
      child.kill("SIGINT");
      const code = await ended;
      await folder.remove();
      if (code !== 0) throw new Error(`the interrupted sandbox ended with ${code}: ${printed.stderr}`);
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
