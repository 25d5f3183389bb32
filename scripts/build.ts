import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";
import { lessOfGoogle, lessOfUndici, noBrowsers, noSubprograms } from "./lean-bundle.ts";
import { renderNotices } from "./notices.ts";

/**
 * Builds what is published into `dist`: an ESM bundle, split so that each command and each cloud is loaded only when
 * it is needed; the type declarations of the library entry; the notices of everything bundled. `--metafile` also
 * writes what esbuild says about the bundle.
 */
async function main(): Promise<void> {
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  // Built beside and swapped at the end: a command that runs meanwhile keeps its chunks, a failed build changes nothing.
  await mkdir(".cache", { recursive: true });
  const folder = await mkdtemp(".cache/dist-");
  try {
    const [metafiles] = await Promise.all([bundle(folder, version), declareTypes(folder)]);
    await writeFile(join(folder, "THIRD_PARTY_NOTICES.txt"), await renderNotices([...new Set(metafiles.flatMap(packagesOf))].sort()));
    if (process.argv.includes("--metafile")) await writeFile(join(folder, "metafile.json"), JSON.stringify(metafiles[0]));
    await chmod(join(folder, "kubeassume.js"), 0o755);
    await rm("dist", { recursive: true, force: true });
    await rename(folder, "dist");
    await chmod("dist", 0o755);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The command, split; beside it the library, which shares no file with it, so that it takes none of the command's start apart. */
async function bundle(folder: string, version: string): Promise<readonly Metafile[]> {
  const command = { entryPoints: { kubeassume: "bin/kubeassume.ts" }, splitting: true, plugins: [lessOfUndici, lessOfGoogle, noBrowsers, noSubprograms, await oneCore()] };
  const library = { entryPoints: { thumbprint: "src/thumbprint/index.ts" }, plugins: [lessOfUndici] };
  return Promise.all([command, library].map((what) => bundleOne(what, folder, version)));
}

async function bundleOne(what: BuildOptions, folder: string, version: string): Promise<Metafile> {
  const { metafile, outputFiles } = await build({
    ...what,
    outdir: folder,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.18",
    // The ESM builds of SDKs: only they can be split, shaken, and imported by name.
    mainFields: ["module", "main"],
    minify: true,
    legalComments: "none",
    chunkNames: "chunks/[name]-[hash]",
    define: {
      KUBEASSUME_VERSION: JSON.stringify(version),
      // Otherwise the SDK writes to stderr that a later version of itself will not run on Node 20.
      "process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED": '"true"',
    },
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  await mkdir(join(folder, "chunks"), { recursive: true });
  await Promise.all(outputFiles.map((file) => writeFile(file.path, withRequire(file.text))));
  return metafile;
}

/**
 * esbuild puts a module into a chunk with those that the same entries reach, so the modules of the start would be spread
 * over a dozen small files, and Node 20 takes almost a millisecond for each. Here every lazily loaded module of ours
 * also reaches the start, which is loaded by then: so the start becomes one file.
 */
async function oneCore(): Promise<Plugin> {
  const core = resolve("src/commands/run.ts");
  const files = (await readdir("src", { recursive: true })).filter((file) => file.endsWith(".ts")).map((file) => resolve("src", file));
  const lazy = new Set<string>();
  for (const file of files) {
    for (const [, target] of (await readFile(file, "utf8")).matchAll(/\bimport\("(\.[^"]+)"\)/g)) lazy.add(resolve(dirname(file), target ?? ""));
  }
  return {
    name: "one-core",
    setup(builder) {
      builder.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) =>
        lazy.has(path) ? { contents: `${await readFile(path, "utf8")}\nimport ${JSON.stringify(core)};\n`, loader: "ts" } : undefined,
      );
    },
  };
}

const REQUIRE = 'import{createRequire as __kubeassumeRequire}from"node:module";const require=__kubeassumeRequire(import.meta.url);';

/**
 * CommonJS parts of SDKs call `require`, which an ESM bundle does not have. Only the chunks that mention it get one:
 * in all of them it would make up a tenth of the time that `--help` takes.
 */
function withRequire(code: string): string {
  if (!/\brequire\b/.test(code)) return code;
  return code.startsWith("#!") ? code.replace("\n", `\n${REQUIRE}`) : REQUIRE + code;
}

/** Declarations of `kubeassume/thumbprint` and of what its signatures name. */
async function declareTypes(folder: string): Promise<void> {
  const tsc = "node_modules/typescript/bin/tsc";
  await promisify(execFile)(process.execPath, [tsc, "-p", "scripts/tsconfig.types.json", "--outDir", join(folder, "types")]).catch((error: { readonly stdout?: string }) => {
    throw new Error(`the declarations of the library entry do not compile:\n${error.stdout ?? ""}`, { cause: error });
  });
}

/** Folders of all packages with at least one byte in the bundle. */
function packagesOf(metafile: Metafile): readonly string[] {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs).filter(([, use]) => use.bytesInOutput > 0));
  const folders = inputs.map(([path]) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter((path) => path !== undefined);
  return [...new Set(folders)].sort();
}

await main();
