import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { CloudWorld } from "../../../src/federation/clouds/cloud.ts";
import type { Http } from "../../../src/federation/http/http.ts";
import { HttpFailure } from "../../../src/federation/http/http.ts";
import { type PublishedJwk, toPublishedJwk } from "../../../src/federation/oidc/publish.ts";
import { CACHE_CONTROL, CONTENT_TYPE, discoveryBody, DISCOVERY_PATH, JWKS_PATH } from "../../../src/federation/publish/documents.ts";
import { parsePublishedKeys, renderKeySet } from "../../../src/federation/publish/keys.ts";
import { applyPlace, preparePlace } from "../../../src/federation/publish/make-place.ts";
import { readBackPauses } from "../../../src/federation/publish/read-back.ts";
import { applyPublish, plannedData, preparePublish } from "../../../src/federation/publish/publish.ts";
import { KubeassumeError, type Problem } from "../../../src/federation/errors/error.ts";
import { ecKey, rsaKey } from "../oidc/keys.ts";
import { ISSUER, type MemoryStore, memoryStore, stored } from "./memory-store.ts";

const key = (kid: string) => toPublishedJwk(rsaKey(kid).jwk);
const [one, two, three] = [key("one"), key("two"), key("three")];
const ec = toPublishedJwk(ecKey("ec").jwk);
const headers = { contentType: CONTENT_TYPE, cacheControl: CACHE_CONTROL };
const world = {} as CloudWorld;

let memory: MemoryStore;
beforeEach(() => {
  memory = memoryStore();
});

interface Run {
  readonly keys: readonly PublishedJwk[];
  readonly prune?: boolean;
  readonly unreachable?: readonly Problem[];
  readonly http?: Http;
}

function prepare({ keys, prune = false, unreachable = [] }: Run, from = memory) {
  const sources = [{ name: "set", format: "jwks" as const, text: JSON.stringify({ keys }) }];
  return preparePublish({ definition: { name: "memory", cloud: null }, store: from.store, spec: from.spec }, world, async () => ({ sources, unreachable }), prune);
}

async function publish(run: Run, from = memory) {
  const waited: number[] = [];
  const wait = async (milliseconds: number) => void waited.push(milliseconds);
  const published = await applyPublish(await prepare(run, from), { http: run.http ?? serving(from), wait, resume: "kubeassume publish" });
  return { ...published, waited };
}

/** The store as a web server would show it. */
function serving(from: MemoryStore): Http {
  return async ({ url }) => {
    const document = from.documents.get(url.slice(ISSUER.length + 1));
    if (document === undefined) return { status: 404, headers: {}, body: "" };
    return { status: 200, headers: { "content-type": document.contentType, "cache-control": document.cacheControl }, body: document.body };
  };
}

function publishedKids(from = memory): readonly string[] {
  return parsePublishedKeys(from.documents.get(JWKS_PATH)?.body ?? null, "memory").map(({ kid }) => kid);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => null, (cause: unknown) => cause);
  expect(error).toBeInstanceOf(KubeassumeError);
  return (error as KubeassumeError).code;
}

describe("publishing", () => {
  it("writes the keys first and the discovery document second, conditionally, with type and a short max-age", async () => {
    const { data, error } = await publish({ keys: [one, two] });
    expect(error).toBeNull();
    expect(memory.writes).toEqual([
      { name: JWKS_PATH, body: renderKeySet([one, two]), contentType: "application/json", cacheControl: "public, max-age=60", replaces: null },
      { name: DISCOVERY_PATH, body: discoveryBody(ISSUER, [one, two]), contentType: "application/json", cacheControl: "public, max-age=60", replaces: null },
    ]);
    expect(data).toMatchObject({
      issuer: ISSUER,
      discoveryUrl: `${ISSUER}/.well-known/openid-configuration`,
      jwksUrl: `${ISSUER}/openid/v1/jwks`,
      keys: [{ kid: "one", status: "added" }, { kid: "two", status: "added" }],
      steps: [{ id: "memory.jwks/memory", action: "create", status: "done" }, { id: "memory.discovery/memory", action: "create", status: "done" }],
    });
  });

  it("changes nothing the second time", async () => {
    await publish({ keys: [one] });
    const { data } = await publish({ keys: [one] });
    expect(data.steps.map((step) => step.action)).toEqual(["none", "none"]);
    expect(memory.writes).toHaveLength(2);
  });

  it("plans without writing anything", async () => {
    const prepared = await prepare({ keys: [one] });
    expect(plannedData(prepared).steps.map(({ action, status }) => [action, status])).toEqual([["create", "planned"], ["create", "planned"]]);
    expect(memory.writes).toEqual([]);
  });

  it.each([
    ["content type", { contentType: "text/plain" }],
    ["cache control", { cacheControl: "" }],
    ["mark", { marked: false }],
    ["bytes", { body: JSON.stringify({ keys: [one] }) }],
  ])("repairs a document whose %s somebody changed", async (_, change) => {
    await publish({ keys: [one] });
    const good = memory.documents.get(JWKS_PATH);
    if (good === undefined) throw new Error("nothing was published");
    memory.documents.set(JWKS_PATH, { ...good, ...change });
    const { data } = await publish({ keys: [one] });
    expect(data.steps.map((step) => step.action)).toEqual(["update", "none"]);
    expect(memory.documents.get(JWKS_PATH)).toEqual(good);
  });

  it("writes again what somebody deleted", async () => {
    await publish({ keys: [one] });
    memory.documents.delete(DISCOVERY_PATH);
    const { data } = await publish({ keys: [one] });
    expect(data.steps.map((step) => step.action)).toEqual(["none", "create"]);
  });

  it("keeps published keys that sign no more, and removes them only when told to", async () => {
    await publish({ keys: [one, two] });
    expect((await publish({ keys: [two, three] })).data.keys).toEqual([{ kid: "one", status: "kept" }, { kid: "three", status: "added" }, { kid: "two", status: "kept" }]);
    expect((await publish({ keys: [two, three], prune: true })).data.keys).toEqual([{ kid: "one", status: "removed" }, { kid: "three", status: "kept" }, { kid: "two", status: "kept" }]);
    expect(publishedKids()).toEqual(["three", "two"]);
  });

  it("refuses to prune while an API server could not be asked", async () => {
    await publish({ keys: [one, two] });
    const unreachable = [{ code: "CLUSTER_ENDPOINT", message: "10.0.0.2 did not answer", hint: "", details: {} }];
    expect(await codeOf(prepare({ keys: [two], prune: true, unreachable }))).toBe("PRUNE_UNSAFE");
    expect((await publish({ keys: [two], unreachable })).warnings).toEqual(unreachable);
    expect(publishedKids()).toEqual(["one", "two"]);
  });

  it("does not touch a key set that is not one of ours", async () => {
    memory.documents.set(JWKS_PATH, stored("<html>", headers));
    expect(await codeOf(prepare({ keys: [one] }))).toBe("PUBLISHED_DOCUMENT_FOREIGN");
    expect(await codeOf(prepare({ keys: [one], prune: true }))).toBe("PUBLISHED_DOCUMENT_FOREIGN");
  });

  it("does not take the place of another issuer", async () => {
    memory.documents.set(DISCOVERY_PATH, stored(discoveryBody("https://other.example.com", [one]), headers));
    const error = (await prepare({ keys: [one] }).catch((cause: unknown) => cause)) as KubeassumeError;
    expect(error.code).toBe("PUBLISHED_DOCUMENT_FOREIGN");
    expect(error.message).toContain("https://other.example.com");
  });

  it("repairs a discovery document of this issuer that somebody copied from the cluster", async () => {
    memory.documents.set(DISCOVERY_PATH, stored(JSON.stringify({ issuer: ISSUER, jwks_uri: "https://10.0.0.1:6443/openid/v1/jwks" }), headers));
    const { data } = await publish({ keys: [one] });
    expect(data.steps[1]).toMatchObject({ action: "update", before: { jwksUri: "https://10.0.0.1:6443/openid/v1/jwks" }, after: { jwksUri: `${ISSUER}/openid/v1/jwks` } });
  });

  it("says which keys only some clouds take", async () => {
    const { warnings } = await publish({ keys: [one, ec] });
    expect(warnings.map(({ code, details }) => [code, details["kid"]])).toEqual([["KEYS_NOT_RSA", "ec"]]);
  });
});

describe("two writers", () => {
  it("merges again when somebody else was faster, and tells their key from ours", async () => {
    await publish({ keys: [one] });
    memory.beforeWrite = async () => {
      memory.beforeWrite = async () => undefined;
      await publish({ keys: [three] });
    };
    const { data, error } = await publish({ keys: [two] });
    expect(error).toBeNull();
    expect(publishedKids()).toEqual(["one", "three", "two"]);
    expect(data.keys).toEqual([{ kid: "one", status: "kept" }, { kid: "three", status: "kept" }, { kid: "two", status: "added" }]);
  });

  it("does not prune a key that another writer adds meanwhile", async () => {
    await publish({ keys: [one] });
    memory.beforeWrite = async () => {
      memory.beforeWrite = async () => undefined;
      await publish({ keys: [three] });
    };
    await publish({ keys: [two], prune: true });
    expect(publishedKids()).toEqual(["three", "two"]);
  });

  it("lists the other writer's algorithms in the discovery document too", async () => {
    memory.beforeWrite = async (write) => {
      if (write.name !== DISCOVERY_PATH) return;
      memory.beforeWrite = async () => undefined;
      await publish({ keys: [ec] });
    };
    await publish({ keys: [one] });
    expect(memory.documents.get(DISCOVERY_PATH)?.body).toBe(discoveryBody(ISSUER, [ec, one]));
  });

  it("gives up after twenty tries when somebody writes in a loop, and has lost nothing", async () => {
    await publish({ keys: [one] });
    let turn = 0;
    memory.beforeWrite = async ({ name }) => {
      turn += 1;
      memory.documents.set(name, { ...stored(renderKeySet([one]), headers), version: `turn ${turn}` });
    };
    const { error, data } = await publish({ keys: [two] });
    expect([error?.code, turn]).toEqual(["PUBLISH_CONFLICT", 20]);
    expect(data.keys).toEqual([{ kid: "one", status: "kept" }]);
    expect(data.steps.map((step) => step.status)).toEqual(["failed", "skipped"]);
  });

  it("never loses a key, whatever the interleaving", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const shared = new Map();
        const writers = [memoryStore(shared), memoryStore(shared)];
        for (const writer of writers) writer.beforeWrite = () => scheduler.schedule(Promise.resolve(), "write");
        const runs = [publish({ keys: [one, two] }, writers[0]), publish({ keys: [three, ec] }, writers[1])];
        await scheduler.waitFor(Promise.all(runs));
        expect(publishedKids(writers[0])).toEqual(["ec", "one", "three", "two"]);
        expect(shared.get(DISCOVERY_PATH)?.body).toBe(discoveryBody(ISSUER, [one, ec]));
      }),
      { numRuns: 60 },
    );
  });
});

describe("reading back", () => {
  const failing = (reason: "dns" | "tls"): Http => async () => {
    throw new HttpFailure(reason, "", `oidc.example.com: ${reason}`, undefined);
  };

  it("fails when a stranger cannot read what was written, after some seconds of patience", async () => {
    const { error, data, waited } = await publish({ keys: [one], http: async () => ({ status: 403, headers: {}, body: "" }) });
    expect(error).toMatchObject({ code: "READ_BACK_FAILED", details: { status: 403 } });
    expect(data.steps.every((step) => step.status === "done")).toBe(true);
    expect(waited).toEqual([250, 500, 1000, 2000, 4000]);
  });

  it("succeeds when the answer becomes right in between", async () => {
    let asked = 0;
    const http: Http = async (request) => ((asked += 1) <= 4 ? { status: 403, headers: {}, body: "" } : serving(memory)(request));
    expect((await publish({ keys: [one], http })).error).toBeNull();
  });

  it("does not wait for a certificate to mend itself", async () => {
    const { error, waited } = await publish({ keys: [one], http: failing("tls") });
    expect([error?.code, waited]).toEqual(["READ_BACK_FAILED", []]);
  });

  it("names the key that a stranger does not see", async () => {
    const old = memoryStore();
    await publish({ keys: [one] }, old);
    const { error } = await publish({ keys: [one, two], http: serving(old) });
    expect(error?.message).toContain('key "two"');
  });

  it("notices a removed key that is still served, and another issuer's document", async () => {
    const old = memoryStore();
    await publish({ keys: [one, two] }, old);
    await publish({ keys: [one, two] });
    expect((await publish({ keys: [two], prune: true, http: serving(old) })).error?.message).toContain('still serves key "one"');
    old.documents.set(DISCOVERY_PATH, stored(discoveryBody("https://other.example.com", [one]), headers));
    expect((await publish({ keys: [two], http: serving(old) })).error?.message).toContain("https://other.example.com");
  });

  it("warns about a content type that is not JSON and about a long max-age", async () => {
    const http: Http = async (request) => ({ ...(await serving(memory)(request)), headers: { "content-type": "text/html", "cache-control": "max-age=3600" } });
    const { warnings, error } = await publish({ keys: [one], http });
    expect(error).toBeNull();
    expect(warnings.map(({ code }) => code)).toEqual(["SERVED_CONTENT_TYPE", "SERVED_MAX_AGE", "SERVED_CONTENT_TYPE", "SERVED_MAX_AGE"]);
  });
});

describe("a place whose issuer is known only once it exists", () => {
  const wanted = { id: "memory.place", kind: "memory.place", cloud: null, target: "memory", fields: { open: true }, part: true };
  const target = () => ({ definition: { name: "memory", cloud: null }, store: { ...memory.store, desiredPlace: () => ({ resources: [wanted], documentsNeed: [wanted.id], problems: [], warnings: [] }) }, spec: memory.spec });
  const sources = [{ name: "set", format: "jwks" as const, text: JSON.stringify({ keys: [one] }) }];

  it("is made by itself, and reported with the documents without being made again", async () => {
    const performed: string[] = [];
    let exists = false;
    memory.perform = async (step) => {
      performed.push(step.id);
      exists = true;
    };
    memory.place = () => (exists ? [{ id: wanted.id, marked: true, fields: wanted.fields }] : []);
    const place = await preparePlace(target(), world);
    expect(place.plan.steps.map(({ id, action }) => [id, action])).toEqual([["memory.place", "create"]]);
    const made = await applyPlace(place, { resume: "" });
    const prepared = await preparePublish(target(), world, async () => ({ sources, unreachable: [] }), false, made.steps);
    const told: string[] = [];
    const { data, error } = await applyPublish(prepared, { http: serving(memory), wait: async () => undefined, resume: "", onStep: (step, status) => told.push(`${step.id} ${status}`) });
    expect(error).toBeNull();
    expect(performed).toEqual(["memory.place"]);
    expect(data.steps.map(({ id, action, status }) => `${id} ${action} ${status}`)).toEqual(["memory.place create done", "memory.jwks/memory create done", "memory.discovery/memory create done"]);
    expect(told.filter((line) => line.startsWith("memory.place"))).toEqual([]);
  });

  it("waits longer for what takes longer to open", () => {
    const sum = (pauses: readonly number[]) => pauses.reduce((all, pause) => all + pause, 0);
    expect(sum(readBackPauses())).toBe(7750);
    expect(sum(readBackPauses(40_000))).toBeGreaterThanOrEqual(40_000);
    expect(readBackPauses(40_000).slice(0, 5)).toEqual(readBackPauses());
  });
});
