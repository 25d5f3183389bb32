import { resolve } from "node:path";
import { writeCodesPage } from "./codes-page.ts";
import { writeReadme } from "./readme.ts";
import { writeSchemas } from "./schema.ts";

/** Writes every generated file that is checked in. The outputs in the README come from the built command: build first. */
process.chdir(resolve(import.meta.dirname, ".."));
await writeSchemas(".");
await writeCodesPage();
await writeReadme();
