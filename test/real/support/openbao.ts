import { randomUUID } from "node:crypto";
import { obtainComponent } from "./cache.ts";
import { call } from "./http.ts";
import type { Answer } from "./http.ts";
import { startServer } from "./processes.ts";
import type { ServerProcess } from "./processes.ts";

/** Where OpenBao's JWT auth takes the keys from: an issuer's discovery document, or PEM public keys. */
export type JwtTrust =
  | { readonly issuer: string; readonly caPem: string }
  | { readonly publicKeyPems: readonly string[]; readonly issuer: string };

export interface JwtRole {
  readonly audiences: readonly string[];
  /** The exact subject, `system:serviceaccount:NAMESPACE:NAME`. */
  readonly subject: string;
}

export interface OpenBao extends ServerProcess {
  readonly url: string;
  /** One call of the API as root. */
  request(method: string, path: string, json?: unknown): Promise<Answer>;
  /** Enables JWT auth once and (again) says whom it trusts, which also forgets cached keys. */
  trustIssuer(trust: JwtTrust): Promise<void>;
  writeRole(name: string, role: JwtRole): Promise<void>;
  /** Logs in with a token: 200, or 400 or 403 with the reason in `errors`. */
  login(role: string, jwt: string): Promise<LoginAnswer>;
}

export interface LoginAnswer {
  readonly status: number;
  readonly errors: readonly string[];
}

/** An OpenBao in development mode: unsealed, in memory, plain HTTP on loopback. */
export async function startOpenBao(): Promise<OpenBao> {
  const command = await obtainComponent("openbao");
  const rootToken = randomUUID();
  const server = await startServer("openbao", ({ port, directory }) => ({
    command,
    args: ["server", "-dev", "-dev-no-store-token", `-dev-listen-address=127.0.0.1:${port}`],
    env: { BAO_DEV_ROOT_TOKEN_ID: rootToken, HOME: directory },
    isReady: async () => (await call(`http://127.0.0.1:${port}/v1/sys/health`)).status === 200,
  }));
  const url = `http://127.0.0.1:${server.port}`;
  const request = (method: string, path: string, json?: unknown): Promise<Answer> =>
    call(`${url}/v1/${path}`, { method, headers: { "x-vault-token": rootToken }, json });
  const write = async (path: string, json: unknown): Promise<void> => {
    const answer = await request("POST", path, json);
    if (answer.status >= 300) throw new Error(`OpenBao answered ${answer.status} to ${path}: ${answer.text}`);
  };
  let enabled = false;
  return {
    ...server,
    url,
    request,
    trustIssuer: async (trust) => {
      if (!enabled) await write("sys/auth/jwt", { type: "jwt" });
      enabled = true;
      await write("auth/jwt/config", toJwtConfig(trust));
    },
    writeRole: (name, role) => write(`auth/jwt/role/${name}`, toJwtRole(role)),
    login: async (role, jwt) => {
      const answer = await call(`${url}/v1/auth/jwt/login`, { method: "POST", json: { role, jwt } });
      return { status: answer.status, errors: answer.json<{ errors?: string[] }>().errors ?? [] };
    },
  };
}

function toJwtConfig(trust: JwtTrust): Record<string, unknown> {
  if ("publicKeyPems" in trust) return { jwt_validation_pubkeys: trust.publicKeyPems, bound_issuer: trust.issuer };
  return { oidc_discovery_url: trust.issuer, oidc_discovery_ca_pem: trust.caPem, bound_issuer: trust.issuer };
}

function toJwtRole(role: JwtRole): Record<string, unknown> {
  return { role_type: "jwt", user_claim: "sub", bound_audiences: role.audiences, bound_subject: role.subject, policies: "default" };
}
