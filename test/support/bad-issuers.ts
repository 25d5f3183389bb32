import type { IncomingMessage, ServerResponse } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import type { Sandbox } from "../../src/federation/sandbox/start-sandbox.ts";
import { startTlsServer, type TlsServer } from "./tls-server.ts";

type Answer = (response: ServerResponse, base: string) => void;

const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** A private key, as a test must never see it again. */
export const PRIVATE_JWK = { ...RSA.privateKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" };
export const PUBLIC_JWK = { ...RSA.publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" };
export const PRIVATE_PEM = RSA.privateKey.export({ format: "pem", type: "pkcs8" }).toString();

const json = (value: unknown): Answer => (response) => void response.setHeader("content-type", "application/json").end(JSON.stringify(value));
const discovery = (issuer: string, jwksUri: string): object => ({ issuer, jwks_uri: jwksUri, response_types_supported: ["id_token"], subject_types_supported: ["public"], id_token_signing_alg_values_supported: ["RS256"] });

/** What the discovery document of `/NAME` is; by default a good one whose keys are at `/NAME/jwks`. */
const DISCOVERIES: Readonly<Record<string, Answer>> = {
  html: (response) => void response.setHeader("content-type", "text/html").end("<!doctype html><title>Sign in</title>"),
  endless: (response) => {
    const chunk = Buffer.alloc(65_536, " ");
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", more).on("error", () => undefined);
    more();
  },
  stalled: (response) => void response.writeHead(200, { "content-type": "application/json" }).write("{"),
  silent: () => undefined,
  missing: (response) => void response.writeHead(404).end(),
  private: (response) => void response.writeHead(403).end(),
  elsewhere: (response) => void response.writeHead(302, { location: "https://login.example.com/?next=x" }).end(),
  truncated: (response) => {
    response.writeHead(200, { "content-length": "1000" }).write("{", () => response.destroy());
  },
  "not-an-object": json(["https://oidc.example.com"]),
  incomplete: json({ issuer: "https://oidc.example.com" }),
  "http-keys": (response, base) => json(discovery(`${base}/http-keys`, "http://oidc.example.com/jwks"))(response, base),
  other: (response, base) => json(discovery(`${base}/other/`, `${base}/other/jwks`))(response, base),
  "other-and-empty": (response, base) => json(discovery("https://oidc.example.com", `${base}/other-and-empty/jwks`))(response, base),
};

const KEYS: Readonly<Record<string, Answer>> = {
  "malformed-keys": json({ keys: "none" }),
  "empty-keys": json({ keys: [] }),
  "other-and-empty": json({ keys: [] }),
  "private-keys": json({ keys: [PRIVATE_JWK] }),
  "symmetric-keys": json({ keys: [{ kty: "oct", kid: "k1", k: "c2VjcmV0LWNhbmFyeQ" }] }),
  "html-keys": (response) => void response.setHeader("content-type", "text/html").end("<html>"),
  "eddsa-keys": json({ keys: [{ kty: "OKP", crv: "Ed25519", kid: "k1", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }),
};

/** A TLS server under the sandbox's CA with an issuer of every bad kind below its root. */
export async function startBadIssuers(sandbox: Sandbox): Promise<TlsServer> {
  const certificate = await sandbox.authority.issueServer({ names: ["127.0.0.1", "localhost"], now: new Date() });
  const server: TlsServer = await startTlsServer(certificate, {}, (request: IncomingMessage, response) => {
    const [, name = "", ...rest] = (request.url ?? "").split("/");
    const own = `${server.url}/${name}`;
    const answer = rest[0] === ".well-known" ? (DISCOVERIES[name] ?? json(discovery(own, `${own}/jwks`))) : (KEYS[name] ?? json({ keys: [PUBLIC_JWK] }));
    answer(response, server.url);
  });
  return server;
}
