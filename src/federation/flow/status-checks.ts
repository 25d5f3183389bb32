import { defineChecks } from "../errors/checks.ts";

/** Checks of `status` that belong to no cloud. */
export const statusChecks = defineChecks({
  "issuer-reachable": {
    summary: "discovery document and JWKS answer an anonymous reader",
    why: "Clouds read both documents without credentials from the internet; whatever keeps this reader out keeps them out too.",
    fix: "publish again, or mend DNS, TLS or the access rules of the place that serves them",
  },
  "issuer-documents": {
    summary: "the discovery document names this issuer and the key set is usable",
    why: "Relying parties compare the issuer to the byte and refuse key sets with private, symmetric or broken keys.",
    fix: "publish again: kubeassume makes both documents anew",
  },
  "issuer-headers": {
    summary: "both documents are served as JSON that is cached briefly",
    why: "A long cache time delays every key rotation by as much; some readers refuse other content types.",
    fix: "serve them as application/json with cache-control: public, max-age=60; publishing again repairs a bucket",
  },
  "issuer-certificate": {
    summary: "the certificate of the host that serves the JWKS verifies and does not expire soon",
    why: "When it expires, every token exchange with AWS, GCP and Azure fails at once.",
    fix: "renew the certificate; then run setup again if the chain is private",
  },
  "issuer-keys": {
    summary: "the published keys are those that the cluster signs with",
    why: "A key that the cluster uses and the issuer does not publish makes the clouds refuse its tokens; more published keys are fine during a rotation.",
    fix: "publish again; keys that are no longer used go only with --prune-keys",
  },
  "cluster-issuer": {
    summary: "the cluster signs its tokens for this issuer",
    why: "The first --service-account-issuer of the API server is the one in new tokens; some distributions append instead of prepending it.",
    fix: "make this issuer the first --service-account-issuer of every API server and keep the old one as the second",
  },
  "cluster-api-audiences": {
    summary: "no cloud's audience is one of the API server's own",
    why: "--api-audiences with a cloud's audience, as many guides have it, makes every token for that cloud valid at the API server too.",
    fix: "take the cloud's audience out of --api-audiences: a projected token can ask for any audience without it",
  },
});
