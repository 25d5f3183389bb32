import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { renderConfigMap, renderProjectedPod, renderServiceAccount, renderWebhookPod } from "../../../src/federation/cluster/manifests.ts";

const ACCOUNT = { namespace: "payments", name: "api" };

describe("manifests", () => {
  it("render a ServiceAccount that can be applied", () => {
    const manifest = renderServiceAccount({ ...ACCOUNT, annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/api" }, labels: {} });
    expect(manifest.applicable).toBe(true);
    expect(parse(manifest.yaml)).toEqual({ apiVersion: "v1", kind: "ServiceAccount", metadata: { ...ACCOUNT, annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/api" } } });
  });

  it("quote whatever kubectl, which reads YAML 1.1, would take for something else than a text", () => {
    const { yaml } = renderServiceAccount({ namespace: "on", name: "1e3", annotations: { a: "86400", b: "yes", c: "0777", d: "null", e: "1_000" } });
    expect(parse(yaml, { version: "1.1" })).toMatchObject({ metadata: { namespace: "on", name: "1e3", annotations: { a: "86400", b: "yes", c: "0777", d: "null", e: "1_000" } } });
  });

  it("render a pod with one audience, its token read-only, and the environment of the SDK", () => {
    const options = { serviceAccount: ACCOUNT, audience: "sts.amazonaws.com", expirationSeconds: 3600, mountPath: "/var/run/secrets/aws", fileName: "token", env: { AWS_ROLE_ARN: "arn:r" }, volumeName: "aws-token" };
    const manifest = renderProjectedPod(options);
    expect(manifest.applicable).toBe(false);
    expect(parse(manifest.yaml)).toMatchObject({
      kind: "Pod",
      metadata: ACCOUNT,
      spec: {
        serviceAccountName: "api",
        containers: [{ env: [{ name: "AWS_ROLE_ARN", value: "arn:r" }], volumeMounts: [{ name: "aws-token", mountPath: "/var/run/secrets/aws", readOnly: true }] }],
        volumes: [{ name: "aws-token", projected: { sources: [{ serviceAccountToken: { audience: "sts.amazonaws.com", expirationSeconds: 3600, path: "token" } }] } }],
      },
    });
  });

  it("render a ConfigMap that can be applied, and a pod that reads it beside its token", () => {
    const file = '{\n  "type": "external_account"\n}';
    const manifest = renderConfigMap({ namespace: "payments", name: "api-credentials", data: { "federation.json": file } });
    expect(manifest).toMatchObject({ title: "ConfigMap", applicable: true });
    expect(parse(manifest.yaml)).toEqual({ apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "payments", name: "api-credentials" }, data: { "federation.json": file } });
    const common = { serviceAccount: ACCOUNT, audience: "a", expirationSeconds: 3600, mountPath: "/token", fileName: "token", env: {}, volumeName: "token" };
    const { yaml } = renderProjectedPod({ ...common, configMap: { name: "api-credentials", mountPath: "/config", volumeName: "config" } });
    expect(parse(yaml)).toMatchObject({
      spec: {
        containers: [{ volumeMounts: [{ name: "token", mountPath: "/token" }, { name: "config", mountPath: "/config", readOnly: true }] }],
        volumes: [{ name: "token" }, { name: "config", configMap: { name: "api-credentials" } }],
      },
    });
    expect(parse(renderProjectedPod(common).yaml)).toMatchObject({ spec: { volumes: [{ name: "token" }] } });
  });

  it("render a pod that a webhook completes: it only names its account", () => {
    expect(parse(renderWebhookPod({ serviceAccount: ACCOUNT, labels: { use: "true" } }).yaml)).toMatchObject({ metadata: { labels: { use: "true" } }, spec: { serviceAccountName: "api" } });
  });
});
