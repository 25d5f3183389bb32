import { closest } from "fastest-levenshtein";
import { codes } from "../../federation/errors/codes.ts";
import { EXIT, KubeassumeError } from "../../federation/errors/error.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { type Entry, readEntries } from "./entries.ts";

/** Explains one code, or lists all. Throws CODE_UNKNOWN with the nearest one. */
export async function runExplain(context: CommandContext): Promise<CommandResult> {
  const entries = await readEntries();
  const [wanted] = context.arguments;
  if (wanted === undefined) return { data: { entries }, warnings: [], text: renderList(entries) };
  const entry = entries.find((candidate) => candidate.code.toLowerCase() === wanted.toLowerCase());
  if (entry !== undefined) return { data: entry, warnings: [], text: renderEntry(entry) };
  const nearest = closest(wanted.toLowerCase(), entries.map((candidate) => candidate.code.toLowerCase()));
  const hit = entries.find((candidate) => candidate.code.toLowerCase() === nearest);
  throw new KubeassumeError(codes.CODE_UNKNOWN, { message: `there is no code ${JSON.stringify(wanted)}; the nearest is ${hit?.code ?? "none"}` });
}

function renderList(entries: readonly Entry[]): string {
  const width = Math.max(...entries.map((entry) => entry.code.length));
  return `${entries.map((entry) => `${entry.code.padEnd(width)}  ${entry.summary}`).join("\n")}\n`;
}

function renderEntry(entry: Entry): string {
  const exit = entry.exit === null || entry.exit === EXIT.done ? "" : `\nExit code: ${entry.exit}\n`;
  return `${entry.code}: ${entry.summary}\n\nWhy: ${entry.why}\n\nWhat to do: ${entry.fix}\n${exit}`;
}
