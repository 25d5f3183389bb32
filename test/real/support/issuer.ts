import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { createAuthority } from "../../../src/federation/sandbox/pki.ts";
import { call } from "./http.ts";
import { makeTemporaryFolder } from "./temporary.ts";

export interface IssuerOptions {
  /** Serves this folder, as a static web server does. By default a new folder, removed by `stop`. */
  readonly directory?: string;
  /**
   * Serves what this address plus the path answers to a stranger, as a gateway in front of a bucket does; or what a
   * function answers, as a gateway with credentials of its own does.
   */
  readonly upstream?: string | ((path: string) => Promise<ServedDocument>);
  /** A path behind the host, without a trailing slash, for example `/prod`. */
  readonly path?: string;
  /**
   * `Cache-Control` of files, by default `max-age=60`. Go's relying parties do not read keys again within that time, not
   * even for a key id that they do not know. A store behind `upstream` says it itself.
   */
  readonly cacheControl?: string;
}

export interface TestIssuer {
  /** The issuer: `https://127.0.0.1:PORT` and the path. */
  readonly url: string;
  readonly caPem: string;
  readonly caFile: string;
  /** What is served at the root of the host. */
  readonly directory: string;
  stop(): Promise<void>;
}

/** A host with TLS under a private authority: serves a folder, or stands in front of a store. */
export async function startIssuer(options: IssuerOptions = {}): Promise<TestIssuer> {
  const authority = await createAuthority({ name: "kubeassume test issuer", now: new Date() });
  const serving = await authority.issueServer({ names: ["127.0.0.1", "localhost"], now: new Date() });
  const own = await makeTemporaryFolder("issuer");
  const directory = options.directory ?? join(own.directory, "documents");
  const caFile = join(own.directory, "ca.crt");
  await writeFile(caFile, authority.certificatePem);
  const readFiles = fileReader(directory, options.cacheControl ?? "max-age=60");
  const answer = options.upstream === undefined ? readFiles : typeof options.upstream === "string" ? upstreamReader(options.upstream) : options.upstream;
  const server = createServer({ cert: serving.chainPem, key: serving.keyPem }, (request, response) => {
    void answer(new URL(request.url ?? "/", "https://issuer").pathname).then(({ status, headers, body }) => {
      response.writeHead(status, headers).end(request.method === "HEAD" ? "" : body);
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}${options.path ?? ""}`;
  return {
    url,
    caPem: authority.certificatePem,
    caFile,
    directory,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await own.remove();
    },
  };
}

export interface ServedDocument {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const PLAIN = { "content-type": "text/plain" };

function fileReader(directory: string, cacheControl: string): (path: string) => Promise<ServedDocument> {
  return async (path) => {
    try {
      // A normalized absolute path cannot climb out of the folder.
      const body = await readFile(join(directory, normalize(path)), "utf8");
      return { status: 200, headers: { "content-type": "application/json", "cache-control": cacheControl }, body };
    } catch {
      return { status: 404, headers: PLAIN, body: "not found\n" };
    }
  };
}

function upstreamReader(upstream: string): (path: string) => Promise<ServedDocument> {
  return async (path) => {
    try {
      const answer = await call(upstream + path);
      const told = ["content-type", "cache-control"].flatMap((name) => {
        const value = answer.headers[name];
        return typeof value === "string" ? [[name, value]] : [];
      });
      return { status: answer.status, headers: Object.fromEntries(told), body: answer.text };
    } catch {
      return { status: 502, headers: PLAIN, body: "bad gateway\n" };
    }
  };
}
