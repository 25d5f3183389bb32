import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/** Static, dynamic and type-only imports and re-exports, as they stand in the text. */
const STATEMENT = /^(import|export)\s+(type\s+)?(?:([^"';]*?)\s+from\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

export interface Import {
  readonly from: string;
  /** A path below the repository for our own files, else the package or built-in as written. */
  readonly to: string;
  readonly kind: "static" | "dynamic" | "type";
}

export interface Source {
  readonly path: string;
  /** Without comments. */
  readonly code: string;
}

/** Every TypeScript file below `bin` and `src`, paths relative to the repository. */
export function readSources(): readonly Source[] {
  return ["bin", "src"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => {
        const path = `${folder}/${file.replaceAll("\\", "/")}`;
        return { path, code: withoutComments(readFileSync(join(ROOT, path), "utf8")) };
      }),
  );
}

/** Texts and regular expressions are matched first, so that a comment sign within one opens no comment. */
const TEXT_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/(?![*/])(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;

function withoutComments(text: string): string {
  return text.replace(TEXT_OR_COMMENT, (part) => (part.startsWith("/*") || part.startsWith("//") ? "" : part));
}

export function importsOf(source: Source): readonly Import[] {
  const statements = [...source.code.matchAll(STATEMENT)].map((match): Import => ({ from: source.path, to: resolveTo(source.path, match[4] ?? ""), kind: isTypeOnly(match[2], match[3]) ? "type" : "static" }));
  const dynamic = [...source.code.matchAll(DYNAMIC)].map((match): Import => ({ from: source.path, to: resolveTo(source.path, match[1] ?? ""), kind: "dynamic" }));
  return [...statements, ...dynamic];
}

function isTypeOnly(keyword: string | undefined, names: string | undefined): boolean {
  if (keyword !== undefined) return true;
  const listed = /^\{([\s\S]*)\}$/.exec(names?.trim() ?? "")?.[1];
  return listed !== undefined && listed.split(",").map((name) => name.trim()).filter((name) => name !== "").every((name) => name.startsWith("type "));
}

function resolveTo(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return relative(ROOT, normalize(join(ROOT, dirname(from), specifier))).replaceAll("\\", "/");
}

/** All that a file loads at once when it is imported. */
export function staticClosure(start: string, imports: readonly Import[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [start];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    waiting.push(...imports.filter((one) => one.from === next && one.kind === "static").map((one) => one.to));
  }
  return reached;
}
