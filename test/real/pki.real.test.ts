import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { createAuthority } from "../../src/federation/sandbox/pki.ts";
import { startTlsServer } from "../support/tls-server.ts";

const run = promisify(execFile);
const now = new Date();

const GO_CLIENT = `package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

func main() {
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := tls.Dial("tcp", os.Args[1], &tls.Config{RootCAs: roots, ServerName: os.Args[3]})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("verified", len(conn.ConnectionState().VerifiedChains[0]))
}
`;

it.each(["ecdsa", "rsa"] as const)("the sandbox's %s chain is accepted by Go's crypto/tls", async (algorithm) => {
  const folder = await mkdtemp(join(tmpdir(), "kubeassume-pki-"));
  const root = await createAuthority({ name: "test root", now, algorithm });
  const intermediate = await root.issueIntermediate({ name: "test intermediate", now, algorithm });
  const server = await startTlsServer(await intermediate.issueServer({ names: ["localhost"], now, algorithm }));
  try {
    await writeFile(join(folder, "root.pem"), root.certificatePem);
    await writeFile(join(folder, "main.go"), GO_CLIENT);
    const { stdout } = await run("go", ["run", join(folder, "main.go"), `127.0.0.1:${server.port}`, join(folder, "root.pem"), "localhost"]);
    expect(stdout.trim()).toBe("verified 3");
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
