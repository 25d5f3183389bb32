import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

interface Notice {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly texts: readonly string[];
}

/** The notices file of the bundle: every package in it with its version and whole licence text, equal texts once. */
export async function renderNotices(folders: readonly string[]): Promise<string> {
  const notices = await Promise.all(folders.map(readNotice));
  const byText = new Map<string, string[]>();
  for (const { name, version, license, texts } of notices) {
    const text = texts.join("\n\n").trim() || `(the package names its licence only: ${license})`;
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
  }
  const parts = [...byText].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
  return `kubeassume contains the following third-party software.\n\n${parts.join(`\n${"-".repeat(78)}\n\n`)}`;
}

async function readNotice(folder: string): Promise<Notice> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { name: string; version: string; license?: string };
  if (license === undefined) throw new Error(`${folder} names no licence`);
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)(\.|-|$)/i.test(file)).sort();
  return { name, version, license, texts: await Promise.all(files.map((file) => readFile(join(folder, file), "utf8"))) };
}
