import { beforeAll, describe, expect, it } from "vitest";
import { parseJwks } from "../../src/federation/oidc/jwks.ts";
import type { PublicJwk } from "../../src/federation/oidc/jwks.ts";
import { parseJwt } from "../../src/federation/oidc/jwt.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import { signedByStranger, unsigned, withClaims } from "./support/forgeries.ts";
import { call } from "./support/http.ts";
import { startIssuer } from "./support/issuer.ts";
import type { TestIssuer } from "./support/issuer.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { startOpenBao } from "./support/openbao.ts";
import type { OpenBao } from "./support/openbao.ts";
import { createServiceAccountKey } from "./support/service-account-keys.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const AUDIENCE = "sts.amazonaws.com";

/** Two API servers of one cluster in the middle of a rotation: each signs with a key of its own and serves both. */
describe.skipIf(await cannotRun("etcd", "kube-apiserver", "openbao"))("tokens of a cluster whose issuer has a private authority", () => {
  const running = stoppedAfterAll();
  let issuer: TestIssuer;
  let oldSigner: KubeApiserver;
  let newSigner: KubeApiserver;
  let relyingParty: KubeApiserver;
  let bao: OpenBao;

  const readKeys = async (): Promise<readonly PublicJwk[]> =>
    parseJwks((await oldSigner.admin.request("GET", "/openid/v1/jwks")).text).keys;
  const mint = (signer: KubeApiserver, serviceAccount = "api", audience = AUDIENCE): Promise<string> =>
    signer.admin.mintToken({ serviceAccount, audiences: [audience] });
  /** 403: known and not authorised, as nothing is granted to the subject; 401: not believed. */
  const askKubernetes = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await call(`${relyingParty.url}/api/v1/namespaces`, { caPem: relyingParty.caPem, headers })).status;
  };

  beforeAll(async () => {
    const etcd = await running(startEtcd());
    issuer = await running(startIssuer({ path: "/prod", cacheControl: "no-store" }));
    const keys = [createServiceAccountKey(), createServiceAccountKey()];
    oldSigner = await running(startKubeApiserver({ etcd, issuers: [issuer.url], keys }));
    newSigner = await running(startKubeApiserver({ etcd, joins: oldSigner, issuers: [issuer.url], keys: keys.toReversed() }));
    await Promise.all(["api", "other"].map((name) => oldSigner.admin.createServiceAccount(name)));
    await issuer.writeDocuments({ keys: await readKeys() });
    const extraFlags = [`--oidc-issuer-url=${issuer.url}`, `--oidc-client-id=${AUDIENCE}`, `--oidc-ca-file=${issuer.caFile}`];
    relyingParty = await running(startKubeApiserver({ etcd, issuers: ["https://relying-party.example"], extraFlags }));
    bao = await running(startOpenBao());
    await bao.trustIssuer({ issuer: issuer.url, caPem: issuer.caPem });
    await bao.writeRole("api", { audiences: [AUDIENCE], subject: "system:serviceaccount:default:api" });
  });

  describe("at another kube-apiserver", () => {
    it("are accepted, whichever API server signed them", async () => {
      // The relying party reads the discovery document in the background after it started.
      await expect.poll(async () => askKubernetes(await mint(oldSigner)), { timeout: 30_000 }).toBe(403);
      expect(await askKubernetes(await mint(newSigner))).toBe(403);
    });

    it("are refused for another audience", async () => {
      expect(await askKubernetes(await mint(oldSigner, "api", "elsewhere"))).toBe(401);
    });

    it.each([
      ["signed by a stranger under a published key id", signedByStranger],
      ["without a signature", unsigned],
      ["with another subject under the old signature", (token: string) => withClaims(token, { sub: "somebody else" })],
    ])("are refused %s", async (_, forge) => {
      expect(await askKubernetes(forge(await mint(oldSigner)))).toBe(401);
    });
  });

  describe("at OpenBao", () => {
    it("are accepted, whichever API server signed them", async () => {
      expect(await bao.login("api", await mint(oldSigner))).toEqual({ status: 200, errors: [] });
      expect(await bao.login("api", await mint(newSigner))).toEqual({ status: 200, errors: [] });
    });

    it("are refused for another audience", async () => {
      const answer = await bao.login("api", await mint(oldSigner, "api", "elsewhere"));
      expect(answer).toMatchObject({ status: 400, errors: [expect.stringMatching(/audience|aud/)] });
    });

    it("are refused for another service account", async () => {
      const answer = await bao.login("api", await mint(oldSigner, "other"));
      expect(answer).toMatchObject({ status: 400, errors: [expect.stringMatching(/sub/)] });
    });

    it.each([
      ["signed by a stranger under a published key id", signedByStranger],
      ["without a signature", unsigned],
    ])("are refused %s", async (_, forge) => {
      expect((await bao.login("api", forge(await mint(oldSigner)))).status).toBe(400);
    });

    it("cannot be judged when the issuer's authority is not the one that OpenBao was told", async () => {
      await expect(bao.trustIssuer({ issuer: issuer.url, caPem: oldSigner.caPem })).rejects.toThrow(/certificate/);
    });
  });

  /** Last, since it takes a key away from both. */
  describe("whose key was removed", () => {
    it("are refused as soon as the relying party reads the keys again, and not before", async () => {
      const [removed, kept] = [await mint(oldSigner), await mint(newSigner)];
      await issuer.writeDocuments({ keys: (await readKeys()).filter((key) => key.kid !== parseJwt(removed).header["kid"]) });
      expect([await askKubernetes(removed), (await bao.login("api", removed)).status]).toEqual([403, 200]);
      // A signature that no known key verifies makes both read the keys again.
      expect([await askKubernetes(signedByStranger(kept)), (await bao.login("api", signedByStranger(kept))).status]).toEqual([401, 400]);
      // Another token of that key: a kube-apiserver remembers for ten seconds whom a token that it has seen belongs to.
      const another = await mint(oldSigner);
      expect([await askKubernetes(another), (await bao.login("api", another)).status]).toEqual([401, 400]);
      expect([await askKubernetes(kept), (await bao.login("api", kept)).status]).toEqual([403, 200]);
    });
  });
});
