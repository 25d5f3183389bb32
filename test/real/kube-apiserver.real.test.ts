import { createPublicKey } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { parseJwks } from "../../src/federation/oidc/jwks.ts";
import { parseJwt } from "../../src/federation/oidc/jwt.ts";
import { jwkFromPem, keyIdOf } from "../../src/federation/oidc/pem.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import { call } from "./support/http.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { createServiceAccountKey } from "./support/service-account-keys.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const ISSUERS = ["https://oidc.example.com/new", "https://oidc.example.com/old"];

describe.skipIf(await cannotRun("etcd", "kube-apiserver"))("a real kube-apiserver", () => {
  const running = stoppedAfterAll();
  const keys = [createServiceAccountKey("rsa"), createServiceAccountKey("ec")];
  let cluster: KubeApiserver;

  beforeAll(async () => {
    const etcd = await running(startEtcd());
    cluster = await running(startKubeApiserver({ etcd, issuers: ISSUERS, keys }));
    await cluster.admin.createServiceAccount("api");
  });

  it("serves every key under the id that keyIdOf computes", async () => {
    const answer = await cluster.admin.request("GET", "/openid/v1/jwks");
    const served = parseJwks(answer.text).keys.map((key) => key.kid);
    const computed = keys.map((key) => keyIdOf(createPublicKey(key.publicKeyPem)));
    expect(new Set(served)).toEqual(new Set(computed));
  });

  it("serves the same key that jwkFromPem makes of its public key file", async () => {
    const answer = await cluster.admin.request("GET", "/openid/v1/jwks");
    const byId = new Map(parseJwks(answer.text).keys.map((key) => [key.kid, key]));
    for (const key of keys.flatMap(({ publicKeyPem }) => jwkFromPem(publicKeyPem))) expect(byId.get(key.kid)).toEqual(key);
  });

  it("mints for one audience as an array, with integer times, in the name of its first issuer", async () => {
    const token = parseJwt(await cluster.admin.mintToken({ serviceAccount: "api", audiences: ["sts.amazonaws.com"] }));
    expect(token.header).toMatchObject({ alg: "RS256", kid: keyIdOf(createPublicKey(keys[0]?.publicKeyPem ?? "")) });
    expect(token.claims).toMatchObject({
      iss: ISSUERS[0],
      sub: "system:serviceaccount:default:api",
      aud: ["sts.amazonaws.com"],
      "kubernetes.io": { namespace: "default", serviceaccount: { name: "api" } },
    });
    for (const time of ["exp", "iat", "nbf"]) expect(token.claims[time]).toSatisfy(Number.isSafeInteger);
  });

  it("mints for all of its own audiences when none is asked for, which no cloud accepts", async () => {
    const token = parseJwt(await cluster.admin.mintToken({ serviceAccount: "api", audiences: [] }));
    expect(token.claims["aud"]).toEqual(ISSUERS);
  });

  it("names its own address and its first issuer in the discovery document", async () => {
    const answer = await cluster.admin.request("GET", "/.well-known/openid-configuration");
    expect(answer.json()).toMatchObject({ issuer: ISSUERS[0], jwks_uri: `${cluster.url}/openid/v1/jwks` });
  });

  it("refuses a token that would live for less than ten minutes", async () => {
    const path = "/api/v1/namespaces/default/serviceaccounts/api/token";
    const spec = { audiences: ["sts.amazonaws.com"], expirationSeconds: 599 };
    const answer = await cluster.admin.request("POST", path, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
    expect(answer.status).toBe(422);
  });

  it("shows its keys to strangers only after a binding says so", async () => {
    const read = async (): Promise<number> => (await call(`${cluster.url}/openid/v1/jwks`, { caPem: cluster.caPem })).status;
    expect(await read()).toBe(403);
    await cluster.admin.allowAnonymousDiscovery();
    await expect.poll(read).toBe(200);
  });
});
