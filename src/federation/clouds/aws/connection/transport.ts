import { Readable } from "node:stream";
import { type Http, HttpFailure } from "../../../http/http.ts";

/** What the SDK hands over: the parts that its own handlers read. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly method: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

/** Enough for 1,000 roles with their policies in one page of GetAccountAuthorizationDetails. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** No usable answer. The SDK repeats those with a `code` that it knows; a time-out is not repeated: the bound is the bound. */
export class TransportError extends Error {
  readonly failure: HttpFailure;
  readonly code: string;

  constructor(failure: HttpFailure) {
    super(failure.message);
    this.name = "TransportError";
    this.failure = failure;
    this.code = ["reset", "refused", "truncated", "dns"].includes(failure.reason) ? "ECONNRESET" : "";
  }
}

/**
 * Lets the SDK use kubeassume's own HTTP client, so that private CAs, proxies, bounds and interruption are the same for
 * every request. Bodies are text: JSON documents and IAM's forms.
 */
export function createRequestHandler(http: Http, timeoutMs: number) {
  return {
    handle: async (request: SdkRequest): Promise<{ response: SdkResponse }> => {
      try {
        const answer = await http({
          url: urlOf(request),
          method: request.method,
          headers: withoutHopHeaders(request.headers),
          ...(request.body === undefined || request.body === null ? {} : { body: textOf(request.body) }),
          timeoutMs,
          maxBytes: MAX_ANSWER_BYTES,
        });
        const text = answer.status >= 400 ? withoutSecrets(answer.body, request.headers) : answer.body;
        const body = Readable.from(text === "" ? [] : [Buffer.from(text)], { objectMode: false });
        return { response: { statusCode: answer.status, headers: { ...answer.headers }, body } };
      } catch (cause) {
        if (cause instanceof HttpFailure) throw new TransportError(cause);
        throw cause;
      }
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => undefined,
  };
}

/** An answer that repeats the request, as proxies and debugging gateways do, ends in an error message: not with what must not be seen. */
function withoutSecrets(body: string, headers: SdkRequest["headers"]): string {
  const secrets = Object.entries(headers).flatMap(([name, value]) => {
    if (name.toLowerCase() === "x-amz-security-token") return [value];
    return name.toLowerCase() === "authorization" ? [value, ...(/(?<=Signature=)[0-9a-f]+/.exec(value) ?? [])] : [];
  });
  const forms = secrets.flatMap((secret) => [secret, encode(secret)]).filter((form) => form !== "");
  return forms.reduce((text, form) => text.replaceAll(form, "[removed]"), body);
}

function urlOf({ protocol, hostname, port, path, query }: SdkRequest): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) => {
    if (value === null) return [encode(name)];
    return (typeof value === "string" ? [value] : value).map((one) => `${encode(name)}=${encode(one)}`);
  });
  const search = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  return `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}${search}`;
}

/** As the signature has it: RFC 3986, which escapes more than encodeURIComponent does. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The client writes these itself. */
function withoutHopHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !["host", "content-length", "expect"].includes(name.toLowerCase())));
}

function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString("utf8");
  throw new TypeError("the AWS SDK handed over a body that is neither text nor bytes");
}
