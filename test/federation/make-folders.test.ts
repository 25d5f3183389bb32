import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolders } from "../../src/federation/make-folders.ts";

let dir = "";
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "kubeassume-folders-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe("makeFolders", () => {
  it("makes every missing folder with exactly the mode, and leaves existing ones alone", async () => {
    const before = await modeOf(dir);
    await makeFolders(join(dir, "a", "b"), 0o755);
    expect([await modeOf(dir), await modeOf(join(dir, "a")), await modeOf(join(dir, "a", "b"))]).toEqual([before, 0o755, 0o755]);
    await makeFolders(join(dir, "a", "b", "c"), 0o700);
    expect([await modeOf(join(dir, "a", "b")), await modeOf(join(dir, "a", "b", "c"))]).toEqual([0o755, 0o700]);
  });

  it("lets two runs make the same folders at once", async () => {
    const path = join(dir, "x", "y", "z");
    await Promise.all([makeFolders(path, 0o755), makeFolders(path, 0o755), makeFolders(path, 0o755)]);
    expect((await stat(path)).isDirectory()).toBe(true);
  });

  it("fails below a file", async () => {
    await writeFile(join(dir, "file"), "");
    await expect(makeFolders(join(dir, "file", "below"), 0o755)).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it.runIf(existsSync("/proc/self"))("ends where a file system makes no folders at all", async () => {
    await expect(makeFolders("/proc/kubeassume/below", 0o755)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
