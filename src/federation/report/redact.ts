const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // A JWS keeps its readable parts out too: claims may name people.
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, "[token removed]"],
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, "[private key removed]"],
  [/([?&](?:X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token)|Signature|sig|token|access_token)=)[^&\s"']+/gi, "$1[removed]"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, "[access key removed]"],
  // Google's: access tokens, refresh tokens, API keys.
  [/\bya29\.[\w.-]{8,}|\b1\/\/0[\w-]{20,}|\bAIza[\w-]{35}/g, "[token removed]"],
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:Bearer|Basic|AWS4-HMAC-SHA256)\s+[^\r\n"']+/gi, "$1[removed]"],
  [/\b(Bearer\s+)[A-Za-z0-9._~+/-]{16,}=*/g, "$1[removed]"],
  [/((?:secret_?(?:access_?)?key|session_?token|client_?secret|(?:refresh|access)_?token|password)["']?\s*[:=]\s*["']?)[^\s"',}&]+/gi, "$1[removed]"],
  [/(\/\/)[^/\s"'<>]+@/g, "$1[removed]@"],
];

/** Everything that moves a terminal's cursor or writes its title; colours (SGR) and line feeds stay. */
const CONTROLS = /\u001b(?!\[[\d;]*m)|[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;

/**
 * The last door before every stream: takes out whatever looks like a token, a key or a signed URL, and what a remote
 * answer could do to a terminal.
 */
export function redact(text: string): string {
  return PATTERNS.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), text.replace(CONTROLS, ""));
}

const SECRET_MEMBER = /^(secret_?(access_?)?key|session_?token|client_?secret|password|private_?key|(access|id|refresh)_?token)$/i;

/** JSON text of a document with every string in it redacted; what it leaves is still JSON. Ends with a line feed. */
export function toRedactedJson(document: object): string {
  const clean = (name: string, value: unknown): unknown => {
    if (typeof value !== "string") return value;
    return SECRET_MEMBER.test(name) && value !== "" ? "[removed]" : redact(value);
  };
  return `${JSON.stringify(document, clean, 2)}\n`;
}
