import { readFile } from "node:fs/promises";
import { Agent, request } from "undici";
import { beforeAll, describe, expect, it } from "vitest";
import { openSandbox } from "../federation/sandbox/support.ts";
import { cannotRun } from "./support/cache.ts";
import { startEtcd } from "./support/etcd.ts";
import { startKubeApiserver } from "./support/kube-apiserver.ts";
import { stoppedAfterAll } from "./support/stopped.ts";

type Send = (method: string, path: string, body?: string, type?: string, accept?: string) => Promise<{ status: number; body: unknown }>;

const ACCOUNTS = "/api/v1/namespaces/shop/serviceaccounts";
const MAPS = "/api/v1/namespaces/shop/configmaps";
const TOKEN = `${ACCOUNTS}/api/token`;
const APPLY = "application/apply-patch+yaml";
const MERGE = "application/merge-patch+json";

const account = (name: string, metadata: object = {}, more: object = {}): string => JSON.stringify({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, ...metadata }, ...more });
const map = (name: string, more: object): string => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, ...more });
const apply = (path: string, manager: string, body: string, more = ""): readonly [string, string, string, string] => ["PATCH", `${path}?fieldManager=${manager}${more}`, body, APPLY];

/** In this order, because each sees what the ones before have left. */
const EXCHANGES: readonly (readonly [method: string, path: string, body?: string, type?: string])[] = [
  ["POST", "/api/v1/namespaces", '{"metadata":{"name":"shop"}}'],
  ["POST", "/api/v1/namespaces", '{"metadata":{"name":"shop"}}'],
  ["POST", "/api/v1/namespaces", '{"metadata":{"name":"Bad.ns"}}'],
  ["GET", "/api/v1/namespaces/shop"],
  ["POST", ACCOUNTS, '{"metadata":{"name":"api","annotations":{"a":"1"},"labels":{"l":"1"}},"automountServiceAccountToken":false,"imagePullSecrets":[{"name":"reg"}]}'],
  ["POST", ACCOUNTS, '{"metadata":{"name":"api"}}'],
  ["POST", ACCOUNTS, '{"metadata":{"name":"Api_X"}}'],
  ["POST", ACCOUNTS, `{"metadata":{"name":"${"a".repeat(254)}"}}`],
  ["POST", ACCOUNTS, '{"metadata":{}}'],
  ["POST", ACCOUNTS, '{"metadata":{"name":"x","namespace":"default"}}'],
  ["POST", "/api/v1/namespaces/nope/serviceaccounts", '{"metadata":{"name":"api"}}'],
  ["GET", `${ACCOUNTS}/none`],
  ["GET", `${ACCOUNTS}/api`],
  ["GET", "/api/v1/namespaces/nope/serviceaccounts"],
  ["GET", `${ACCOUNTS}?fieldSelector=metadata.name%3Dapi`],
  ["GET", `${ACCOUNTS}?labelSelector=l%3D1`],
  ["GET", `${ACCOUNTS}?labelSelector=l%21%3D1,l`],
  ["POST", `${ACCOUNTS}/none/token`, "{}"],
  ["POST", TOKEN, "{}"],
  ...[5, 599, 600, 2 ** 32, 2 ** 32 + 1].map((seconds) => ["POST", TOKEN, JSON.stringify({ spec: { audiences: ["a", "b"], expirationSeconds: seconds } })] as const),
  ["POST", TOKEN, '{"spec":{"audiences":"a"}}'],
  ["POST", TOKEN, '{"spec":{"expirationSeconds":"600"}}'],
  ["POST", TOKEN, '{"metadata":{"name":"other"}}'],
  ["POST", TOKEN, '{"metadata":{"namespace":"other"}}'],
  ["POST", TOKEN, '{"metadata":{"uid":"123"}}'],
  ["POST", TOKEN, '{"spec":{"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"p"}}}'],
  ["POST", TOKEN, '{"spec":{"boundObjectRef":{"kind":"Deployment","apiVersion":"apps/v1","name":"p"}}}'],
  ["GET", TOKEN],
  apply(`${ACCOUNTS}/api`, "k", account("api", { annotations: { a: "2" } }, { automountServiceAccountToken: true, imagePullSecrets: [{ name: "other" }] })),
  apply(`${ACCOUNTS}/web`, "kubeassume", account("web", { annotations: { "a.b/c": "1" }, labels: { x: "y" } })),
  apply(`${ACCOUNTS}/web`, "kubeassume", account("web", { annotations: { "a.b/c": "1" }, labels: { x: "y" } })),
  apply(`${ACCOUNTS}/web`, "other", account("web", { annotations: { "a.b/c": "2" } })),
  apply(`${ACCOUNTS}/web`, "other", account("web", { annotations: { "a.b/c": "2" }, labels: { x: "z" } })),
  apply(`${ACCOUNTS}/web`, "other", account("web", { annotations: { "a.b/c": "2" } }), "&force=true"),
  apply(`${ACCOUNTS}/web`, "kubeassume", account("web", { labels: { x: "y" } })),
  apply(`${ACCOUNTS}/web`, "kubeassume", account("web")),
  ["PATCH", `${ACCOUNTS}/web`, account("web"), APPLY],
  apply(`${ACCOUNTS}/web`, "k", account("other")),
  apply(`${ACCOUNTS}/web`, "k", map("web", {})),
  apply(`${ACCOUNTS}/web`, "k", '{"metadata":{"name":"web"}}'),
  apply(`${ACCOUNTS}/We_b`, "k", account("We_b")),
  apply(`${ACCOUNTS}/v`, "k", account("v", { namespace: "other" })),
  apply("/api/v1/namespaces/nope/serviceaccounts/web", "k", account("web")),
  apply(`${ACCOUNTS}/v`, "k", account("v", { annotations: { "bad key!": "1" }, labels: { x: "not valid!" } })),
  apply(`${ACCOUNTS}/v`, "k", account("v", {}, { bogus: 1 })),
  apply(`${MAPS}/cm`, "kubeassume", map("cm", { data: { a: "1", "b.json": "{}" } })),
  apply(`${MAPS}/cm`, "o", map("cm", { data: { a: "2" } })),
  apply(`${MAPS}/cm`, "o", map("cm", { data: { c: "2" } }), "&dryRun=All"),
  apply(`${MAPS}/cm`, "o", map("cm", { data: { "bad key": "2" } })),
  apply(`${MAPS}/cm`, "o", map("cm", { datum: { c: "2" } })),
  ["PATCH", `${MAPS}/cm`, '{"data":{"a":"9","d":"4"}}', MERGE],
  apply(`${MAPS}/cm`, "kubeassume", map("cm", { data: { a: "1", "b.json": "{}" } })),
  apply(`${MAPS}/cm`, "kubeassume", map("cm", { data: { a: "1" } }), "&force=true"),
  ["PATCH", `${MAPS}/cm`, '{"data":{"a":null}}', MERGE],
  ["PATCH", `${MAPS}/none`, '{"data":{"a":null}}', MERGE],
  ["PATCH", `${MAPS}/cm`, "{}", "text/plain"],
  ["GET", `${MAPS}/cm`],
  ["DELETE", `${MAPS}/cm`],
  ["DELETE", `${MAPS}/cm`],
  ["DELETE", "/version"],
  ["GET", "/api/v1/namespaces/default/endpoints/none"],
  ["GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/none"],
];

function toSend(url: string, token: string, dispatcher: Agent, issuer: string): Send {
  return async (method, path, body, type = "application/json", accept = "*/*") => {
    const headers = { authorization: `Bearer ${token}`, "user-agent": "test/1", accept, ...(body === undefined ? {} : { "content-type": type }) };
    const answer = await request(`${url}${path}`, { dispatcher, method: method as "GET", headers, body: body ?? null });
    return { status: answer.statusCode, body: comparable(JSON.parse((await answer.body.text()).replaceAll(issuer, "ISSUER"))) };
  };
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Without what differs by nature, and without the two things that the sandbox leaves out of managedFields. */
function comparable(value: unknown): unknown {
  if (typeof value === "string") return TIME.test(value) ? "TIME" : value.replace(UUID, "UID");
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const isTokenRequest = "kind" in value && value.kind === "TokenRequest";
  const members = Object.entries(value).filter(([name]) => name !== ".");
  return Object.fromEntries(
    members.map(([name, inner]) => {
      if (name === "resourceVersion" || name === "token") return [name, typeof inner];
      if (isTokenRequest && name === "metadata") return [name, comparable({ ...(inner as object), managedFields: undefined })];
      return [name, comparable(inner)];
    }),
  );
}

describe.skipIf(await cannotRun("etcd", "kube-apiserver"))("the sandbox's cluster and a real kube-apiserver", () => {
  const running = stoppedAfterAll();
  let real: Send;
  let own: Send;

  beforeAll(async () => {
    const issuer = "https://oidc.example.com";
    const etcd = await running(startEtcd());
    const cluster = await running(startKubeApiserver({ etcd, issuers: [issuer] }));
    const sandbox = await running(openSandbox().then((opened) => ({ ...opened, stop: () => opened.end() })));
    const kubeconfig = JSON.parse(await readFile(cluster.kubeconfigFile, "utf8")) as { users: { user: { token: string } }[] };
    const token = kubeconfig.users[0]?.user.token ?? "";
    real = toSend(cluster.url, token, new Agent({ connect: { ca: cluster.caPem } }), issuer);
    own = toSend(sandbox.cluster.url, sandbox.cluster.adminToken, sandbox.agent, sandbox.issuerUrl);
  });

  it("answer alike: status, reason, words, and who owns which field", async () => {
    for (const [method, path, body, type] of EXCHANGES) {
      const [expected, got] = await Promise.all([real(method, path, body, type), own(method, path, body, type)]);
      expect({ method, path, body, answer: got }).toEqual({ method, path, body, answer: expected });
    }
  });

  it("give their keys as application/jwk-set+json, and to JSON alone not at all", async () => {
    for (const [accept, status] of [["application/json", 406], ["application/json, */*;q=0.1", 200], ["application/jwk-set+json", 200]] as const) {
      const ask = (send: Send) => send("GET", "/openid/v1/jwks", undefined, undefined, accept);
      const [expected, got] = await Promise.all([ask(real), ask(own)]);
      expect([accept, expected.status, got.status]).toEqual([accept, status, status]);
      if (status === 406) expect(got).toEqual(expected);
    }
  });
});
