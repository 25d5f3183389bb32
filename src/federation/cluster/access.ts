import { X509Certificate } from "node:crypto";
import { checkServerIdentity, rootCertificates } from "node:tls";
import { type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from "undici";
import { KubeassumeError } from "../errors/error.ts";
import { createHttp } from "../http/create-http.ts";
import type { Http } from "../http/http.ts";
import { kubeconfigCodes } from "./codes.ts";
import { type Credentials, readPem } from "./credentials.ts";
import type { SelectedContext } from "./kubeconfig.ts";

export interface AccessOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Extra CA certificates (PEM), used when the kubeconfig names no CA. */
  readonly caPem: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Puts something around every client before its first use, to tell of its requests; default nothing. */
  readonly trace?: (http: Http) => Http;
}

/** The way to one cluster: who it must prove to be, and which road leads there. */
export interface Access {
  readonly server: URL;
  /** The cluster's own CA; null when the kubeconfig names none and the public roots count. */
  readonly caPem: string | null;
  /** A client for the server itself. */
  toServer(credentials: Credentials): Http;
  /** A client for one server behind it: its certificate may be for its address or for any of the cluster's own names. */
  toEndpoint(endpoint: URL, credentials: Credentials): Http;
}

/** Names that every API server's certificate carries, whatever its address (kubernetes.io/docs/setup/best-practices/certificates). */
const SERVICE_NAME = "kubernetes.default.svc";

/**
 * Reads the CA and settles how to connect. Verification cannot be turned off; http is taken on loopback only, which
 * is where `kubectl proxy` listens.
 *
 * @throws KubeassumeError KUBECONFIG_INSECURE, KUBECONFIG_MALFORMED, KUBECONFIG_UNSUPPORTED, FILE_UNREADABLE
 */
export async function readAccess({ context, cluster }: SelectedContext, options: AccessOptions): Promise<Access> {
  const { entry, directory } = cluster;
  const server = toServerUrl(entry.server, context);
  if (entry.insecure) throw insecure(`the cluster of context ${JSON.stringify(context)} sets insecure-skip-tls-verify`);
  const caPem = await readPem(entry.caData, entry.caFile, directory, "certificate authority");
  const ca = caPem === null ? [...rootCertificates, ...options.caPem] : certificatesOf(caPem);
  const proxy = proxyOf(entry.proxyUrl);
  const name = entry.tlsServerName;
  const trace = options.trace ?? ((client: Http) => client);
  const http = (tls: object): Http => trace(createHttp({ ...options, caPem: [], dispatcher: () => createDispatcher(tls, proxy, options.env) }));
  const withClient = ({ certPem, keyPem }: Credentials) => (certPem === null || keyPem === null ? { ca } : { ca, cert: certPem, key: keyPem });
  return {
    server,
    caPem,
    toServer: (credentials) => http({ ...withClient(credentials), ...(name === undefined ? {} : { servername: name }) }),
    toEndpoint: (endpoint, credentials) => {
      const names = [bare(endpoint.hostname), name ?? bare(server.hostname)];
      return http({ ...withClient(credentials), servername: SERVICE_NAME, checkServerIdentity: acceptAny(names) });
    },
  };
}

/** A host as certificates have it: IPv6 without brackets. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}

/** A certificate check that takes any of these names, beside the one that is asked for. The chain is verified as ever. */
function acceptAny(names: readonly string[]): typeof checkServerIdentity {
  return (host, certificate) => {
    const refusals = [host, ...names].map((name) => checkServerIdentity(name, certificate));
    return refusals.includes(undefined) ? undefined : refusals[0];
  };
}

function createDispatcher(tls: object, proxy: string | null, env: AccessOptions["env"]): Dispatcher {
  const common = { connect: tls, requestTls: tls, keepAliveTimeout: 1000, pipelining: 1 };
  // The proxy itself is not the cluster: its certificate is judged by the public roots.
  if (proxy !== null) return new ProxyAgent({ ...common, uri: proxy });
  return new EnvHttpProxyAgent({
    ...common,
    httpProxy: env["HTTP_PROXY"] ?? env["http_proxy"] ?? "",
    httpsProxy: env["HTTPS_PROXY"] ?? env["https_proxy"] ?? "",
    noProxy: env["NO_PROXY"] ?? env["no_proxy"] ?? "",
  });
}

function toServerUrl(server: string, context: string): URL {
  const url = URL.canParse(server) ? new URL(server) : null;
  if (url === null || url.username !== "" || url.password !== "" || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message: `the server of context ${JSON.stringify(context)} is no URL of an API server`, hint: "write it as https://HOST:PORT" });
  }
  if (url.protocol === "http:" && !["127.0.0.1", "[::1]", "localhost"].includes(url.hostname)) throw insecure(`the server of context ${JSON.stringify(context)} is ${url.origin}, without TLS`);
  return url;
}

function certificatesOf(caPem: string): readonly string[] {
  const found = caPem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  try {
    found.forEach((pem) => new X509Certificate(pem));
  } catch {
    throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message: "the certificate authority of the kubeconfig is not a readable PEM certificate" });
  }
  if (found.length > 0) return found;
  throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_MALFORMED, { message: "the certificate authority of the kubeconfig holds no PEM certificate" });
}

function proxyOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return text;
  const scheme = url === null ? "is no URL" : `has the scheme ${url.protocol.slice(0, -1)}`;
  throw new KubeassumeError(kubeconfigCodes.KUBECONFIG_UNSUPPORTED, { message: `the proxy-url of the kubeconfig ${scheme}`, hint: "kubeassume speaks to http and https proxies" });
}

function insecure(message: string): KubeassumeError {
  return new KubeassumeError(kubeconfigCodes.KUBECONFIG_INSECURE, { message });
}
