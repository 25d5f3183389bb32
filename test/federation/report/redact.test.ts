import fc from "fast-check";
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { redact, toRedactedJson } from "../../../src/federation/report/redact.ts";

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const base64url = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString("base64url"));
const alphanumeric = (alphabet: string, length: number) => fc.array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length }).map((letters) => letters.join(""));
const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** What must never get out, and the part of it that would do harm. */
const canaries: Readonly<Record<string, fc.Arbitrary<{ readonly text: string; readonly secret: string }>>> = {
  "a JWT": fc.tuple(fc.jsonValue(), base64url).map(([sub, signature]) => ({ text: `${part({ alg: "RS256", kid: "k" })}.${part({ sub })}.${signature}`, secret: signature })),
  "an unsigned JWT": base64url.map((claim) => ({ text: `${part({ alg: "none" })}.${part({ claim })}.`, secret: part({ claim }) })),
  "an AWS access key id": fc.tuple(fc.constantFrom("AKIA", "ASIA"), alphanumeric(UPPER, 16)).map(([kind, rest]) => ({ text: kind + rest, secret: rest })),
  "a presigned URL": alphanumeric("0123456789abcdef", 64).map((signature) => ({ text: `https://b.s3.amazonaws.com/o?X-Amz-Expires=60&X-Amz-Signature=${signature}`, secret: signature })),
  "a session token in a URL": base64url.map((token) => ({ text: `https://sts.example/?X-Amz-Security-Token=${token}&x=1`, secret: token })),
  "a shared access signature": base64url.map((signature) => ({ text: `https://a.blob.core.windows.net/c?sv=2024&sig=${signature}`, secret: signature })),
  "a URL with a password": alphanumeric(UPPER + ":@", 20).map((password) => ({ text: `https://user:${password}@proxy.example:8080/x`, secret: password })),
  "a URL with a token for a name": alphanumeric(UPPER, 20).map((token) => ({ text: `https://${token}@git.example/x`, secret: token })),
  "an Authorization header": base64url.map((token) => ({ text: `Authorization: Bearer ${token}`, secret: token })),
  "a bearer token": alphanumeric(UPPER, 24).map((token) => ({ text: `with Bearer ${token}`, secret: token })),
  "a proxy's Authorization header": base64url.map((token) => ({ text: `proxy-authorization: Basic ${token}`, secret: token })),
  "an AWS signature": alphanumeric("0123456789abcdef", 64).map((signature) => ({ text: `authorization: AWS4-HMAC-SHA256 Credential=x/y, Signature=${signature}`, secret: signature })),
  "a secret key by its name": alphanumeric(`${UPPER}abcdef/+`, 40).map((key) => ({ text: `aws_secret_access_key = ${key}`, secret: key })),
  "a Google access token": base64url.map((token) => ({ text: `got ya29.${token}`, secret: token })),
  "a Google refresh token": base64url.map((token) => ({ text: `1//0${token}`, secret: token })),
  "a Google API key": alphanumeric(`${UPPER}abc-_`, 35).map((key) => ({ text: `key=AIza${key}`, secret: key })),
  "a URL signed by Google": alphanumeric("0123456789abcdef", 64).map((signature) => ({ text: `https://storage.googleapis.com/b/o?X-Goog-Expires=60&X-Goog-Signature=${signature}`, secret: signature })),
  "a token by its name": alphanumeric(UPPER, 30).map((token) => ({ text: `{"access_token": "${token}"}`, secret: token })),
  "a client secret in a form": alphanumeric(UPPER, 30).map((key) => ({ text: `grant_type=x&client_secret=${key}&y=1`, secret: key })),
};

const noise = fc.string({ unit: fc.constantFrom(" ", "\n", "a", "Z", "/", ":", "'", '"', ",", "(", ")") });

describe("redact", () => {
  for (const [name, canary] of Object.entries(canaries)) {
    it(`lets ${name} never out, whatever stands around it`, () => {
      fc.assert(
        fc.property(canary, noise, noise, ({ text, secret }, before, after) => {
          expect(redact(`${before} ${text} ${after}`)).not.toContain(secret);
        }),
      );
    });

    it(`lets ${name} never out of a JSON document, which stays JSON`, () => {
      fc.assert(
        fc.property(canary, noise, noise, ({ text, secret }, before, after) => {
          const json = toRedactedJson({ error: { message: `${before} ${text} ${after}`, details: [{ text }] }, ok: false });
          expect(json).not.toContain(secret);
          expect(JSON.parse(json)).toMatchObject({ ok: false });
        }),
      );
    });
  }

  it.each(["rsa", "ec"] as const)("lets a real token and the %s key that signed it never out, also cut off", (kind) => {
    const { privateKey } = kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
    const signed = `${part({ alg: "RS256" })}.${part({ sub: "system:serviceaccount:a:b" })}`;
    const token = `${signed}.${sign("sha256", Buffer.from(signed), privateKey).toString("base64url")}`;
    for (const type of ["pkcs8", kind === "rsa" ? "pkcs1" : "sec1"] as const) {
      const pem = privateKey.export({ type: type as "pkcs8", format: "pem" }).toString();
      const line = pem.split("\n")[1] ?? "";
      for (const text of [pem, pem.slice(0, 120), JSON.stringify(pem), pem.replaceAll("\n", "\\n")]) expect(redact(`cannot read ${text} and ${token}`)).not.toContain(line);
      expect(redact(`cannot read ${token} and ${pem}`)).not.toContain(token.split(".")[2]);
      expect(JSON.parse(toRedactedJson({ message: pem.slice(0, 120), next: "stays" }))).toEqual({ message: "[private key removed]", next: "stays" });
    }
  });

  it("takes members out whose name says that they are secret, whatever they look like", () => {
    const document = { SecretAccessKey: "abc", sessionToken: "def", client_secret: "ghi", id_token: "jkl", password: "", tokenFile: "/var/run/token", keyId: "k1" };
    expect(JSON.parse(toRedactedJson(document))).toEqual({
      SecretAccessKey: "[removed]",
      sessionToken: "[removed]",
      client_secret: "[removed]",
      id_token: "[removed]",
      password: "",
      tokenFile: "/var/run/token",
      keyId: "k1",
    });
  });

  it("leaves what people need to read as it is", () => {
    const text = [
      "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/prod",
      "https://oidc.example.com:8443/prod/.well-known/openid-configuration?x=1#y",
      "9e99a48a9960b14926bb7f3b02e22da2b0ab7280",
      "system:serviceaccount:payments:api",
      "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
      "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
      "mail to ops@example.com // not a URL",
      "Bearer of good news",
      "\u001b[32mgreen\u001b[0m",
    ].join("\n");
    expect(redact(text)).toBe(text);
  });

  it("lets no remote answer move the cursor or write the terminal's title", () => {
    expect(redact("a\u001b[2Jb\u001b]0;owned\u0007c\rd\u009b1Ae\u0000f\u001b[1;31mg\u001b[0m\n")).toBe("a[2Jb]0;ownedcd1Aef\u001b[1;31mg\u001b[0m\n");
  });

  it("answers long hostile text at once", () => {
    for (const hostile of ["/".repeat(200_000), "eyJ".repeat(70_000), "-----BEGIN ".repeat(20_000), "//a:".repeat(50_000), "password".repeat(25_000), "?sig=".repeat(40_000)]) {
      expect(redact(hostile).length).toBeLessThanOrEqual(hostile.length + 1_000_000);
    }
  });
});
