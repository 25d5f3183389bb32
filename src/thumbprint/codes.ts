import { defineCodes, EXIT } from "../federation/errors/error.ts";

/** Codes of TLS chains. Those with exit code `refused` stop a setup; for `thumbprint` all but the first four are warnings. */
export const codes = defineCodes({
  THUMBPRINT_URL_INVALID: {
    exit: EXIT.input,
    summary: "what was given is not an https URL that a thumbprint can be read of",
    why: "A thumbprint belongs to the TLS chain of an HTTPS server, so the URL needs https://, a host, and no user name or password.",
    fix: "give the issuer or the host as https://host or https://host/path",
  },
  TLS_UNREACHABLE: {
    exit: EXIT.refused,
    summary: "no connection to the server",
    why: "The name does not resolve, nothing listens there, a firewall drops the packets, or the proxy refuses.",
    fix: "check host and port from this machine; behind a proxy set HTTPS_PROXY, or NO_PROXY for hosts that are reached directly",
  },
  TLS_TIMEOUT: {
    exit: EXIT.refused,
    summary: "the TLS handshake did not finish in time",
    why: "The server accepts connections but does not answer, or the network loses what it answers. AWS gives an endpoint about five seconds.",
    fix: "look at the server's load and at what lies between; --timeout gives it longer",
  },
  TLS_HANDSHAKE_FAILED: {
    exit: EXIT.refused,
    summary: "the server and kubeassume could not agree on a TLS session",
    why: "The port does not speak TLS, the server refuses the name that was asked for, or it only knows versions before TLS 1.2.",
    fix: "try openssl s_client -connect HOST:PORT -servername HOST, and enable TLS 1.2",
  },
  TLS_UNTRUSTED: {
    exit: EXIT.refused,
    summary: "the certificate chain does not lead to a trusted root",
    why: "The server uses a private CA that was not named, does not send its intermediate certificate, or something in between replaces the certificate.",
    fix: "name the private CA's root with --ca-file, and make the server send its intermediates",
  },
  TLS_NAME_MISMATCH: {
    exit: EXIT.refused,
    summary: "the certificate is not good for this host",
    why: "The certificate lists other names: a default virtual host answers, or the certificate was made for another name.",
    fix: "issue a certificate whose subject alternative names list the host",
  },
  TLS_COMMON_NAME_ONLY: {
    exit: EXIT.refused,
    summary: "the certificate carries its name in the common name only",
    why: "Clients have ignored the common name for years (RFC 9525); only subject alternative names count.",
    fix: "issue the certificate again with a subject alternative name for the host",
  },
  TLS_CERT_EXPIRED: {
    exit: EXIT.refused,
    summary: "a certificate of the chain has expired",
    why: "It was not renewed, the server was not reloaded after the renewal, or it still sends an old intermediate.",
    fix: "renew it and reload the server; an expired intermediate is replaced by the current one of the CA",
  },
  TLS_CERT_NOT_YET_VALID: {
    exit: EXIT.refused,
    summary: "a certificate of the chain is not valid yet",
    why: "It starts in the future, or the clock of this machine or of the CA is wrong.",
    fix: "compare the clocks, or wait until the certificate starts",
  },
  TLS_CERT_EXPIRES_SOON: {
    exit: EXIT.done,
    summary: "a certificate of the chain expires within 30 days",
    why: "When it expires every token exchange fails, because the cloud can no longer read the keys.",
    fix: "renew it; when the top of the chain changes, run setup aws again so that AWS learns the new thumbprint",
  },
  CHAIN_SELF_SIGNED: {
    exit: EXIT.done,
    summary: "the server's certificate is signed by itself",
    why: "Its thumbprint is the thumbprint of the certificate itself, so every renewal breaks every role until AWS is told.",
    fix: "use a certificate of a CA, best of a public one: then AWS needs no thumbprint",
  },
  CHAIN_LEAF_ONLY: {
    exit: EXIT.done,
    summary: "the server sends its own certificate alone, without the intermediate",
    why: "The top of what it sends is then the leaf, whose thumbprint changes at every renewal.",
    fix: "make the server send the full chain (certificate first, then the intermediates)",
  },
  CHAIN_WITH_ROOT: {
    exit: EXIT.done,
    summary: "the server sends the root certificate too",
    why: "AWS's documentation speaks both of the last certificate served and of the top intermediate; with the root in the chain these are two different ones.",
    fix: "leave the root out of the file that the server sends: clients have it already",
  },
  CHAIN_SHUFFLED: {
    exit: EXIT.done,
    summary: "the certificates are not sent in order",
    why: "Each certificate should be signed by the next one. AWS is known to fail on chains that are out of order, and the last certificate served is then not the top one.",
    fix: "put the server's certificate first and each issuer after the certificate that it signed",
  },
  CHAIN_UNRELATED: {
    exit: EXIT.done,
    summary: "the server sends a certificate twice, or one that has no part in the chain",
    why: "Files were put together by hand, or an old intermediate stayed behind. AWS is known to fail on such chains.",
    fix: "remove the certificates that the message names from the file that the server sends",
  },
  TLS13_ONLY: {
    exit: EXIT.done,
    summary: "the server speaks TLS 1.3 only",
    why: "TLS 1.3 encrypts the certificates, so the order in which they are sent cannot be seen here; what AWS does with such a server is unconfirmed.",
    fix: "enable TLS 1.2 beside TLS 1.3 on the host that serves the JWKS",
  },
  SNI_DEPENDENT: {
    exit: EXIT.done,
    summary: "the server answers differently to clients that do not send the host's name (SNI)",
    why: "Several sites share the address. A tool that asks without the name sees another certificate, and its thumbprint is wrong.",
    fix: "nothing, if the thumbprint comes from here; with openssl always give -servername",
  },
  TLS_THROUGH_PROXY: {
    exit: EXIT.done,
    summary: "the chain was read through a proxy",
    why: "A proxy that inspects TLS replaces the chain by one of its own, and AWS, which does not use your proxy, sees another one.",
    fix: "read the thumbprint from a network without an inspecting proxy, or put the host into NO_PROXY",
  },
  JWKS_ON_ANOTHER_HOST: {
    exit: EXIT.done,
    summary: "the JWKS is served by another host than the discovery document",
    why: "AWS verifies the host of the JWKS. IAM's reference asks for the thumbprints of both when their certificates differ.",
    fix: "register both thumbprints, or serve both documents from one host",
  },
  DISCOVERY_ABSENT: {
    exit: EXIT.done,
    summary: "the URL has no discovery document, so the thumbprint is that of its own host",
    why: "It is not an issuer, or its documents are not published yet. AWS looks at the host of the JWKS, which may be another one.",
    fix: "give the issuer's URL to follow its discovery document, or publish the documents first",
  },
  DISCOVERY_NOT_READ: {
    exit: EXIT.done,
    summary: "the discovery document was not read because the server's certificate does not verify",
    why: "Whatever such a server says about where its keys are cannot be trusted, so the chain shown is that of its own host.",
    fix: "mend the certificate, or name the private CA with --ca-file",
  },
});
