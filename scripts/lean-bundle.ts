import { join, resolve } from "node:path";
import type { Plugin } from "esbuild";

/** Only the parts of undici that are used, and its parser for all processors, but not a second one for most. */
export const lessOfUndici: Plugin = {
  name: "less-of-undici",
  setup(builder) {
    builder.onResolve({ filter: /^undici$/ }, () => ({ path: resolve("scripts/undici.mjs") }));
    // HTTP/2 is off unless it is asked for, and FormData is never sent: a tenth of the rest.
    builder.onResolve({ filter: /\/(client-h2|web\/fetch\/body)\.js$/ }, ({ path }) => ({ path, namespace: "left-out-of-undici" }));
    builder.onLoad({ filter: /.*/, namespace: "left-out-of-undici" }, ({ path }) => ({ contents: `module.exports = () => { throw new Error("left out of the bundle: ${path}"); }` }));
    builder.onResolve({ filter: /\/llhttp_simd-wasm\.js$/ }, ({ resolveDir, path }) => ({ path: join(resolveDir, path.replace("_simd", "")) }));
  },
};

/** commander starts other programs for stand-alone subcommands, which we have none of; loading the means costs each start 3 ms. */
export const noSubprograms: Plugin = {
  name: "no-subprograms",
  setup(builder) {
    builder.onResolve({ filter: /^node:child_process$/ }, ({ importer }) => (/\/node_modules\/commander\//.test(importer) ? { path: "child_process", namespace: "none" } : undefined));
    builder.onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "module.exports = {}" }));
  },
};

/** The SDK parses browsers' names with it, which Node is none of. */
export const noBrowsers: Plugin = {
  name: "no-browsers",
  setup(builder) {
    builder.onResolve({ filter: /^bowser$/ }, () => ({ path: "bowser", namespace: "absent" }));
    builder.onLoad({ filter: /.*/, namespace: "absent" }, ({ path }) => ({ contents: `throw new Error("${path} is for browsers")` }));
  },
};

/**
 * Only the credential types of Google's library that are read. Its own ways to the network are never taken, since
 * kubeassume hands it one; its log, which a variable of the environment switches on, would print tokens.
 */
export const lessOfGoogle: Plugin = {
  name: "less-of-google",
  setup(builder) {
    const contents: Readonly<Record<string, string>> = {
      "google-logging-utils": "exports.log = () => ({ info() {}, error() {} });",
      // Named by instanceof alone: sources of these kinds are refused before.
      "./certificatesubjecttokensupplier": "exports.CertificateSubjectTokenSupplier = class {};",
      "./defaultawssecuritycredentialssupplier": "exports.DefaultAwsSecurityCredentialsSupplier = class {};",
      "./browser/crypto": "exports.BrowserCrypto = class {};",
    };
    const leftOut = /^(node-fetch|https-proxy-agent|google-logging-utils|\.\/(certificatesubjecttokensupplier|defaultawssecuritycredentialssupplier|browser\/crypto))$/;
    builder.onResolve({ filter: /^google-auth-library$/ }, () => ({ path: resolve("scripts/google-auth.mjs") }));
    builder.onResolve({ filter: leftOut }, ({ importer, path }) => (/[\\/](google-auth-library|gaxios)[\\/]/.test(importer) ? { path, namespace: "left-out-of-google" } : undefined));
    builder.onLoad({ filter: /.*/, namespace: "left-out-of-google" }, ({ path }) => ({ contents: contents[path] ?? `throw new Error("left out of the bundle: ${path}")` }));
  },
};
