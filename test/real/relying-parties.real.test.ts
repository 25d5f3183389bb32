import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import type { Etcd } from "./support/etcd.ts";
import { signedByStranger, unsigned, withClaims } from "./support/forgeries.ts";
import { runDone } from "./support/front-door.ts";
import type { StepsData } from "./support/front-door.ts";
import { call } from "./support/http.ts";
import { startIssuer } from "./support/issuer.ts";
import type { TestIssuer } from "./support/issuer.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import type { KubeApiserver } from "./support/kube-apiserver.ts";
import { startOpenBao } from "./support/openbao.ts";
import type { OpenBao } from "./support/openbao.ts";
import { createServiceAccountKey } from "./support/service-account-keys.ts";
import type { ServiceAccountKey } from "./support/service-account-keys.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

const AUDIENCE = "sts.amazonaws.com";

interface PublishData extends StepsData {
  readonly keys: readonly { readonly status: string }[];
}

/**
 * Two API servers of one cluster in the middle of a rotation: each signs with a key of its own and serves both. Their
 * keys are published by kubeassume and read from there by relying parties that know nothing else of the cluster.
 */
describe.skipIf(await cannotRun("etcd", "kube-apiserver", "openbao"))("tokens of a cluster whose documents kubeassume published", () => {
  const running = stoppedAfterAll();
  let issuer: TestIssuer;
  let oldSigner: KubeApiserver;
  let newSigner: KubeApiserver;
  let relyingParty: KubeApiserver;
  let bao: OpenBao;
  let etcd: Etcd;
  let keys: readonly ServiceAccountKey[];

  const publish = async (cluster: KubeApiserver, ...more: readonly string[]): Promise<readonly string[]> => {
    const args = ["publish", "dir", "--path", join(issuer.directory, "prod"), "--issuer-url", issuer.url, ...more];
    const env = { KUBECONFIG: cluster.kubeconfigFile, KUBEASSUME_CA_FILE: issuer.caFile };
    return (await runDone<PublishData>("PublishResult", args, { env })).keys.map(({ status }) => status).sort();
  };
  const mint = (signer: KubeApiserver, serviceAccount = "api", audience = AUDIENCE): Promise<string> =>
    signer.admin.mintToken({ serviceAccount, audiences: [audience] });
  /** 200: what is granted to the one subject; 403: believed, and nothing is granted; 401: not believed. */
  const askKubernetes = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await call(`${relyingParty.url}/api/v1/namespaces`, { caPem: relyingParty.caPem, headers })).status;
  };

  beforeAll(async () => {
    etcd = await running(startEtcd());
    issuer = await running(startIssuer({ path: "/prod", cacheControl: "no-store" }));
    keys = [createServiceAccountKey(), createServiceAccountKey()];
    oldSigner = await running(startKubeApiserver({ etcd, issuers: [issuer.url], keys }));
    newSigner = await running(startKubeApiserver({ etcd, joins: oldSigner, issuers: [issuer.url], keys: keys.toReversed() }));
    await Promise.all(["api", "other"].map((name) => oldSigner.admin.createServiceAccount(name)));
    expect(await publish(oldSigner)).toEqual(["added", "added"]);
    const extraFlags = [`--oidc-issuer-url=${issuer.url}`, `--oidc-client-id=${AUDIENCE}`, `--oidc-ca-file=${issuer.caFile}`];
    relyingParty = await running(startKubeApiserver({ etcd, issuers: ["https://relying-party.example"], extraFlags }));
    await allowToListNamespaces(relyingParty, `${issuer.url}#system:serviceaccount:default:api`);
    bao = await running(startOpenBao());
    await bao.trustIssuer({ issuer: issuer.url, caPem: issuer.caPem });
    await bao.writeRole("api", { audiences: [AUDIENCE], subject: "system:serviceaccount:default:api" });
  });

  describe("at another kube-apiserver", () => {
    it("are accepted, whichever API server signed them", async () => {
      // The relying party reads the discovery document in the background after it started.
      await expect.poll(async () => askKubernetes(await mint(oldSigner)), { timeout: 30_000 }).toBe(200);
      expect(await askKubernetes(await mint(newSigner))).toBe(200);
    });

    it("are refused what is granted to another service account", async () => {
      expect(await askKubernetes(await mint(oldSigner, "other"))).toBe(403);
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
      // The end of the rotation: an API server that knows the new key alone.
      const rotated = await running(startKubeApiserver({ etcd, joins: oldSigner, issuers: [issuer.url], keys: keys.slice(1) }));
      expect(await publish(rotated)).toEqual(["kept", "kept"]);
      expect(await publish(rotated, "--prune-keys")).toEqual(["kept", "removed"]);
      expect([await askKubernetes(removed), (await bao.login("api", removed)).status]).toEqual([200, 200]);
      // A signature that no known key verifies makes both read the keys again.
      expect([await askKubernetes(signedByStranger(kept)), (await bao.login("api", signedByStranger(kept))).status]).toEqual([401, 400]);
      // Another token of that key: a kube-apiserver remembers for ten seconds whom a token that it has seen belongs to.
      const another = await mint(oldSigner);
      expect([await askKubernetes(another), (await bao.login("api", another)).status]).toEqual([401, 400]);
      expect([await askKubernetes(kept), (await bao.login("api", kept)).status]).toEqual([200, 200]);
    });
  });
});

async function allowToListNamespaces(cluster: KubeApiserver, user: string): Promise<void> {
  const path = "/apis/rbac.authorization.k8s.io/v1";
  const object = { apiVersion: "rbac.authorization.k8s.io/v1", metadata: { name: "list-namespaces" } };
  await cluster.admin.create(`${path}/clusterroles`, { ...object, kind: "ClusterRole", rules: [{ apiGroups: [""], resources: ["namespaces"], verbs: ["list"] }] });
  await cluster.admin.create(`${path}/clusterrolebindings`, {
    ...object,
    kind: "ClusterRoleBinding",
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "list-namespaces" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }],
  });
}
