import { expect, it } from "vitest";
import { traceHttp } from "../../../src/commands/edge/traced-http.ts";
import { HttpFailure } from "../../../src/federation/http/http.ts";

const now = () => new Date(0);

it("tells method, place, answer and time, and nothing of query, headers and bodies", async () => {
  const lines: string[] = [];
  const http = traceHttp(async () => ({ status: 200, headers: { "set-cookie": "canary" }, body: "canary" }), (line) => void lines.push(line), now);
  await http({ url: "https://user:canary@host.example/path?X-Amz-Signature=canary", method: "PUT", headers: { authorization: "canary" }, body: "canary" });
  expect(lines).toEqual(["PUT https://host.example/path: 200, 6 bytes (0 ms)"]);
});

it("tells of a failure and passes it on", async () => {
  const lines: string[] = [];
  const failure = new HttpFailure("refused", "ECONNREFUSED", "host.example: the connection is refused", undefined);
  await expect(traceHttp(() => Promise.reject(failure), (line) => void lines.push(line), now)({ url: "https://host.example/" })).rejects.toBe(failure);
  expect(lines).toEqual(["GET https://host.example/: host.example: the connection is refused (0 ms)"]);
});
