import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { DetailedPeerCertificate } from "node:tls";
import { afterEach, expect, it } from "vitest";
import type { StandIns } from "../../../src/federation/sandbox/stand-ins.ts";
import { openSandbox } from "./support.ts";
import type { TestSandbox } from "./support.ts";

let sandbox: TestSandbox;

afterEach(() => sandbox.end());

/** A cloud whose store has the given buckets, with objects by name. */
function storeWith(buckets: Readonly<Record<string, Readonly<Record<string, string>>>>): Pick<StandIns, "start"> {
  return {
    start: async () => ({
      env: {},
      async readPublished(bucket, object) {
        const objects = buckets[bucket];
        if (objects === undefined) return null;
        const body = objects[object];
        const headers = { "content-type": "application/json", "x-amz-request-id": "1", "transfer-encoding": "chunked" };
        return body === undefined ? { status: 403, headers, body: Buffer.from("denied") } : { status: 200, headers, body: Buffer.from(body) };
      },
      close: async () => undefined,
    }),
  };
}

it("serves discovery and keys of the cluster before anything is published", async () => {
  sandbox = await openSandbox();
  const discovery = await sandbox.read("/oidc/.well-known/openid-configuration");
  expect(discovery.headers["content-type"]).toBe("application/json");
  expect(discovery.json).toMatchObject({ issuer: sandbox.issuerUrl, jwks_uri: `${sandbox.issuerUrl}/openid/v1/jwks` });
  const jwks = await sandbox.read("/oidc/openid/v1/jwks");
  expect(jwks.json).toMatchObject({ keys: [{ kid: sandbox.cluster.keys.signingKid }] });
  expect((await sandbox.read("/oidc/other")).status).toBe(404);
  expect((await sandbox.read("/another/.well-known/openid-configuration")).status).toBe(404);
});

it("passes on what a store answers once it has the bucket, refusals too", async () => {
  sandbox = await openSandbox({ clouds: { one: storeWith({}), two: storeWith({ oidc: { "a b/c": "{}" }, acme: { "prod/keys": "[1]" } }) } });
  expect(await sandbox.read("/oidc/.well-known/openid-configuration")).toMatchObject({ status: 403, text: "denied" });
  expect(await sandbox.read("/oidc/a%20b/c")).toMatchObject({ status: 200, text: "{}", headers: { "x-amz-request-id": "1", "content-length": "2" } });
  expect(await sandbox.read("/acme/prod/keys")).toMatchObject({ status: 200, text: "[1]" });
});

it("answers HEAD like GET, and no other method", async () => {
  sandbox = await openSandbox();
  const path = "/oidc/openid/v1/jwks";
  const [get, head, post] = await Promise.all([sandbox.read(path), sandbox.read(path, "HEAD"), sandbox.read(path, "POST")]);
  expect(head).toMatchObject({ status: 200, text: "" });
  expect(head.headers["content-length"]).toBe(get.headers["content-length"]);
  expect(post).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
});

it("serves leaf and intermediate under the sandbox's root, and not the root", async () => {
  sandbox = await openSandbox();
  const { hostname, port } = new URL(sandbox.issuerUrl);
  const root = new X509Certificate(sandbox.caPem);
  const chain = await new Promise<DetailedPeerCertificate[]>((resolve, reject) => {
    // Without the root, the chain ends at what the server sent.
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      const found: DetailedPeerCertificate[] = [];
      for (let one = socket.getPeerCertificate(true); one !== undefined && !found.some(({ fingerprint256 }) => fingerprint256 === one.fingerprint256); one = one.issuerCertificate) found.push(one);
      socket.destroy();
      resolve(found);
    });
    socket.once("error", reject);
  });
  expect(chain.map(({ subject }) => subject.CN)).toEqual(["127.0.0.1", "kubeassume sandbox issuing CA"]);
  const [leaf, intermediate] = chain.map(({ raw }) => new X509Certificate(raw));
  expect(intermediate?.verify(root.publicKey)).toBe(true);
  expect(leaf?.checkIP("127.0.0.1")).toBe("127.0.0.1");
});
