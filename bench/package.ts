import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { median, time } from "./measure.ts";
import { measured, type Row } from "./row.ts";

const RUNS = 3;

/** The tarball as it would be published: its size, and how long its first start through npx takes, with nothing cached and no network. */
export async function benchPackage(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "kubeassume-bench-"));
  try {
    const { stdout } = await promisify(execFile)("npm", ["pack", "--ignore-scripts", "--json", "--loglevel=error", "--pack-destination", folder]);
    const [{ filename, unpackedSize }] = JSON.parse(stdout) as [{ filename: string; unpackedSize: number }];
    const tarball = join(folder, filename);
    const times: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const empty = join(folder, `empty-${run}`);
      await mkdir(empty);
      const args = ["--yes", "--offline", "--cache", join(folder, `cache-${run}`), "--package", tarball, "kubeassume", "--help"];
      times.push(await time({ program: "npx", args, cwd: empty, env: { ...process.env, npm_config_loglevel: "error" } }));
    }
    return [
      measured("tarball", (await stat(tarball)).size / 1000, "kB", 1000),
      measured("unpacked", unpackedSize / 1000, "kB"),
      measured("first start of the tarball through npx", median(times), "ms"),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
