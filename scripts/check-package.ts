import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** The tarball, packed, in bytes: all four clouds may take 1,000,000. */
const MOST_BYTES = 700_000;
const NEEDED = ["package.json", "README.md", "LICENSE", "dist/kubeassume.js", "dist/thumbprint.js", "dist/types/thumbprint/index.d.ts", "dist/THIRD_PARTY_NOTICES.txt", "schema/kubeassume.schema.json"];
const ALLOWED = /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/(kubeassume\.js|thumbprint\.js|THIRD_PARTY_NOTICES\.txt|chunks\/[\w.-]+\.js|types\/.+\.d\.ts)|schema\/.+\.json)$/;
/** What npm does by itself when somebody installs the package; `prepare` runs in a clone only. */
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

interface Packed {
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** What is wrong with what would be published. Needs a build. */
export async function findPackageFaults(): Promise<readonly string[]> {
  const [packed, manifest] = await Promise.all([readPacked(), readManifest()]);
  const paths = new Set(packed.files.map((file) => file.path));
  const faults = [
    ...NEEDED.filter((path) => !paths.has(path)).map((path) => `${path} is not in the package`),
    ...[...paths].filter((path) => !ALLOWED.test(path)).map((path) => `${path} does not belong into the package`),
    ...Object.keys(manifest.dependencies ?? {}).map((name) => `${name} is a runtime dependency: everything is bundled`),
    ...INSTALL_SCRIPTS.filter((name) => manifest.scripts[name] !== undefined).map((name) => `${name} would run on other people's machines`),
  ];
  return packed.size < MOST_BYTES ? faults : [...faults, `the tarball has ${packed.size} bytes, the limit is ${MOST_BYTES}`];
}

/** As `npm pack` would make it, of the build that is there. */
export async function readPacked(): Promise<Packed> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"], { maxBuffer: 16 * 1024 * 1024 });
  const [packed] = JSON.parse(stdout) as readonly Packed[];
  if (packed === undefined) throw new Error("npm pack answers nothing");
  return packed;
}

async function readManifest(): Promise<{ readonly dependencies?: Readonly<Record<string, string>>; readonly scripts: Readonly<Record<string, string>> }> {
  return JSON.parse(await readFile("package.json", "utf8")) as { dependencies?: Record<string, string>; scripts: Record<string, string> };
}
