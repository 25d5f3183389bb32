import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyPlan } from "../../../src/federation/apply/apply.ts";
import type { CloudWorld } from "../../../src/federation/clouds/cloud.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { HttpFailure } from "../../../src/federation/http/http.ts";
import { type PublishedJwk, toPublishedJwk } from "../../../src/federation/oidc/publish.ts";
import { dirStore } from "../../../src/federation/publish/dir/store.ts";
import { discoveryBody } from "../../../src/federation/publish/documents.ts";
import { renderKeySet } from "../../../src/federation/publish/keys.ts";
import { applyPublish, preparePublish } from "../../../src/federation/publish/publish.ts";
import { refusalOf } from "../oidc/expect-code.ts";
import { ecKey } from "../oidc/keys.ts";

const ISSUER = "https://oidc.example.com/prod";
const [one, two] = ["one", "two"].map((kid) => toPublishedJwk(ecKey(kid).jwk)) as [PublishedJwk, PublishedJwk];
const world = {} as CloudWorld;

let root: string;
let site: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kubeassume-dir-"));
  site = join(root, "www", "prod");
});
afterEach(async () => {
  await chmod(root, 0o755);
  await rm(root, { recursive: true, force: true });
});

const input = (flags: Record<string, string>) => ({ flags, entry: {}, config: null, cwd: root, env: {} });
const specOf = (issuer = ISSUER) => dirStore.toSpec(input({ path: "www/prod", issuerUrl: issuer }));

async function publish(keys: readonly PublishedJwk[]) {
  const sources = [{ name: "set", format: "jwks" as const, text: JSON.stringify({ keys }) }];
  const target = { definition: { name: "dir", cloud: null }, store: dirStore, spec: specOf() };
  const prepared = await preparePublish(target, world, async () => ({ sources, unreachable: [] }), false);
  const http = async () => {
    throw new HttpFailure("dns", "ENOTFOUND", "oidc.example.com: the name does not resolve", undefined);
  };
  return applyPublish(prepared, { http, wait: async () => undefined, resume: "" });
}

const read = (path: string) => readFile(join(site, path), "utf8");

describe("publish dir", () => {
  it("writes both documents below a folder that it makes", async () => {
    const { data, error } = await publish([one]);
    expect(error).toBeNull();
    expect(await read("openid/v1/jwks")).toBe(renderKeySet([one]));
    expect(await read(".well-known/openid-configuration")).toBe(discoveryBody(ISSUER, [one]));
    expect(data.steps.map(({ id, action, status }) => [id, action, status])).toEqual([
      [`dir.folder/${site}`, "create", "done"],
      [`dir.jwks/${site}`, "create", "done"],
      [`dir.discovery/${site}`, "create", "done"],
    ]);
  });

  it("makes files and folders that any web server can read, whatever the operator's umask is", async () => {
    const files = pathToFileURL(resolve("src/federation/publish/dir/files.ts")).href;
    const script = `process.umask(0o077); const { replaceFile } = await import(${JSON.stringify(files)}); await replaceFile(${JSON.stringify(join(site, "openid/v1/jwks"))}, "{}", null);`;
    // A worker of the test runner may not set its umask.
    expect(spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { encoding: "utf8" }).stderr).toBe("");
    for (const [path, mode] of [["openid/v1/jwks", 0o644], ["openid/v1", 0o755], ["openid", 0o755], [".", 0o755], ["..", 0o755]] as const) {
      expect((await stat(join(site, path))).mode & 0o777, path).toBe(mode);
    }
  });

  it("only warns when nobody serves the folder yet", async () => {
    const { warnings } = await publish([one]);
    expect(warnings.map(({ code }) => code)).toContain("READ_BACK_FAILED");
  });

  it("changes nothing the second time, not even the files' times", async () => {
    await publish([one]);
    const before = await stat(join(site, "openid/v1/jwks"));
    const { data } = await publish([one]);
    expect(data.steps.map((step) => step.action)).toEqual(["none", "none", "none"]);
    expect((await stat(join(site, "openid/v1/jwks"))).ctimeMs).toBe(before.ctimeMs);
  });

  it("merges with what is there and leaves no other file behind", async () => {
    await publish([one]);
    await publish([two]);
    expect(await read("openid/v1/jwks")).toBe(renderKeySet([one, two]));
    expect(await readdir(join(site, "openid/v1"))).toEqual(["jwks"]);
  });

  it("sweeps away what a killed run left, and not what a running one needs", async () => {
    await publish([one]);
    const dead = spawnSync(process.execPath, ["-e", ""]).pid;
    await writeFile(join(site, `openid/v1/.jwks.kubeassume-${dead}`), "half");
    await writeFile(join(site, `openid/v1/.jwks.kubeassume-${process.ppid}`), "at work");
    await publish([one, two]);
    expect((await readdir(join(site, "openid/v1"))).sort()).toEqual([`.jwks.kubeassume-${process.ppid}`, "jwks"]);
  });

  it("does not write over a file that changed since it was read", async () => {
    await publish([one]);
    const connection = await dirStore.connect(world, specOf());
    const { jwks } = await connection.observe();
    await publish([one, two]);
    const write = { name: "openid/v1/jwks", body: renderKeySet([one]), contentType: "", cacheControl: "", replaces: jwks?.version ?? null };
    expect(await connection.writeDocument(write)).toBe("conflict");
    expect(await connection.writeDocument({ ...write, replaces: null })).toBe("conflict");
    expect(await read("openid/v1/jwks")).toBe(renderKeySet([one, two]));
  });

  it("publishes through a folder that is a link, and refuses a document that is one", async () => {
    await mkdir(join(root, "release"));
    await mkdir(join(root, "www"));
    await symlink(join(root, "release"), site);
    await publish([one]);
    expect(await readFile(join(root, "release/openid/v1/jwks"), "utf8")).toBe(renderKeySet([one]));
    await rm(join(site, "openid/v1/jwks"));
    await writeFile(join(root, "secret"), "");
    await symlink(join(root, "secret"), join(site, "openid/v1/jwks"));
    await expect(publish([one])).rejects.toMatchObject({ code: "FILE_UNWRITABLE" });
  });

  it("says so when the path is a file", async () => {
    await mkdir(join(root, "www"));
    await writeFile(site, "");
    await expect(publish([one])).rejects.toBeInstanceOf(KubeassumeError);
  });

  it("reports the missing path and the missing issuer together, and every rule that the issuer breaks", () => {
    expect(refusalOf(() => dirStore.toSpec(input({}))).message).toMatch(/--path.*--issuer-url/);
    expect(refusalOf(() => dirStore.toSpec(input({ path: ".", issuerUrl: "http://Host/" }))).code).toBe("SEVERAL_PROBLEMS");
  });
});

describe("removing from a folder", () => {
  async function remove(deletePlace: boolean, issuer = ISSUER) {
    const connection = await dirStore.connect(world, specOf(issuer));
    const { steps, leftBehind } = await connection.planRemoval({ deletePlace });
    const outcome = await applyPlan({ steps }, { perform: (step) => connection.perform(step), resume: "" });
    expect(outcome.error).toBeNull();
    return { targets: steps.map((step) => step.target), leftBehind };
  }

  it("removes the discovery document first, then the keys, and the folders that are empty then", async () => {
    await publish([one]);
    const { targets } = await remove(false);
    expect(targets).toEqual([join(site, ".well-known/openid-configuration"), join(site, "openid/v1/jwks")]);
    expect(await readdir(site)).toEqual([]);
  });

  it("removes the folder itself only when asked to and nothing else is in it", async () => {
    await publish([one]);
    await writeFile(join(site, "index.html"), "");
    const kept = await remove(true);
    expect(kept.leftBehind).toHaveLength(1);
    expect(await readdir(site)).toEqual(["index.html"]);
    await rm(join(site, "index.html"));
    expect((await remove(true)).leftBehind).toEqual([]);
    expect(await readdir(join(root, "www"))).toEqual([]);
  });

  it("leaves the documents of another issuer alone, and says so", async () => {
    await publish([one]);
    const { targets, leftBehind } = await remove(true, "https://other.example.com");
    expect([targets, leftBehind.map(({ code }) => code)]).toEqual([[], ["PUBLISHED_DOCUMENT_FOREIGN"]]);
    expect(await read("openid/v1/jwks")).toBe(renderKeySet([one]));
  });

  it("finds nothing to remove the second time", async () => {
    await publish([one]);
    await remove(true);
    expect((await remove(true)).targets).toEqual([]);
  });
});
