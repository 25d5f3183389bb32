import { describe, expect, it } from "vitest";
import type { Connection, Provider } from "../../../src/federation/clouds/cloud.ts";
import { codes } from "../../../src/federation/errors/codes.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { buildTokens } from "../../../src/federation/flow/status-tokens.ts";
import type { StatusCloud, StatusJourney } from "../../../src/federation/flow/status.ts";
import { readSet } from "../../../src/federation/clouds/aws/judge/keys.ts";
import { isSignedBy, readToken } from "../../../src/federation/clouds/judge/token.ts";

const ISSUER = "https://oidc.example.com/prod";
const ACCOUNT = { namespace: "demo", name: "app" };
const NOW = new Date("2026-01-31T12:00:00Z");

/** A cloud whose audience depends on the caller. */
function cloud(identify: Connection["identify"], accounts = [ACCOUNT]): StatusCloud {
  const provider = { audiences: (_: unknown, caller: { readonly account: string }) => [`audience of ${caller.account}`] } as unknown as Provider;
  const spec = { issuer: ISSUER, audiences: [], adopt: false, keySource: "discovery" } as const;
  const grants = accounts.length === 0 ? [] : [{ issuer: ISSUER, serviceAccounts: accounts, adopt: false }];
  return { name: "somewhere", provider, connection: { identify } as unknown as Connection, spec, grants, flags: {} };
}

function journey(one: StatusCloud): StatusJourney {
  return { issuer: ISSUER, clouds: [one], http: () => Promise.reject(new Error("nobody asks")), readChain: () => Promise.reject(new Error("nobody asks")), cluster: null, mint: false, exchange: false, now: () => NOW };
}

describe("the tokens that stand for those of the cluster", () => {
  it("carry what the API server would sign, for the audience of the caller's own", async () => {
    const { byCloud, jwks } = await buildTokens(journey(cloud(async () => ({ name: "me", account: "42" }))));
    const { jwt } = readToken(byCloud.get("somewhere")?.get("demo/app") ?? "");
    expect(jwt?.claims).toMatchObject({ iss: ISSUER, sub: "system:serviceaccount:demo:app", aud: ["audience of 42"], iat: NOW.getTime() / 1000, exp: NOW.getTime() / 1000 + 600, "kubernetes.io": { namespace: "demo", serviceaccount: { name: "app" } } });
    const key = readSet(jwks)?.[0];
    expect(key?.kid).toBe(jwt?.header["kid"]);
    expect(jwt !== null && key?.key != null && isSignedBy(jwt, key.key, "RS256")).toBe(true);
  });

  it("are left out for a cloud that does not say who asks", async () => {
    const refuse = () => Promise.reject(new KubeassumeError(codes.FLAG_INVALID, { message: "nobody is signed in" }));
    expect([...(await buildTokens(journey(cloud(refuse)))).byCloud]).toEqual([]);
  });

  it("are none without a grant", async () => {
    const { byCloud, jwks } = await buildTokens(journey(cloud(async () => ({ name: "me", account: "42" }), [])));
    expect([jwks, [...byCloud]]).toEqual([null, []]);
  });

  it("never hide a defect", async () => {
    await expect(buildTokens(journey(cloud(() => Promise.reject(new TypeError("not a function")))))).rejects.toThrow(TypeError);
  });
});
