/** Whether a text can be both an object name's beginning and an issuer's path, without any escaping. */
export function isPlainPrefix(prefix: string): boolean {
  return prefix === "" || prefix.split("/").every((part) => /^[A-Za-z0-9._-]+$/.test(part) && part !== "." && part !== "..");
}

/** The issuer's path, without the bucket where it begins with it: the form of every endpoint that serves buckets by path. */
export function prefixOf(issuer: string, bucket: string | null): string {
  const path = URL.canParse(issuer) ? new URL(issuer).pathname.replace(/^\/|\/$/g, "") : "";
  const [first = "", ...rest] = path.split("/");
  return first === bucket ? rest.join("/") : path;
}
