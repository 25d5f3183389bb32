import { describe, expect, it } from "vitest";
import { toGcsSpec } from "../../../../../src/federation/clouds/gcp/gcs/spec.ts";
import type { StoreInput } from "../../../../../src/federation/publish/store.ts";
import { codeOf, refusalOf } from "../../../oidc/expect-code.ts";

type Given = Partial<Omit<StoreInput, "cwd">>;
const spec = (given: Given) => toGcsSpec({ flags: {}, entry: {}, config: null, cwd: "/", env: {}, ...given });
const config = { file: "kubeassume.yaml", issuer: "https://oidc.example.com/prod", publish: [], clouds: { gcp: { project: "acme-config" } }, grants: [] };
const BASE = { bucket: "acme", project: "acme-prod" };

describe("the place of publish gcs", () => {
  it("is Cloud Storage's own URL when no issuer is given", () => {
    expect(spec({ flags: { ...BASE, prefix: "prod" } })).toMatchObject({
      issuer: "https://storage.googleapis.com/acme/prod",
      place: "acme",
      jwks: { name: "prod/openid/v1/jwks", target: "gs://acme/prod/openid/v1/jwks" },
      discovery: { name: "prod/.well-known/openid-configuration" },
      location: null,
      create: false,
    });
    expect(spec({ flags: BASE })).toMatchObject({ issuer: "https://storage.googleapis.com/acme", jwks: { name: "openid/v1/jwks" } });
  });

  it("is in the universe that the environment names", () => {
    const env = { GOOGLE_CLOUD_UNIVERSE_DOMAIN: "s3nsapis.fr" };
    expect(spec({ flags: BASE, env }).issuer).toBe("https://storage.s3nsapis.fr/acme");
    expect(spec({ flags: { project: "acme-prod", issuerUrl: "https://storage.s3nsapis.fr/acme/prod" }, env })).toMatchObject({ bucket: "acme", prefix: "prod" });
  });

  it.each(["https://storage.googleapis.com/acme/prod", "https://acme.storage.googleapis.com/prod"])("is taken from an issuer that Cloud Storage serves: %s", (issuerUrl) => {
    expect(spec({ flags: { project: "acme-prod", issuerUrl } })).toMatchObject({ bucket: "acme", prefix: "prod", issuer: issuerUrl });
  });

  it.each([
    ["a CDN in front", { ...BASE, issuerUrl: "https://oidc.example.com/prod" }, "prod"],
    ["a CDN that adds a path", { ...BASE, issuerUrl: "https://oidc.example.com", prefix: "clusters/prod" }, "clusters/prod"],
    ["a front that serves buckets by path", { ...BASE, issuerUrl: "https://oidc.example.com/acme/prod" }, "prod"],
    ["the root of one", { ...BASE, issuerUrl: "https://oidc.example.com/acme" }, ""],
  ])("follows the issuer's path for %s", (_, flags, prefix) => {
    expect(spec({ flags }).prefix).toBe(prefix);
  });

  it("prefers flags to the config's entry, the entry to the config's cloud, and that to Google's variables", () => {
    const env = { GOOGLE_CLOUD_PROJECT: "acme-env", CLOUDSDK_CORE_PROJECT: "acme-gcloud" };
    const entry = { bucket: "entry", project: "acme-entry", location: "eu" };
    expect(spec({ flags: { bucket: "flag" }, entry, config, env })).toMatchObject({ bucket: "flag", project: "acme-entry", location: "EU", issuer: config.issuer, prefix: "prod" });
    expect(spec({ flags: { project: "acme-flag" }, entry, config, env }).project).toBe("acme-flag");
    expect(spec({ entry: { bucket: "entry" }, config, env }).project).toBe("acme-config");
    expect(spec({ entry: { bucket: "entry" }, env }).project).toBe("acme-env");
    expect(spec({ entry: { bucket: "entry" }, env: { CLOUDSDK_CORE_PROJECT: "acme-gcloud" } }).project).toBe("acme-gcloud");
  });

  it.each([
    ["no project", { bucket: "acme" }, "FLAG_MISSING"],
    ["no bucket", { project: "acme-prod" }, "FLAG_MISSING"],
    ["a project's number", { ...BASE, project: "123456789012" }, "GCP_PROJECT_INVALID"],
    ["a project that is none", { ...BASE, project: "Acme Prod" }, "GCP_PROJECT_INVALID"],
    ["a location that is none", { ...BASE, location: "eu/west" }, "FLAG_INVALID"],
    ["a bucket name that Google refuses", { ...BASE, bucket: "Acme" }, "GCS_BUCKET_NAME_INVALID"],
    ["a prefix that is no path", { ...BASE, prefix: "/prod/" }, "GCS_PREFIX_INVALID"],
    ["the URL of another bucket", { ...BASE, issuerUrl: "https://storage.googleapis.com/other" }, "GCS_ISSUER_MISMATCH"],
    ["the URL of another prefix", { ...BASE, prefix: "prod", issuerUrl: "https://storage.googleapis.com/acme/dev" }, "GCS_ISSUER_MISMATCH"],
    ["an issuer with a trailing slash", { ...BASE, issuerUrl: "https://oidc.example.com/" }, "ISSUER_TRAILING_SLASH"],
    ["an issuer over http", { ...BASE, issuerUrl: "http://oidc.example.com" }, "ISSUER_NOT_HTTPS"],
  ])("refuses %s", (_, flags, code) => {
    expect(codeOf(() => spec({ flags }))).toBe(code);
  });

  it("reports everything that is wrong at once", () => {
    expect(refusalOf(() => spec({ flags: { bucket: "A", prefix: "/x", issuerUrl: "http://h" } })).details["problems"]).toHaveLength(4);
  });
});
