import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withLock } from "./support/lock.ts";

describe("the lock of the cache", () => {
  let directory: string;
  let lock: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "kubeassume-lock-"));
    lock = join(directory, "etcd.lock");
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const countTogether = async (workers: number): Promise<number> => {
    let [inside, most] = [0, 0];
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      for (let turn = 0; turn < 20; turn++) await nextTurn();
      inside--;
    };
    await Promise.all(Array.from({ length: workers }, () => withLock(lock, work)));
    return most;
  };

  it("lets one worker in at a time, and is gone afterwards", async () => {
    expect(await countTogether(4)).toBe(1);
    expect(await readdir(directory)).toEqual([]);
  });

  it("is released when the work fails", async () => {
    await expect(withLock(lock, () => Promise.reject(new Error("no network")))).rejects.toThrow("no network");
    expect(await countTogether(1)).toBe(1);
  });

  it("is taken over, by one worker, from a process that died with it", async () => {
    const dead = execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }).trim();
    await symlink(`${dead}.holder`, lock);
    expect(await countTogether(4)).toBe(1);
  });
});
