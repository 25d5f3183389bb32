import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startScene } from "../test/support/scene.ts";
import { measured, type Row } from "./row.ts";

const LATENCY_MS = 50;

interface Asked {
  readonly name: string;
  readonly args: readonly string[];
  /** The longest chain of requests that it may need. */
  readonly mostRoundTrips?: number;
}

/** The journey on stand-ins that answer after 50 ms each: duration, the longest chain of requests, and memory of every command. */
export async function benchCommands(): Promise<readonly Row[]> {
  const scene = await startScene({ latencyMs: LATENCY_MS });
  const folder = await mkdtemp(join(tmpdir(), "kubeassume-bench-"));
  const [hook, memory] = [join(folder, "hook.cjs"), join(folder, "memory")];
  await writeFile(hook, `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(memory)}, String(process.resourceUsage().maxRSS)));\n`);
  const rows: Row[] = [];
  try {
    for (const { name, args, mostRoundTrips } of journey(scene.issuer)) {
      scene.forget();
      const started = performance.now();
      const { exit, stderr } = await scene.run(args, { env: { NODE_OPTIONS: `--require ${hook}` } });
      const took = performance.now() - started;
      if (exit !== 0) throw new Error(`${args.join(" ")} ended with ${exit}: ${stderr}`);
      rows.push(
        measured(`${name}, every answer after ${LATENCY_MS} ms`, took, "ms"),
        measured(`${name}, one after the other`, scene.roundTrips(), "round trips", mostRoundTrips),
        measured(`${name}, memory`, Number(await readFile(memory, "utf8")) / 1024, "MB"),
      );
    }
    return rows;
  } finally {
    await scene.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function journey(issuer: string): readonly Asked[] {
  const from = ["--issuer-url", issuer];
  const grant = ["grant", "aws", ...from, "--service-account", "demo/app", "--role-name", "app", "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "--apply-manifests"];
  return [
    { name: "`publish s3`, all new", args: ["publish", "s3", ...from, "--bucket", "oidc", "--create-bucket"] },
    { name: "`setup aws`, all new", args: ["setup", "aws", ...from], mostRoundTrips: 3 },
    { name: "`setup aws`, nothing to change", args: ["setup", "aws", ...from], mostRoundTrips: 2 },
    { name: "`grant aws`, all new", args: grant },
    { name: "`grant aws`, nothing to change", args: grant },
    { name: "`status`", args: ["status", "aws", ...from, "--service-account", "demo/app", "--role-name", "app"] },
    { name: "`verify aws`", args: ["verify", "aws", ...from, "--service-account", "demo/app", "--role-arn", "arn:aws:iam::123456789012:role/kubeassume/app"] },
    { name: "`teardown`", args: ["teardown", "aws", ...from, "--yes", "--keep-documents"] },
  ];
}
