import { createHash } from "node:crypto";

/** A request body with its content type. */
export interface Multipart {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * An upload of the kind `multipart`: what the object is, and its content (cloud.google.com/storage/docs/uploading-objects;
 * RFC 2387). The delimiter comes from both, so that neither can contain it but by intent.
 */
export function toMultipart(resource: Readonly<Record<string, unknown>>, content: string, contentType: string): Multipart {
  const json = JSON.stringify(resource);
  const boundary = `kubeassume-${createHash("sha256").update(json).update(content).digest("hex").slice(0, 32)}`;
  const body = [`--${boundary}`, "Content-Type: application/json; charset=UTF-8", "", json, `--${boundary}`, `Content-Type: ${contentType}`, "", content, `--${boundary}--`, ""].join("\r\n");
  return { headers: { "content-type": `multipart/related; boundary=${boundary}` }, body };
}
