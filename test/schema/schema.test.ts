import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderSchemas } from "../../scripts/schema.ts";
import { toEnvelope } from "../../src/federation/report/envelope.ts";
import { expectEnvelope } from "../support/output-schema.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const schemas = renderSchemas();

describe("JSON Schemas of the package", () => {
  it.each([...schemas.keys()])("%s is what the code generates", (path) => {
    expect(readFileSync(resolve(ROOT, path), "utf8"), "run npx tsx scripts/schema.ts").toBe(schemas.get(path));
  });

  it("has no schema of a kind that is gone", () => {
    const files = readdirSync(resolve(ROOT, "schema/output")).map((name) => `schema/output/${name}`);
    expect(files.filter((path) => !schemas.has(path))).toEqual([]);
  });

  it.each([...schemas.entries()])("%s is a valid JSON Schema", (_, text) => {
    expect(() => new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(text) as object)).not.toThrow();
  });
});

describe("the schema of kubeassume.yaml", () => {
  const validate = new Ajv2020({ strict: true }).compile(JSON.parse(schemas.get("schema/kubeassume.schema.json") ?? "") as object);
  const head = "apiVersion: kubeassume.dev/v1\nkind: Federation\n";

  it("accepts a whole config", () => {
    const text = `${head}publish: [{ s3: { bucket: acme-oidc, region: eu-west-1, prefix: prod } }]\nclouds: { aws: { region: eu-west-1, audiences: [sts.amazonaws.com] } }\ngrants: [{ serviceAccount: payments/api, aws: { roleName: payments-api } }]\n`;
    expect(validate(parse(text))).toBe(true);
  });

  it.each([
    ["an unknown key", `${head}issuers: https://a.example\n`],
    ["an unknown key of a cloud", `${head}clouds: { aws: { regions: eu-west-1 } }\n`],
    ["a missing kind", "apiVersion: kubeassume.dev/v1\n"],
    ["two stores in one entry", `${head}publish: [{ s3: {}, dir: { path: a } }]\n`],
  ])("refuses %s, as kubeassume does", (_, text) => {
    expect(validate(parse(text))).toBe(false);
  });

  it("describes every member, for editors", () => {
    const undescribed: string[] = [];
    const visit = (node: unknown, path: string): void => {
      const { properties, items, description } = node as { properties?: Record<string, unknown>; items?: unknown; description?: string };
      if (description === undefined && !path.endsWith("[]")) undescribed.push(path);
      for (const [name, member] of Object.entries(properties ?? {})) visit(member, `${path}.${name}`);
      if (items !== undefined) visit(items, `${path}[]`);
    };
    visit(JSON.parse(schemas.get("schema/kubeassume.schema.json") ?? ""), "");
    expect(undescribed).toEqual([]);
  });
});

describe("expectEnvelope", () => {
  const plan = toEnvelope("Plan", { steps: [] }, [], null);

  it("accepts a document of its kind, as text or parsed", () => {
    expect(expectEnvelope("Plan", plan)).toBe(plan);
    expect(expectEnvelope("Plan", JSON.stringify(plan)).kind).toBe("Plan");
  });

  it.each([
    ["of another kind", { ...plan, kind: "SetupResult" }],
    ["without a member", { ...plan, data: {} }],
    ["whose ok contradicts its error", { ...plan, ok: false }],
    ["with a problem that has no hint", { ...plan, warnings: [{ code: "A", message: "b", details: {} }] }],
  ])("refuses one %s", (_, document) => {
    expect(() => expectEnvelope("Plan", document)).toThrow();
  });
});
