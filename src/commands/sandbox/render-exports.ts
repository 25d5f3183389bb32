import { inQuotes } from "../../federation/report/shell-word.ts";

/** An environment as a POSIX shell reads it: `unset` lines, then `export` lines; ends with a newline or is empty. */
export function renderExports(env: Readonly<Record<string, string>>, unset: readonly string[]): string {
  const lines = [...unset.map((name) => `unset ${name}`), ...Object.entries(env).map(([name, value]) => `export ${name}=${inQuotes(value)}`)];
  return lines.map((line) => `${line}\n`).join("");
}
