import { defineCodes } from "../../errors/error.ts";
import { issuerOption, keyOptions } from "../input.ts";
import type { StoreDefinition } from "../store.ts";

/** A folder that any web server can serve. */
export const dir: StoreDefinition = {
  name: "dir",
  title: "folder",
  cloud: null,
  options: [{ name: "path", value: "DIR", description: "the folder that the issuer URL serves; made when it is missing" }, issuerOption, ...keyOptions],
  examples: [
    "kubeassume publish dir --path ./site --issuer-url https://oidc.example.com --jwks-file jwks.json",
    "kubeassume publish dir --path /srv/www/prod --issuer-url https://oidc.example.com/prod --public-key-file sa.pub",
  ],
  // Its errors are those of files, and the ones of publishing itself.
  documentation: async () => defineCodes({}),
  load: async () => (await import("./store.ts")).dirStore,
};
