import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Entry, readEntries } from "../src/commands/explain/entries.ts";

export const CODES_PAGE = "docs/codes.md";

/** The page of all codes and checks: the same words as `kubeassume explain`. */
export async function renderCodesPage(): Promise<string> {
  const entries = await readEntries();
  const codes = entries.filter((entry) => entry.kind === "code");
  const checks = entries.filter((entry) => entry.kind === "check");
  return [
    "# Codes and checks",
    "Made by `npm run generate` from the tables that the code itself uses; `kubeassume explain CODE` says the same. Codes and ids are stable; the wording is not.",
    "## Errors and warnings",
    "`error.code` and `warnings[].code` of the JSON output. The exit code is that of a command that ends with it; what has none is a warning, which ends nothing.",
    renderTable(["Code", "Exit", "Meaning", "Why", "What to do"], codes.map((entry) => [`\`${entry.code}\``, entry.exit === 0 ? "" : String(entry.exit), ...words(entry)])),
    "## Checks",
    "`checks[].id` of `status` and `verify`.",
    renderTable(["Check", "Meaning", "Why", "What to do"], checks.map((entry) => [`\`${entry.code}\``, ...words(entry)])),
    "",
  ].join("\n\n").trimEnd().concat("\n");
}

function words({ summary, why, fix }: Entry): readonly string[] {
  return [summary, why, fix];
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

export async function writeCodesPage(): Promise<void> {
  await mkdir(dirname(CODES_PAGE), { recursive: true });
  await writeFile(CODES_PAGE, await renderCodesPage());
}
