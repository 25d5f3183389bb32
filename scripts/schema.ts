import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod/mini";
import { configParts } from "../src/federation/config/registry.ts";
import { createConfigSchema } from "../src/federation/config/schema.ts";
import { dataSchemas, envelopeSchema, type OutputKind } from "../src/federation/report/schemas.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** Every JSON Schema of the package by its path below the repository: JSON Schema 2020-12, made from the same schemas that the code uses. */
export function renderSchemas(): ReadonlyMap<string, string> {
  const kinds = Object.keys(dataSchemas) as OutputKind[];
  return new Map([
    ["schema/kubeassume.schema.json", render(createConfigSchema(configParts))],
    ...kinds.map((kind) => [`schema/output/${kind}.schema.json`, render(envelopeSchema(kind))] as const),
  ]);
}

function render(schema: z.ZodMiniType): string {
  // As input: a document may have members that a later version adds, unless the schema itself is strict.
  return `${JSON.stringify(z.toJSONSchema(schema, { io: "input" }), null, 2)}\n`;
}

/** Writes them, and removes those of kinds that are gone. */
export async function writeSchemas(root: string): Promise<void> {
  const schemas = renderSchemas();
  const folder = join(root, "schema", "output");
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (!schemas.has(`schema/output/${name}`)) await rm(join(folder, name));
  for (const [path, text] of schemas) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeSchemas(ROOT);
