import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startScene } from "../test/support/scene.ts";
import { mediansOf } from "./measure.ts";
import { against, measured, type Row } from "./row.ts";

const LATENCY_MS = 50;

interface Asked {
  readonly name: string;
  readonly args: readonly string[];
  /** The longest chain of requests that it may need. */
  readonly mostRoundTrips?: number;
}

/** The journey on stand-ins that answer after 50 ms each: duration, the longest chain of requests, and memory of every command. */
export async function benchCommands(): Promise<readonly Row[]> {
  return [...(await benchJourney("aws")), ...(await benchJourney("gcp")), ...(await benchStatusOfBoth())];
}

async function benchJourney(cloud: "aws" | "gcp"): Promise<readonly Row[]> {
  const scene = await startScene({ clouds: [cloud], latencyMs: LATENCY_MS });
  const folder = await mkdtemp(join(tmpdir(), "kubeassume-bench-"));
  const [hook, memory] = [join(folder, "hook.cjs"), join(folder, "memory")];
  await writeFile(hook, `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(memory)}, String(process.resourceUsage().maxRSS)));\n`);
  const rows: Row[] = [];
  try {
    for (const { name, args, mostRoundTrips } of JOURNEYS[cloud](scene.issuer)) {
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

function awsJourney(issuer: string): readonly Asked[] {
  const from = ["--issuer-url", issuer];
  const grant = ["grant", "aws", ...from, "--service-account", "demo/app", "--role-name", "app", "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "--apply-manifests"];
  return [
    { name: "`publish s3`, all new", args: ["publish", "s3", ...from, "--bucket", "oidc", "--create-bucket"] },
    { name: "`setup aws`, all new", args: ["setup", "aws", ...from], mostRoundTrips: 3 },
    { name: "`setup aws`, nothing to change", args: ["setup", "aws", ...from], mostRoundTrips: 2 },
    { name: "`grant aws`, all new", args: grant },
    { name: "`grant aws`, nothing to change", args: grant },
    { name: "`status aws`", args: ["status", "aws", ...from, "--service-account", "demo/app", "--role-name", "app"] },
    { name: "`verify aws`", args: ["verify", "aws", ...from, "--service-account", "demo/app", "--role-arn", "arn:aws:iam::123456789012:role/kubeassume/app"] },
    { name: "`teardown aws`", args: ["teardown", "aws", ...from, "--yes", "--keep-documents"] },
  ];
}

function gcpJourney(issuer: string): readonly Asked[] {
  const from = ["--issuer-url", issuer, "--project", "kubeassume-sandbox"];
  const pool = [...from, "--pool-id", "prod"];
  const grant = ["--service-account", "demo/app", "--role", "roles/storage.objectViewer"];
  return [
    { name: "`publish gcs`, all new", args: ["publish", "gcs", ...from, "--bucket", "oidc", "--create-bucket"] },
    { name: "`setup gcp`, all new (beside polling)", args: ["setup", "gcp", ...pool], mostRoundTrips: 5 },
    { name: "`setup gcp`, nothing to change", args: ["setup", "gcp", ...pool], mostRoundTrips: 2 },
    { name: "`grant gcp`, all new", args: ["grant", "gcp", ...pool, ...grant, "--apply-manifests"] },
    { name: "`grant gcp`, nothing to change", args: ["grant", "gcp", ...pool, ...grant, "--apply-manifests"] },
    { name: "`status gcp`", args: ["status", "gcp", ...pool, ...grant] },
    { name: "`verify gcp`", args: ["verify", "gcp", ...pool, "--service-account", "demo/app"] },
    { name: "`teardown gcp`", args: ["teardown", "gcp", ...from, "--yes", "--keep-documents"] },
  ];
}

const JOURNEYS = { aws: awsJourney, gcp: gcpJourney } as const;

/** Independent clouds are read side by side: both together against the slower of the two. */
async function benchStatusOfBoth(): Promise<readonly Row[]> {
  const scene = await startScene({ clouds: ["aws", "gcp"], latencyMs: LATENCY_MS });
  try {
    const config = `apiVersion: kubeassume.dev/v1\nkind: Federation\nissuer: ${scene.issuer}\nclouds:\n  aws: { region: eu-west-1 }\n  gcp: { project: kubeassume-sandbox, poolId: prod }\ngrants:\n  - serviceAccount: demo/app\n    aws: { roleName: app }\n    gcp: { roles: [roles/storage.objectViewer] }\n`;
    await scene.file("kubeassume.yaml", config);
    for (const args of [["setup", "aws"], ["grant", "aws"], ["setup", "gcp"], ["grant", "gcp"]]) {
      const { exit, stderr } = await scene.run(args);
      if (exit !== 0) throw new Error(stderr);
    }
    const env = { PATH: process.env["PATH"], HOME: scene.dir, ...scene.env };
    const status = (...clouds: readonly string[]) => ({ program: process.execPath, args: [resolve("dist/kubeassume.js"), "status", ...clouds], env, cwd: scene.dir });
    const medians = await mediansOf({ aws: status("aws"), gcp: status("gcp"), both: status() }, 10);
    const [name, value] = medians.aws > medians.gcp ? ["`status aws`", medians.aws] as const : ["`status gcp`", medians.gcp] as const;
    return [against("`status` of both clouds", medians.both, "ms", { name: `${name}, the slower of the two`, value }, 1.3)];
  } finally {
    await scene.close();
  }
}
