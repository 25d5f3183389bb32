import { describe, expect, it } from "vitest";
import { proxyFor } from "../../src/thumbprint/index.ts";

const proxy = "http://proxy.example.test:3128";
const url = "https://oidc.example.test/prod";

describe("the proxy of a URL", () => {
  it.each([
    ["HTTPS_PROXY", { HTTPS_PROXY: proxy }],
    ["lower-case https_proxy", { https_proxy: proxy }],
    ["HTTP_PROXY when there is no HTTPS_PROXY", { HTTPS_PROXY: "", HTTP_PROXY: proxy }],
  ])("comes from %s", (_words, env) => {
    expect(proxyFor(url, env)).toBe(proxy);
  });

  it("is none without the variables", () => {
    expect(proxyFor(url, {})).toBeUndefined();
  });

  it.each(["*", "oidc.example.test", "example.test", ".example.test", "*.example.test", "OIDC.example.test:443", "a.test, example.test", "a.test example.test"])("is none when NO_PROXY is %j", (NO_PROXY) => {
    expect(proxyFor(url, { HTTPS_PROXY: proxy, NO_PROXY })).toBeUndefined();
    expect(proxyFor(url, { HTTPS_PROXY: proxy, no_proxy: NO_PROXY })).toBeUndefined();
  });

  it.each(["", "other.test", "ample.test", "sub.oidc.example.test", "oidc.example.test:8443"])("is used when NO_PROXY is %j", (NO_PROXY) => {
    expect(proxyFor(url, { HTTPS_PROXY: proxy, NO_PROXY })).toBe(proxy);
  });
});
