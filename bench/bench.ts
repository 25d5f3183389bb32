import { cpus, totalmem } from "node:os";
import { resolve } from "node:path";
import { benchCommands } from "./commands.ts";
import { benchGrants } from "./grants.ts";
import { benchPackage } from "./package.ts";
import { type Row, renderTable } from "./row.ts";
import { benchSetup } from "./setup.ts";
import { benchStartup } from "./startup.ts";

const benches: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  startup: benchStartup,
  package: benchPackage,
  commands: benchCommands,
  setup: benchSetup,
  grants: benchGrants,
};

/** Runs all, or those that are named, on the build that is there, and prints one Markdown table. */
async function main(): Promise<void> {
  process.chdir(resolve(import.meta.dirname, ".."));
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => benches[name] === undefined);
  if (unknown.length > 0) throw new Error(`no bench is called ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}`);
  const rows: Row[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (named.length > 0 && !named.includes(name)) continue;
    console.error(`${name} ...`);
    rows.push(...(await bench()));
  }
  const date = new Date().toISOString().slice(0, 10);
  console.log(`${date}, Node ${process.versions.node}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ${process.platform} ${process.arch}\n`);
  console.log(renderTable(rows));
}

await main();
