/** A complete HTTP request as the services see it. */
export interface WireRequest {
  readonly method: string;
  /** The request target as it came: path and query, still encoded. Signatures cover these bytes. */
  readonly target: string;
  /** Names in lower case; repeated ones joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export function pathOf(request: WireRequest): string {
  const end = request.target.indexOf("?");
  return end === -1 ? request.target : request.target.slice(0, end);
}

/** Name and value of each query parameter, decoded, in the order in which they came. */
export function queryOf(request: WireRequest): readonly (readonly [string, string])[] {
  const start = request.target.indexOf("?");
  if (start === -1) return [];
  return request.target
    .slice(start + 1)
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      return equals === -1 ? [decode(pair), ""] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    });
}

/** Percent-decodes; text that is not valid encoding stays as it is. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
