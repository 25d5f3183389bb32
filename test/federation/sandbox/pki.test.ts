import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAuthority } from "../../../src/federation/sandbox/pki.ts";
import type { Authority, ServerCertificate } from "../../../src/federation/sandbox/pki.ts";
import { hasProgram } from "../../support/programs.ts";

const run = promisify(execFile);
const now = new Date();
const openssl = await hasProgram("openssl", ["version"]);
const python = await hasProgram("python3", ["-c", "import ssl"]);

function authorize(port: number, servername: string, ca: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername, ca }, () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

describe.each(["ecdsa", "rsa"] as const)("a chain of three with %s keys", (algorithm) => {
  let folder: string;
  let root: Authority;
  let leaf: ServerCertificate;
  let server: Server;
  let port: number;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kubeassume-pki-"));
    root = await createAuthority({ name: "test root", now, algorithm });
    const intermediate = await root.issueIntermediate({ name: "test intermediate", now, algorithm });
    leaf = await intermediate.issueServer({ names: ["issuer.example.test", "127.0.0.1", "::1"], now, algorithm });
    await writeFile(join(folder, "root.pem"), root.certificatePem);
    await writeFile(join(folder, "leaf.pem"), leaf.certificatePem);
    await writeFile(join(folder, "chain.pem"), leaf.chainPem);
    server = createServer({ key: leaf.keyPem, cert: leaf.chainPem }, (_request, response) => response.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  });

  it("is accepted by node:tls with its root alone", async () => {
    expect(await authorize(port, "issuer.example.test", root.certificatePem)).toBe(true);
  });

  it("is refused by node:tls for a name that it does not carry", async () => {
    await expect(authorize(port, "other.example.test", root.certificatePem)).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  });

  it("is refused by node:tls with another root of the same name", async () => {
    const other = await createAuthority({ name: "test root", now });
    await expect(authorize(port, "issuer.example.test", other.certificatePem)).rejects.toThrow();
  });

  it.skipIf(!openssl)("is accepted by openssl under its strict rules", async () => {
    const options = ["-x509_strict", "-purpose", "sslserver", "-verify_ip", "::1", "-verify_hostname", "issuer.example.test"];
    const files = ["-CAfile", join(folder, "root.pem"), "-untrusted", join(folder, "chain.pem"), join(folder, "leaf.pem")];
    const { stdout } = await run("openssl", ["verify", ...options, ...files]);
    expect(stdout).toContain("leaf.pem: OK");
  });

  it.skipIf(!python)("is accepted by Python under its strict rules", async () => {
    const script = [
      "import socket, ssl, sys",
      "context = ssl.create_default_context(cafile=sys.argv[2])",
      "context.verify_flags |= ssl.VERIFY_X509_STRICT",
      "raw = socket.create_connection(('127.0.0.1', int(sys.argv[1])))",
      "print(context.wrap_socket(raw, server_hostname='issuer.example.test').version())",
    ].join("\n");
    const { stdout } = await run("python3", ["-c", script, String(port), join(folder, "root.pem")]);
    expect(stdout).toContain("TLSv1.3");
  });
});

describe("certificates", () => {

  it("lists every name and address", async () => {
    const root = await createAuthority({ name: "root", now });
    const names = ["a.example.test", "10.1.2.3", "2001:db8::7", "::ffff:10.0.0.1", "::"];
    const parsed = new X509Certificate((await root.issueServer({ names, now })).certificatePem);
    expect(names.filter((name) => name.includes(":") || /^\d/.test(name)).every((ip) => parsed.checkIP(ip) !== undefined)).toBe(true);
    expect(parsed.checkHost("a.example.test")).toBe("a.example.test");
    expect(parsed.checkHost("b.example.test")).toBeUndefined();
  });

  it("leaves the names out when told to keep the common name only", async () => {
    const root = await createAuthority({ name: "root", now });
    const parsed = new X509Certificate((await root.issueServer({ names: ["a.example.test"], now, commonNameOnly: true })).certificatePem);
    expect(parsed.subjectAltName).toBeUndefined();
    expect(parsed.subject).toBe("CN=a.example.test");
  });

  it("counts the days from the given start, across the year 2050", async () => {
    const notBefore = new Date("2049-12-31T12:00:00Z");
    const root = await createAuthority({ name: "root", now, notBefore, days: 2 });
    const parsed = new X509Certificate(root.certificatePem);
    expect(new Date(parsed.validFrom)).toEqual(notBefore);
    expect(new Date(parsed.validTo)).toEqual(new Date("2050-01-02T12:00:00Z"));
  });

  it("sends the intermediates and never the root", async () => {
    const root = await createAuthority({ name: "root", now });
    const upper = await root.issueIntermediate({ name: "upper", now });
    const lower = await upper.issueIntermediate({ name: "lower", now });
    const { chainPem, certificatePem } = await lower.issueServer({ names: ["a.example.test"], now });
    expect(chainPem).toBe(certificatePem + lower.certificatePem + upper.certificatePem);
    expect(new X509Certificate(lower.certificatePem).checkIssued(new X509Certificate(upper.certificatePem))).toBe(true);
  });
});
