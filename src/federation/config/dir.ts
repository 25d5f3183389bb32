import * as z from "zod/mini";
import type { ConfigPart } from "./config-part.ts";
import { keyMembers, KEY_PATHS } from "./keys.ts";
import { text } from "./values.ts";

/** The store that belongs to no cloud: a folder that any web server serves. */
export const dirConfig: ConfigPart = {
  cloud: null,
  stores: [
    {
      name: "dir",
      schema: z.strictObject({ path: text("The folder that the issuer URL serves; relative paths start from the folder of this file"), ...keyMembers }).check(z.describe("A folder that any web server serves")),
      paths: ["path", ...KEY_PATHS],
    },
  ],
  grantPaths: [],
};
