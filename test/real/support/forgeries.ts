import { sign } from "node:crypto";
import { createServiceAccountKey } from "./service-account-keys.ts";

/** The same header, key id included, and the same claims, signed (RS256) by a key that nobody published. */
export function signedByStranger(token: string): string {
  const [header, payload] = token.split(".");
  const signature = sign("sha256", Buffer.from(`${header}.${payload}`), createServiceAccountKey().privateKeyPem);
  return `${header}.${payload}.${signature.toString("base64url")}`;
}

/** The genuine signature under claims that were changed after signing. */
export function withClaims(token: string, changes: Readonly<Record<string, unknown>>): string {
  const [header, payload, signature] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload ?? "", "base64url").toString());
  return `${header}.${Buffer.from(JSON.stringify({ ...claims, ...changes })).toString("base64url")}.${signature}`;
}

/** The same claims with `alg: none` and no signature. */
export function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
  return `${header}.${token.split(".")[1]}.`;
}
