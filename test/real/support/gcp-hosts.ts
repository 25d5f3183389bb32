import { readFile, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, request as requestHttp } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { createAuthority } from "../../../src/federation/sandbox/pki.ts";
import { makeTemporaryFolder } from "./temporary.ts";

type Env = Readonly<Record<string, string>>;

export interface GoogleHosts {
  /** For the programs that shall meet the stand-ins at Google's addresses; nothing in it names a stand-in. */
  readonly env: Env;
  /** Hosts that a program asked for and that nobody stands in for: it got no answer. */
  readonly strangers: ReadonlySet<string>;
  stop(): Promise<void>;
}

const SERVICES = { sts: "STS", iamcredentials: "IAMCREDENTIALS", iam: "IAM", cloudresourcemanager: "CLOUDRESOURCEMANAGER", storage: "STORAGE" } as const;

/**
 * A proxy behind which Google's own host names, over TLS, are a sandbox's stand-ins: credential files work with the
 * addresses that they are printed with, and whatever else a program asks for on the network is refused and remembered.
 */
export async function startGoogleHosts(sandbox: { readonly env: Env }): Promise<GoogleHosts> {
  const origins = new Map(Object.entries(SERVICES).map(([service, name]) => [`${service}.googleapis.com`, new URL(sandbox.env[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${name}`] ?? "").origin]));
  const authority = await createAuthority({ name: "kubeassume test of Google's hosts", now: new Date() });
  const serving = await authority.issueServer({ names: [...origins.keys()], now: new Date() });
  const google = createHttpsServer({ cert: serving.chainPem, key: serving.keyPem }, (request, response) => {
    forward(origins.get(request.headers.host ?? "") ?? "", request, response);
  });
  const strangers = new Set<string>();
  const sockets = new Set<Socket>();
  const proxy = createHttpServer((request, response) => {
    strangers.add(request.headers.host ?? "");
    response.writeHead(502).end();
  });
  proxy.on("connection", (socket: Socket) => sockets.add(socket));
  proxy.on("connect", (request: IncomingMessage, socket: Socket) => {
    const [host = "", port] = (request.url ?? "").split(":");
    if (origins.has(host) && port === "443") {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      google.emit("connection", socket);
    } else {
      strangers.add(request.url ?? "");
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    }
  });
  await new Promise<void>((resolve, reject) => proxy.once("error", reject).listen(0, "127.0.0.1", resolve));
  const folder = await makeTemporaryFolder("google");
  const bundle = join(folder.directory, "bundle.pem");
  await writeFile(bundle, `${await readFile(sandbox.env["REQUESTS_CA_BUNDLE"] ?? "", "utf8")}\n${authority.certificatePem}`);
  return {
    env: toEnv(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, bundle),
    strangers,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
      await folder.remove();
    },
  };
}

/** What an administrator of a network with such a proxy sets. */
function toEnv(proxy: string, bundle: string): Env {
  const certificates = { NODE_EXTRA_CA_CERTS: bundle, REQUESTS_CA_BUNDLE: bundle, CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: bundle };
  return { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: "127.0.0.1", ...certificates };
}

function forward(origin: string, request: IncomingMessage, response: ServerResponse): void {
  const { host: _host, ...headers } = request.headers;
  const onward = requestHttp(`${origin}${request.url ?? "/"}`, { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}
