/** Undefined for what is no JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/**
 * A text without what must not be seen: an answer may repeat the request, as proxies and debugging gateways do, and it
 * ends in an error message. Each secret goes in the forms in which bodies and URLs have it.
 */
export function withoutSecrets(body: string, secrets: readonly string[]): string {
  const forms = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]).filter((form) => form.length > 3);
  return forms.reduce((rest, form) => rest.replaceAll(form, "[removed]"), body);
}
