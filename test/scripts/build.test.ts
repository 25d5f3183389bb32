import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { findPackageFaults } from "../../scripts/check-package.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const DIST = join(ROOT, "dist");

/** All files that starting one loads at once. */
async function startedWith(file: string, seen = new Map<string, string>()): Promise<ReadonlyMap<string, string>> {
  if (seen.has(file)) return seen;
  const code = await readFile(file, "utf8");
  seen.set(file, code);
  for (const [, path] of code.matchAll(/(?:^|[;\n}])(?:import|export)(?:[^"'();]*?from)?"(\.[^"]+)"/g)) await startedWith(join(dirname(file), path ?? ""), seen);
  return seen;
}

describe("the build", () => {
  it("starts with commander and our own light files, and nothing else", async () => {
    const files = await startedWith(join(DIST, "kubeassume.js"));
    expect(files.size).toBeGreaterThan(3);
    const code = [...files.values()].join("\n");
    expect(code).toContain("Usage:");
    expect(code).not.toMatch(/llhttp|smithy|aws-sdk|YAMLParseError|ZodMini/);
    expect(code.length).toBeLessThan(120_000);
  });

  it("names every package that is in it, with its licence", async () => {
    const notices = await readFile(join(DIST, "THIRD_PARTY_NOTICES.txt"), "utf8");
    for (const name of ["commander", "undici", "yaml", "zod", "fastest-levenshtein", "@aws-sdk/client-iam", "@aws-sdk/client-s3", "@smithy/core"]) {
      const { version, license } = JSON.parse(await readFile(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string; license: string };
      expect(notices).toContain(`${name} ${version} (${license})`);
    }
    expect(notices).toContain("Apache License");
    expect(notices).toMatch(/Permission is hereby granted, free of charge/);
  });

  it("would be published with what it needs, without what it does not, and without dependencies", async () => {
    expect(await findPackageFaults()).toEqual([]);
  });

  it("has a library entry that other programs can import, with its types", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kubeassume-consumer-"));
    await mkdir(join(folder, "node_modules", "@types"), { recursive: true });
    await symlink(ROOT, join(folder, "node_modules", "kubeassume"), "dir");
    await symlink(join(ROOT, "node_modules/@types/node"), join(folder, "node_modules/@types/node"), "dir");
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    const source = 'import { type ChainEntry, readServedChain, thumbprintOf } from "kubeassume/thumbprint";\nexport const entries: readonly ChainEntry[] = [];\nconsole.log(typeof readServedChain, typeof thumbprintOf);\n';
    await writeFile(join(folder, "consumer.ts"), source);
    await writeFile(join(folder, "wrong.ts"), 'import { thumbprintOf } from "kubeassume/thumbprint";\nexport const wrong: number = thumbprintOf;\n');
    const tsc = (file: string) => promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "--strict", "--module", "nodenext", "--target", "es2023", "--types", "node", "--outDir", ".", file], { cwd: folder });
    await tsc("consumer.ts").catch((error: { stdout: string }) => expect.fail(error.stdout));
    await expect(tsc("wrong.ts")).rejects.toMatchObject({ stdout: expect.stringContaining("TS2322") as string });
    expect((await promisify(execFile)(process.execPath, ["consumer.js"], { cwd: folder })).stdout).toBe("function function\n");
  });
});
