/**
 * Decides the proxy of a URL from HTTPS_PROXY, HTTP_PROXY and NO_PROXY (either case), by the rules that kubeassume's
 * HTTP client follows too, so that documents and chains go the same way: an entry of NO_PROXY is a host that covers
 * its subdomains, optionally with a port; `*` alone turns proxies off. Undefined means a direct connection.
 */
export function proxyFor(url: string, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const proxy = firstOf(env["HTTPS_PROXY"], env["https_proxy"], env["HTTP_PROXY"], env["http_proxy"]);
  if (proxy === undefined) return undefined;
  const { host, port } = new URL(url);
  const name = host.replace(/:\d*$/, "").toLowerCase();
  const exceptions = env["NO_PROXY"] ?? env["no_proxy"] ?? "";
  if (exceptions.trim() === "*") return undefined;
  const entries = exceptions.split(/[,\s]+/).filter((entry) => entry !== "");
  return entries.some((entry) => covers(entry, name, port === "" ? "443" : port)) ? undefined : proxy;
}

function covers(entry: string, name: string, port: string): boolean {
  const withPort = /^(.+):(\d+)$/.exec(entry);
  if (withPort !== null && withPort[2] !== port) return false;
  const suffix = (withPort?.[1] ?? entry).replace(/^\*?\./, "").toLowerCase();
  return name === suffix || name.endsWith(`.${suffix}`);
}

function firstOf(...values: readonly (string | undefined)[]): string | undefined {
  return values.find((value) => value !== undefined && value !== "");
}
