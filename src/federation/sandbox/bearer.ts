/** The bearer token of a request; null when it has none. */
export function bearerOf(headers: Readonly<Record<string, string>>): string | null {
  return /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1] ?? null;
}
