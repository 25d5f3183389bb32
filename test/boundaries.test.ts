import { describe, expect, it } from "vitest";
import { type Import, importsOf, readSources, staticClosure } from "./support/import-graph.ts";

const sources = readSources();
const imports = sources.flatMap(importsOf);
const own = (one: Import) => one.to.startsWith("src/") || one.to.startsWith("bin/");

/** Planning, judging, rendering: no I/O, no clock, no process. */
const PURE = [
  /^src\/federation\/(plan|report|errors)\//,
  /^src\/federation\/oidc\/(?!read-issuer)/,
  /^src\/federation\/flow\/judge-/,
  /^src\/federation\/publish\/(keys|plan|merge)/,
  /^src\/federation\/cluster\/manifests/,
  /^src\/federation\/clouds\/(input\.ts$|judge\/)/,
  /^src\/federation\/clouds\/[^/]+\/(judge|input|desired|trust|texts|status|permissions)\//,
  /^src\/thumbprint\/(fingerprint|judge-chain|records|codes)/,
];
/** Built-ins that compute and touch nothing. */
const HARMLESS = new Set(["node:crypto", "node:util", "node:buffer"]);
/** Packages that compute and touch nothing. */
const PURE_PACKAGES = new Set(["yaml", "jose", "zod", "zod/mini", "fastest-levenshtein", "@bufbuild/cel"]);
/** A cloud is a folder with a definition; what lies beside them is shared by all. */
const CLOUDS = sources.flatMap(({ path }) => /^src\/federation\/clouds\/([^/]+)\/cloud\.ts$/.exec(path)?.[1] ?? []);
const cloudOf = (path: string) => CLOUDS.find((name) => path.startsWith(`src/federation/clouds/${name}/`));
/** The vendors' libraries, and the only places that load them. */
const SDKS = [
  ["@aws-sdk/", /^src\/federation\/clouds\/aws\/(connection|s3)\//],
  ["google-auth-library", /^src\/federation\/clouds\/gcp\/connection\//],
] as const;
const pure = sources.filter((source) => PURE.some((pattern) => pattern.test(source.path)));

function withoutTexts(code: string): string {
  return code.replace(/"(?:[^"\\\n]|\\.)*"/g, '""').replace(/`(?:[^`\\]|\\.)*`/g, "``");
}

/** What each folder may load at run time; types are free. The table of ARCHITECTURE.md in full. */
const MAY: Readonly<Record<string, { readonly folders: readonly string[]; readonly packages: readonly string[] }>> = {
  errors: { folders: [], packages: [] },
  plan: { folders: ["errors"], packages: [] },
  apply: { folders: ["errors", "plan"], packages: [] },
  report: { folders: ["errors", "plan", "apply"], packages: ["zod"] },
  http: { folders: [], packages: ["undici"] },
  oidc: { folders: ["errors", "http"], packages: [] },
  config: { folders: ["errors", "oidc"], packages: ["yaml", "zod", "fastest-levenshtein"] },
  cluster: { folders: ["errors", "plan", "http"], packages: ["undici", "yaml", "fastest-levenshtein"] },
  flow: { folders: ["errors", "plan", "apply", "oidc", "cluster"], packages: [] },
  publish: { folders: ["errors", "plan", "apply", "oidc", "report", "clouds"], packages: [] },
  sandbox: { folders: ["errors", "oidc", "http"], packages: ["yaml"] },
};

function folderOf(path: string): string | undefined {
  return /^src\/federation\/([^/]+)\//.exec(path)?.[1];
}

describe("boundaries", () => {
  it("sees the tree: every rule below speaks about files that exist", () => {
    for (const pattern of PURE) expect(sources.filter((source) => pattern.test(source.path)), String(pattern)).not.toEqual([]);
    expect(imports.length).toBeGreaterThan(300);
  });

  it("keeps planning, judging and rendering free of I/O", () => {
    const paths = new Set(pure.map((source) => source.path));
    const bad = imports.filter((one) => paths.has(one.from) && one.kind !== "type" && !own(one) && !HARMLESS.has(one.to) && !PURE_PACKAGES.has(one.to));
    expect(bad).toEqual([]);
  });

  it("keeps everything that pure code reaches pure as well", () => {
    const bad = pure.flatMap((source) => [...staticClosure(source.path, imports)].filter((path) => path.startsWith("node:") && !HARMLESS.has(path)).map((path) => `${source.path} reaches ${path}`));
    expect(bad).toEqual([]);
  });

  it("keeps the clock, chance and the process out of pure code", () => {
    const bad = pure.filter((source) => /\bprocess\.|\bDate\.now\(|new Date\(\)|Math\.random\(|performance\.|\bfetch\(|setTimeout\(|randomUUID\(|console\./.test(source.code));
    expect(bad.map((source) => source.path)).toEqual([]);
  });

  it("lets only the edge know process, console and argv", () => {
    const bad = sources.filter((source) => /\bprocess\.(env|argv|exit|stdout|stderr|stdin|cwd)|\bconsole\.(log|error|warn|info|debug|trace|table|dir)\b/.test(source.code) && !source.path.startsWith("bin/"));
    expect(bad.map((source) => source.path)).toEqual([]);
  });

  it("never lets the federation import a command, nor the bin anything but commands", () => {
    expect(imports.filter((one) => /^src\/(federation|thumbprint)\//.test(one.from) && one.to.startsWith("src/commands/"))).toEqual([]);
    expect(imports.filter((one) => one.from.startsWith("bin/") && own(one) && !one.to.startsWith("src/commands/"))).toEqual([]);
  });

  it("never lets one command import another, but for the table of commands", () => {
    const folder = (path: string) => /^src\/commands\/([^/]+)\//.exec(path)?.[1];
    const bad = imports.filter((one) => {
      const [from, to] = [folder(one.from), folder(one.to)];
      return from !== undefined && to !== undefined && from !== to && to !== "edge";
    });
    expect(bad.filter((one) => !(one.from === "src/commands/completion/run-completion.ts" || folder(one.from) === "demo"))).toEqual([]);
  });

  it("reaches a cloud's folder only through the tables that register it", () => {
    const registries = new Set(["src/federation/clouds/registry.ts", "src/federation/publish/registry.ts", "src/federation/config/registry.ts"]);
    const bad = imports.filter((one) => cloudOf(one.to) !== undefined && cloudOf(one.from) !== cloudOf(one.to) && !registries.has(one.from));
    expect(bad).toEqual([]);
  });

  it("names no cloud's concept outside its folder, the tables that register it and the thumbprint", () => {
    // What is written for people may name clouds; identifiers, members and imports may not.
    const allowed = /^src\/(thumbprint\/|commands\/thumbprint\/|federation\/(clouds|publish|config)\/registry\.ts$|federation\/report\/redact\.ts$)/;
    const words = /\b(aws|iam|sts|s3|arn|arns|assumerole\w*|oidcprovider|rolearn|rolename|gcp|azure|oci)\b/i;
    const bad = sources.filter((source) => !allowed.test(source.path) && cloudOf(source.path) === undefined).flatMap((source) =>
      withoutTexts(source.code).split("\n").filter((line) => words.test(line)).map((line) => `${source.path}: ${line.trim()}`),
    );
    expect(bad).toEqual([]);
  });

  it("lets each folder load what ARCHITECTURE says, and nothing else", () => {
    // Tables that register clouds, and helpers of all folders that stand in none.
    const free = /\/registry\.ts$|^src\/federation\/[^/]+\.ts$/;
    const bad = imports.filter((one) => {
      const from = folderOf(one.from);
      const may = from === undefined ? undefined : MAY[from];
      if (may === undefined || one.kind === "type" || one.to.startsWith("node:") || free.test(one.from) || free.test(one.to)) return false;
      const to = folderOf(one.to);
      if (to !== undefined) return to !== from && !may.folders.includes(to);
      return !may.packages.includes(one.to.split("/").slice(0, one.to.startsWith("@") ? 2 : 1).join("/"));
    });
    expect(bad).toEqual([]);
  });

  it("keeps SDKs within the folders of their clouds, and the thumbprint a library of its own", () => {
    const sdk = imports.filter(({ from, to }) => SDKS.some(([name, at]) => to.startsWith(name) && !at.test(from)));
    expect(sdk).toEqual([]);
    const beyond = imports.filter((one) => one.from.startsWith("src/thumbprint/") && one.kind !== "type" && own(one) && !/^src\/(thumbprint|federation\/(errors|oidc))\//.test(one.to));
    expect(beyond).toEqual([]);
  });

  it("loads no SDK, HTTP client or YAML parser before a command needs it", () => {
    const heavy = [...staticClosure("bin/kubeassume.ts", imports)].filter((path) => !path.startsWith("src/") && !path.startsWith("bin/") && !path.startsWith("node:"));
    expect(heavy.sort()).toEqual(["commander"]);
  });

  it("has no cycle of imports at run time", () => {
    const bad = sources.map((source) => source.path).filter((path) =>
      imports.some((one) => one.from === path && one.kind === "static" && own(one) && staticClosure(one.to, imports).has(path)),
    );
    expect(bad).toEqual([]);
  });

  it("keeps files of one purpose: none is longer than 300 lines", () => {
    expect(sources.filter((source) => source.code.split("\n").length > 300).map((source) => source.path)).toEqual([]);
  });
});
