import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ChainVerdict } from "../../src/thumbprint/index.ts";
import { createTestPki, startTlsServer } from "../support/tls-server.ts";
import type { TlsServer } from "../support/tls-server.ts";

// The sandbox sets NODE_EXTRA_CA_CERTS, and so do people behind inspecting proxies: Node reads it once, at its start.
const entry = new URL("../../src/thumbprint/index.ts", import.meta.url).href;
const script = (port: number): string => `
  const { readServedChain, judgeChain } = await import(${JSON.stringify(entry)});
  const served = await readServedChain({ host: "localhost", port: ${port} }, { timeoutMs: 10000 });
  console.log(JSON.stringify(judgeChain(served, new Date())));`;

let folder: string;
let server: TlsServer;

beforeAll(async () => {
  const now = new Date();
  folder = await mkdtemp(join(tmpdir(), "kubeassume-thumbprint-"));
  const { root } = await createTestPki(now);
  await writeFile(join(folder, "root.pem"), root.certificatePem);
  server = await startTlsServer(await root.issueServer({ names: ["localhost"], now }), { minVersion: "TLSv1.3" });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

it("neither trusts NODE_EXTRA_CA_CERTS as public nor adds its certificates to a chain", async () => {
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "root.pem") };
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script(server.port)], { env });
  const verdict = JSON.parse(stdout) as ChainVerdict;
  expect(verdict.publiclyTrusted).toBe(false);
  expect(verdict.chain.map((each) => each.role)).toEqual(["leaf"]);
});
