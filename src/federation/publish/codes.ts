import { defineCodes, EXIT } from "../errors/error.ts";

/** Codes of publishing that belong to no store: the keys, the documents that lie there already, the read-back. */
export const codes = defineCodes({
  KEYS_NONE: {
    exit: EXIT.input,
    summary: "there is no key to publish",
    why: "The cluster answered with no key set at all, or no file was named. An empty key set would lock out every workload, so nothing is written.",
    fix: "check kubectl get --raw /openid/v1/jwks, or give --jwks-file or --public-key-file",
  },
  KEYS_TOO_MANY: {
    exit: EXIT.input,
    summary: "the published key set would have more keys of one kind than relying parties read",
    why: "AWS reads at most 100 RSA and 100 EC keys of an issuer; with one more it refuses every token of that kind.",
    fix: "repeat with --prune-keys, which removes the keys that sign no more",
  },
  KEYS_NOT_RSA: {
    exit: EXIT.done,
    summary: "a signing key is not an RSA key for RS256",
    why: "RS256 is the only algorithm that every cloud takes: Azure supports nothing else, and nobody documents another one for all of them.",
    fix: "sign service account tokens with an RSA key if clouds beside AWS and GCP are to trust them",
  },
  KEY_CONFLICT: {
    exit: EXIT.input,
    summary: "two different keys have the same key id",
    why: "Tokens name their key by kid alone. With two keys under one kid, relying parties take either of them and refuse the tokens of the other.",
    fix: "find out which of the two signs; give the other one a kid of its own, or publish it under another issuer",
  },
  PRUNE_UNSAFE: {
    exit: EXIT.refused,
    summary: "keys cannot be removed because not every API server could be asked",
    why: "An API server that could not be reached may sign with a key that the others do not know. Removing it would lock out every workload with such a token.",
    fix: "repeat without --prune-keys, or when all API servers answer",
  },
  PUBLISHED_DOCUMENT_FOREIGN: {
    exit: EXIT.input,
    summary: "something else lies where a document is to be published",
    why: "It is not a key set or a discovery document of this issuer: a document of another issuer, a page, a set with keys that kubeassume would not publish. Overwriting it could take away what somebody depends on.",
    fix: "look at it; if nobody needs it, delete it and repeat, otherwise publish in another place",
  },
  PUBLISH_CONFLICT: {
    exit: EXIT.refused,
    summary: "somebody else keeps changing the document that is being published",
    why: "Every write is conditional on what was read before it. The condition failed several times in a row, so something is writing in a loop.",
    fix: "find out what else publishes to the same place, then run the same command again",
  },
  READ_BACK_FAILED: {
    exit: EXIT.refused,
    summary: "what was published cannot be read back as a relying party would read it",
    why: "The documents are written, but an anonymous reader of the issuer URL does not get them: public access is blocked, another server answers, DNS or TLS is not right, or a cache still holds the old copy.",
    fix: "make the issuer URL serve what was published, then run the same command again",
  },
  SERVED_CONTENT_TYPE: {
    exit: EXIT.done,
    summary: "a document is served with a content type other than JSON",
    why: "Some relying parties refuse a document that is not application/json.",
    fix: "make the server in front answer with Content-Type: application/json",
  },
  SERVED_MAX_AGE: {
    exit: EXIT.done,
    summary: "a document is served without a short max-age",
    why: "Caches keep the old key set for that long (some for an hour when nothing is said): a rotation has to wait for it.",
    fix: "make the server in front answer with Cache-Control: public, max-age=60",
  },
});
