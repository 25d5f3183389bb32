import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadConfig } from "../../../src/federation/config/load-config.ts";
import { parseConfig } from "../../../src/federation/config/parse-config.ts";
import { configParts } from "../../../src/federation/config/registry.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { makeFolder } from "../cluster/start.ts";

const HEAD = "apiVersion: kubeassume.dev/v1\nkind: Federation\n";

/** The example of the contract, as far as AWS goes. */
const EXAMPLE = `apiVersion: kubeassume.dev/v1
kind: Federation
issuer: https://oidc.example.com/prod
cluster: { context: prod }                 # kubeconfig, context; optional
publish:
  - s3: { bucket: acme-oidc, region: eu-west-1, prefix: prod }   # or dir, gcs, azure, oci
clouds:
  aws: { region: eu-west-1, audiences: [sts.amazonaws.com] }
grants:
  - serviceAccount: payments/api
    aws: { roleName: payments-api, policyArns: [arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess] }
`;

const parse = (text: string) => parseConfig(text, "k.yaml", configParts);

/** All problems of a text, as `CODE message`. */
function problemsOf(text: string): readonly string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof KubeassumeError)) throw error;
    const list = (error.details["problems"] ?? [error]) as readonly KubeassumeError[];
    return list.map(({ code, message }) => `${code} ${message}`);
  }
}

const load = (path: string | null, cwd: string) => loadConfig(path, { cwd, readFile: (file) => readFile(file, "utf8") });

describe("parseConfig", () => {
  it("reads the example of the contract as it stands", () => {
    expect(parse(EXAMPLE)).toEqual({
      apiVersion: "kubeassume.dev/v1",
      kind: "Federation",
      issuer: "https://oidc.example.com/prod",
      cluster: { context: "prod" },
      publish: [{ s3: { bucket: "acme-oidc", region: "eu-west-1", prefix: "prod" } }],
      clouds: { aws: { region: "eu-west-1", audiences: ["sts.amazonaws.com"] } },
      grants: [{ serviceAccount: "payments/api", aws: { roleName: "payments-api", policyArns: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"] } }],
    });
  });

  it("names each cloud and store that this version does not support, instead of leaving it out", () => {
    const text = EXAMPLE.replace("grants:", "  azure: { location: westeurope }\n  oci: {}\ngrants:").replace("clouds:", "  - azure: { container: c }\nclouds:") + "    azure: { identity: payments-api }\n";
    expect(problemsOf(text)).toEqual([
      "CONFIG_UNSUPPORTED k.yaml:7:5: publish[1].azure: this version of kubeassume does not publish to azure, only to s3, gcs, dir",
      "CONFIG_UNSUPPORTED k.yaml:10:3: clouds.azure: this version of kubeassume does not support the cloud azure, only aws, gcp",
      "CONFIG_UNSUPPORTED k.yaml:11:3: clouds.oci: this version of kubeassume does not support the cloud oci, only aws, gcp",
      "CONFIG_UNSUPPORTED k.yaml:15:5: grants[0].azure: this version of kubeassume does not support the cloud azure, only aws, gcp",
    ]);
  });

  it.each<readonly [string, string, string]>([
    ["a misspelt key", "isuer: a\n", "CONFIG_UNKNOWN_KEY k.yaml:3:1: isuer is not a known key; did you mean issuer?"],
    ["a misspelt key of a cloud", "clouds:\n  aws:\n    regoin: a\n", "CONFIG_UNKNOWN_KEY k.yaml:5:5: clouds.aws.regoin is not a known key; did you mean region?"],
    ["a key in the wrong case", "clouds: { aws: { Region: a } }\n", "CONFIG_UNKNOWN_KEY k.yaml:3:18: clouds.aws.Region is not a known key; did you mean region?"],
    ["a key like no other", "cluster: { zzzzzzzzzzzzzzzz: 1 }\n", "CONFIG_UNKNOWN_KEY k.yaml:3:12: cluster.zzzzzzzzzzzzzzzz is not a known key; known here: kubeconfig, context"],
    ["a cloud that nobody knows", "clouds: { awss: {} }\n", "CONFIG_UNKNOWN_KEY k.yaml:3:11: clouds.awss is not a known key; did you mean aws?"],
    ["a merge key, which YAML 1.2 does not have", "clouds: { <<: { aws: {} } }\n", "CONFIG_UNKNOWN_KEY k.yaml:3:11: clouds.<< is not a known key; known here: aws, gcp"],
    ["a wrong type", "clouds: { aws: { audiences: sts.amazonaws.com } }\n", 'CONFIG_INVALID k.yaml:3:29: clouds.aws.audiences is "sts.amazonaws.com" instead of a list'],
    ["a number where a text belongs", "clouds: { aws: { region: 7 } }\n", "CONFIG_INVALID k.yaml:3:26: clouds.aws.region is 7 instead of a text"],
    ["nothing where a mapping belongs", "clouds:\n  aws:\n", "CONFIG_INVALID k.yaml:4:7: clouds.aws is empty instead of a mapping"],
    ["an empty text", 'cluster: { context: "" }\n', "CONFIG_INVALID k.yaml:3:21: cluster.context is empty"],
    ["a duration out of range", "grants: [{ serviceAccount: a/b, aws: { maxSessionDuration: 60 } }]\n", "CONFIG_INVALID k.yaml:3:60: grants[0].aws.maxSessionDuration is 60, less than 3600"],
    ["a duration that is no whole number", "grants: [{ serviceAccount: a/b, aws: { maxSessionDuration: 1h } }]\n", 'CONFIG_INVALID k.yaml:3:60: grants[0].aws.maxSessionDuration is "1h" instead of a number'],
    ["a duration with a fraction", "grants: [{ serviceAccount: a/b, aws: { maxSessionDuration: 3600.5 } }]\n", "CONFIG_INVALID k.yaml:3:60: grants[0].aws.maxSessionDuration is 3600.5 instead of a whole number"],
    ["a member that is missing", "publish: [{ dir: {} }]\n", "CONFIG_INVALID k.yaml:3:18: publish[0].dir.path is missing"],
    ["a store entry without a store", "publish: [{}]\n", "CONFIG_INVALID k.yaml:3:11: publish[0] has none of s3, gcs, dir"],
    ["a store entry with two", "publish: [{ s3: {}, dir: { path: a } }]\n", "CONFIG_INVALID k.yaml:3:11: publish[0] has s3 and dir; write one entry for each"],
    ["a grant of nothing", "grants: [{ serviceAccount: a/b }]\n", "CONFIG_INVALID k.yaml:3:10: grants[0] grants nothing: it has none of aws, gcp"],
    ["an audience listed twice", "clouds: { aws: { audiences: [a, a] } }\n", "CONFIG_INVALID k.yaml:3:33: clouds.aws.audiences[1] is listed twice"],
    ["a service account that Kubernetes refuses", "grants: [{ serviceAccount: Payments, aws: {} }]\n", 'CONFIG_INVALID k.yaml:3:28: service account "Payments" is not NAMESPACE/NAME'],
    ["an issuer that no cloud takes", "issuer: https://a.example/\n", "CONFIG_INVALID k.yaml:3:9: issuer https://a.example/ ends with a slash"],
    ["an environment variable, which is not expanded", "issuer: ${ISSUER}\n", "CONFIG_INVALID k.yaml:3:9: issuer ${ISSUER} is not an absolute URL"],
  ])("refuses %s", (_, text, problem) => {
    expect(problemsOf(HEAD + text)).toEqual([problem]);
  });

  it.each<readonly [string, string, RegExp]>([
    ["a key written twice", `${HEAD}issuer: https://a.example\nissuer: https://b.example\n`, /^CONFIG_MALFORMED k.yaml:4:1: map keys must be unique$/],
    ["several documents", `${HEAD}---\n${HEAD}`, /^CONFIG_MALFORMED k.yaml:3:1: /],
    ["a tab", `${HEAD}cluster:\n\tcontext: a\n`, /^CONFIG_MALFORMED k.yaml:4:1: /],
    ["a tag", `${HEAD}issuer: !env ISSUER\n`, /^CONFIG_MALFORMED k.yaml:3:9: unresolved tag: !env$/],
    ["an alias to nothing", `${HEAD}issuer: *nothing\n`, /^CONFIG_MALFORMED k.yaml:3:9: the alias \*nothing has no anchor before it$/],
    ["very many aliases", `a: &a x\nb: [${"*a,".repeat(200)}]`, /more than 100 aliases$/],
    ["an alias to itself", `${HEAD}cluster: &a { context: *a }\n`, /^CONFIG_/],
    ["a key that is no text", `${HEAD}? [a]\n: b\n`, /^CONFIG_MALFORMED k.yaml:3:/],
    ["an empty file", "# nothing\n", /^CONFIG_MALFORMED k.yaml:1:1: the document is empty$/],
    ["an alias bomb", `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(20)}]\nc: &c [${"*b,".repeat(20)}]\nd: [${"*c,".repeat(20)}]`, /aliases expand too far$/],
    ["endless nesting", "[".repeat(50_000), /^CONFIG_MALFORMED k.yaml:1:\d+: it is nested too deep$/],
    ["a file that is far too large", " ".repeat(5 * 1024 * 1024), /^CONFIG_MALFORMED k.yaml:1:1: the file has 5242880 characters, more than 2097152$/],
    ["JSON that is cut off", '{"apiVersion": "kubeassume.dev/v1", ', /^CONFIG_MALFORMED k.yaml:1:/],
  ])("refuses %s", (_, text, problem) => {
    expect(problemsOf(text)[0]).toMatch(problem);
  });

  it.each([
    ["a list", "[a]", "CONFIG_INVALID k.yaml:1:1: the document is a list instead of a mapping"],
    ["a text", "hello", 'CONFIG_INVALID k.yaml:1:1: the document is "hello" instead of a mapping'],
  ])("refuses %s", (_, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it("reports all problems at once, in the order of the file, each with its own code", () => {
    const text = "apiVersion: v1\nkind: Config\nisuer: x\nclouds: { oci: {}, aws: { region: 1 } }\n";
    expect(problemsOf(text).map((problem) => problem.split(":").slice(0, 3).join(":"))).toEqual(["CONFIG_INVALID k.yaml:1:13", "CONFIG_INVALID k.yaml:2:7", "CONFIG_UNKNOWN_KEY k.yaml:3:1", "CONFIG_UNSUPPORTED k.yaml:4:11", "CONFIG_INVALID k.yaml:4:35"]);
  });

  it("names a value behind an alias where it is written", () => {
    const text = `${HEAD}publish: [{ dir: &d { path: 1 } }, { dir: *d }]\n`;
    expect(problemsOf(text)).toEqual([0, 1].map((index) => `CONFIG_INVALID k.yaml:3:29: publish[${index}].dir.path is 1 instead of a text`));
  });

  it("stops counting after fifty problems", () => {
    const text = `${HEAD}${Array.from({ length: 200 }, (_, index) => `k${index}: 1\n`).join("")}`;
    const problems = problemsOf(text);
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)).toContain("k.yaml has 150 more problems");
  });

  it("throws nothing but its own errors, whatever the text", () => {
    const keys = fc.constantFrom("apiVersion", "kind", "issuer", "cluster", "publish", "clouds", "grants", "aws", "s3", "dir", "serviceAccount", "__proto__", "constructor", "toString");
    const tree = fc.letrec((tie) => ({ node: fc.oneof({ depthSize: "small" }, fc.constantFrom("kubeassume.dev/v1", "Federation", "a/b"), fc.anything(), fc.array(tie("node"), { maxLength: 4 }), fc.dictionary(keys, tie("node"), { maxKeys: 6 })) })).node;
    const written = tree.filter((value) => value !== undefined).map((value) => {
      try {
        return stringify(value, { aliasDuplicateObjects: false });
      } catch {
        return String(value);
      }
    });
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), written), (text) => {
      const problems = problemsOf(text);
      expect(problems.every((problem) => /^(CONFIG_\w+) k\.yaml(:\d+:\d+: | has )/.test(problem))).toBe(true);
    }), { numRuns: 500 });
  });
});

describe("loadConfig", () => {
  it("answers null when no file is named and there is none", async () => {
    expect(await load(null, await makeFolder())).toBeNull();
  });

  it("insists on a file that was named", async () => {
    const folder = await makeFolder();
    await expect(load("other.yaml", folder)).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining(join(folder, "other.yaml")) });
  });

  it("does not take an unreadable ./kubeassume.yaml for a missing one", async () => {
    const readUnreadable = () => Promise.reject(Object.assign(new Error("no"), { code: "EACCES" }));
    await expect(loadConfig(null, { cwd: "/", readFile: readUnreadable })).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });

  it("makes paths absolute from the folder of the file, and leaves everything else as it is written", async () => {
    const folder = await makeFolder();
    const text = `${HEAD}cluster: { kubeconfig: ../kube/config }
publish: [{ dir: { path: site, publicKeyFiles: [sa.pub, /etc/old.pub] } }, { s3: { bucket: b, prefix: p, jwksFile: jwks.json } }]
grants: [{ serviceAccount: a/b, aws: { policyFile: policy.json, roleName: r } }]
`;
    await writeFile(join(folder, "kubeassume.yaml"), text);
    expect(await load(join(folder, "kubeassume.yaml"), "/")).toEqual({
      file: join(folder, "kubeassume.yaml"),
      cluster: { kubeconfig: resolve(folder, "../kube/config") },
      publish: [{ dir: { path: join(folder, "site"), publicKeyFiles: [join(folder, "sa.pub"), "/etc/old.pub"] } }, { s3: { bucket: "b", prefix: "p", jwksFile: join(folder, "jwks.json") } }],
      clouds: {},
      grants: [{ serviceAccount: "a/b", aws: { policyFile: join(folder, "policy.json"), roleName: "r" } }],
    });
    expect(await load(null, folder)).toMatchObject({ file: "kubeassume.yaml", publish: [{ dir: { path: join(folder, "site") } }, {}] });
  });
});
