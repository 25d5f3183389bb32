import { defineCodes, EXIT } from "../errors/error.ts";

/** Codes of the issuer URL: the rules that every relying party accepts. */
export const issuerCodes = defineCodes({
  ISSUER_NOT_A_URL: {
    exit: EXIT.input,
    summary: "the issuer is not an absolute URL",
    why: "The issuer is compared byte for byte and fetched over HTTPS, so it has to be a complete URL in its plain form, without white space, control characters, non-ASCII characters, or anything that a URL parser would rewrite.",
    fix: "write it as https://host or https://host/path, for example https://oidc.example.com/prod",
  },
  ISSUER_NOT_HTTPS: {
    exit: EXIT.input,
    summary: "the issuer does not start with https://",
    why: "Every cloud fetches the discovery document over HTTPS and refuses another scheme.",
    fix: "serve the issuer over TLS and write it with https://",
  },
  ISSUER_UPPER_CASE: {
    exit: EXIT.input,
    summary: "the scheme or the host of the issuer has upper-case letters",
    why: "URL libraries put hosts in lower case but clouds compare the issuer byte for byte, so an upper-case letter makes two spellings that never match.",
    fix: "write the scheme and the host in lower case, in the API server's flag too",
  },
  ISSUER_HAS_CREDENTIALS: {
    exit: EXIT.input,
    summary: "the issuer contains a user name or a password",
    why: "The issuer is public: it is in every token and in every trust object.",
    fix: "remove everything between https:// and @",
  },
  ISSUER_HAS_QUERY: {
    exit: EXIT.input,
    summary: "the issuer contains a query (?)",
    why: "OpenID Connect Discovery forbids it and AWS answers InvalidInput.",
    fix: "use a path instead: https://host/path",
  },
  ISSUER_HAS_FRAGMENT: {
    exit: EXIT.input,
    summary: "the issuer contains a fragment (#)",
    why: "OpenID Connect Discovery forbids it and AWS answers InvalidInput.",
    fix: "remove the # and what follows it",
  },
  ISSUER_TRAILING_SLASH: {
    exit: EXIT.input,
    summary: "the issuer ends with a slash",
    why: "AWS treats the address with a slash as another provider and Azure compares exactly, so one slash too many is the most frequent reason for a refused token.",
    fix: "remove the slash here and in the API server's --service-account-issuer",
  },
  ISSUER_TOO_LONG: {
    exit: EXIT.input,
    summary: "the issuer is longer than 255 characters",
    why: "AWS limits the provider URL to 255 characters.",
    fix: "use a shorter host or path",
  },
  ISSUER_DEFAULT_PORT: {
    exit: EXIT.input,
    summary: "the issuer spells out port 443",
    why: "AWS silently strips :443 from the provider URL, so the tokens' issuer would never match it.",
    fix: "remove :443 here and in the API server's --service-account-issuer",
  },
  ISSUER_PORT: {
    exit: EXIT.done,
    summary: "the issuer has a port",
    why: "AWS documents that a provider URL should not contain a port. What it does with one is unconfirmed.",
    fix: "serve the issuer on port 443 if AWS is to read it",
  },
  ISSUER_MISMATCH: {
    exit: EXIT.input,
    summary: "the discovery document names another issuer",
    why: "Every relying party compares the two strings exactly. A trailing slash, another scheme, or a document copied from another cluster is enough to refuse every token.",
    fix: "publish a discovery document for exactly this issuer (kubeassume publish makes one), or use the issuer that the document names",
  },
});

/** Codes of the two documents: discovery and JWKS. */
export const documentCodes = defineCodes({
  DISCOVERY_MALFORMED: {
    exit: EXIT.input,
    summary: "the discovery document is not a JSON object that can be read",
    why: "Something else answers at that address: an error page with status 200, a login page, a truncated file.",
    fix: "fetch ISSUER/.well-known/openid-configuration with curl and see what answers; kubeassume publish writes a good one",
  },
  DISCOVERY_INCOMPLETE: {
    exit: EXIT.input,
    summary: "the discovery document lacks members that the clouds need",
    why: "AWS refuses tokens of an issuer whose document lacks issuer, jwks_uri, response_types_supported, subject_types_supported or id_token_signing_alg_values_supported.",
    fix: "publish the document again with kubeassume publish",
  },
  DISCOVERY_TOO_LARGE: {
    exit: EXIT.input,
    summary: "the discovery document is larger than any real one",
    why: "Something else answers at that address, or the file is wrong.",
    fix: "check what is served at ISSUER/.well-known/openid-configuration",
  },
  JWKS_MALFORMED: {
    exit: EXIT.input,
    summary: "the key set is not a JSON Web Key Set that can be read",
    why: "The file is truncated, is not JSON, or one of its keys lacks members or has members that are not base64url.",
    fix: "read the keys again: kubectl get --raw /openid/v1/jwks",
  },
  JWKS_EMPTY: {
    exit: EXIT.input,
    summary: "the key set has no key",
    why: "Publishing an empty set locks out every workload, so it is never done.",
    fix: "read the keys again: kubectl get --raw /openid/v1/jwks",
  },
  JWKS_PRIVATE_KEY: {
    exit: EXIT.input,
    summary: "the key set contains private key material",
    why: "Whoever reads a private key can mint tokens of every service account. Only public members may leave the cluster.",
    fix: "give the public half; if this file was already published, replace the signing key",
  },
  JWKS_SYMMETRIC_KEY: {
    exit: EXIT.input,
    summary: "the key set contains a symmetric key",
    why: "A symmetric key (kty oct) is a shared secret: publishing it lets anybody mint tokens.",
    fix: "give the RSA or EC public keys of the service account issuer",
  },
  JWKS_TOO_LARGE: {
    exit: EXIT.input,
    summary: "the key set is larger than any real one",
    why: "AWS reads at most 100 RSA and 100 EC keys; a much larger document is something else.",
    fix: "check what is served at the jwks_uri, or which file was given",
  },
  JWKS_KEY_UNUSABLE: {
    exit: EXIT.input,
    summary: "a key of the set cannot verify service account tokens at a cloud",
    why: "The clouds take RSA keys and EC keys on P-256, P-384 and P-521 that are meant for signatures.",
    fix: "remove the key from the set, or sign service account tokens with an RSA key",
  },
  JWKS_KEY_ID_MISSING: {
    exit: EXIT.input,
    summary: "a key of the set has no key id",
    why: "Tokens name their key by kid, and AWS ignores keys without one.",
    fix: "give the key the kid that the tokens carry, or give the public key as PEM: its kid is then computed as Kubernetes does",
  },
  JWKS_KEY_ID_DUPLICATE: {
    exit: EXIT.input,
    summary: "two different keys of the set share one key id",
    why: "AWS takes the last one and refuses tokens of the other.",
    fix: "keep only the key that signs under that kid",
  },
  KEY_FILE_UNREADABLE: {
    exit: EXIT.input,
    summary: "the file has no public key that can be read",
    why: "The file is not PEM, is truncated, or holds a key that is neither RSA nor EC on P-256, P-384 or P-521.",
    fix: "give the public key of the service account issuer: openssl pkey -in sa.key -pubout",
  },
  KEY_FILE_PRIVATE: {
    exit: EXIT.input,
    summary: "the file holds a private key",
    why: "kubeassume never needs a private key, and reading one by mistake is the first step to publishing it.",
    fix: "give the public half: openssl pkey -in sa.key -pubout -out sa.pub",
  },
});

/** Codes of tokens. */
export const tokenCodes = defineCodes({
  TOKEN_MALFORMED: {
    exit: EXIT.input,
    summary: "the token is not a signed JWT",
    why: "A service account token is three base64url parts joined by dots; the first two are JSON objects. Quotes, line breaks or a truncated copy break it.",
    fix: "mint a fresh one: kubectl create token NAME --namespace NAMESPACE --audience AUDIENCE",
  },
  TOKEN_TOO_LARGE: {
    exit: EXIT.input,
    summary: "the token is longer than any service account token",
    why: "AWS takes at most 20,000 characters; what was given is much longer and probably another file.",
    fix: "give the token itself",
  },
});

/** Every code of the OIDC documents, for `explain`. */
export const codes = { ...issuerCodes, ...documentCodes, ...tokenCodes };
