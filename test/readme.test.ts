import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { normalize, readExamples, runExamples } from "../scripts/readme.ts";

/** Commands of `sh` blocks that a reader types on a cluster; the others install, test, or open a shell. */
function readShellCommands(markdown: string): readonly string[] {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((block) => block[1] ?? "");
  return blocks.flatMap((block) => block.split("\n")).filter((line) => line.startsWith("kubeassume ") && !line.startsWith("kubeassume sandbox"));
}

/** The reader's own names, as the sandbox has them. */
const NAMES = "export BUCKET=oidc ISSUER=$KUBEASSUME_ISSUER_URL PROJECT=$GOOGLE_CLOUD_PROJECT; ";

describe("README", () => {
  let markdown = "";
  beforeAll(async () => {
    markdown = await readFile("README.md", "utf8");
  });

  it("shows for every command of the tour what it really prints", async () => {
    const examples = readExamples(markdown);
    const results = await runExamples(examples.map((example) => example.command));
    const printed = results.map((result) => lines(result.output));
    expect(printed).toEqual(examples.map((example) => lines(example.output)));
    expect(examples.length).toBeGreaterThan(6);
  });

  it("lists commands for a real cluster that all work in this order", async () => {
    const commands = readShellCommands(markdown);
    const results = await runExamples(commands.map((command) => NAMES + command));
    const failed = results.flatMap((result, index) => (result.exit === 0 ? [] : [`${commands[index]}\n${result.output}`]));
    expect(failed).toEqual([]);
    expect(commands.length).toBeGreaterThan(8);
  });

  it("shows a config that loads", async () => {
    const config = /^```yaml\n([\s\S]*?)^```$/m.exec(markdown)?.[1] ?? "";
    const script = `cat > kubeassume.yaml <<'END'\n${config.replaceAll("https://acme-oidc.s3.eu-west-1.amazonaws.com", "ISSUER_URL").replaceAll("acme-oidc", "oidc").replaceAll("acme-prod", "kubeassume-sandbox")}END\nsed -i.bak "s|ISSUER_URL|$KUBEASSUME_ISSUER_URL|" kubeassume.yaml`;
    const results = await runExamples([script, "kubeassume publish s3 --create-bucket", "kubeassume setup aws", "kubeassume grant aws", "kubeassume setup gcp", "kubeassume grant gcp", "kubeassume status", "kubeassume teardown --yes"]);
    expect(results.map((result) => result.exit), results.map((result) => result.output).join("\n")).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe("normalize", () => {
  it("makes every key id the same, also one that begins or ends with a dash", () => {
    const ids = ["GkzDGmfnKyTAW5VSI1dDfgPEvVmqSJbW3wDDGkZK7Cg", "-8nHhNPtD_lQr4Y1i-gJBovyFQngKzkN_emRC9bBeVo", "_8nHhNPtD_lQr4Y1i-gJBovyFQngKzkN_emRC9bBeV-"];
    expect(new Set(ids.map((id) => normalize(`added   ${id} (kid "${id}")`, "/tmp/x"))).size).toBe(1);
  });
});

/** Steps that run side by side end in any order, so their lines are compared as a set. */
function lines(output: string): readonly string[] {
  const all = output.split("\n");
  return [...all.filter((line) => !line.startsWith("✓ ")), ...all.filter((line) => line.startsWith("✓ ")).sort()];
}
