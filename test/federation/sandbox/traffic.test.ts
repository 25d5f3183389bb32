import fc from "fast-check";
import { expect, it } from "vitest";
import { countSequential } from "../../../src/federation/sandbox/traffic.ts";
import type { LoggedRequest } from "../../../src/federation/sandbox/traffic.ts";

function logged(startedAt: number, endedAt: number | null): LoggedRequest {
  return { service: "x", method: "GET", url: "http://127.0.0.1/", startedAt, endedAt, status: 200, unmatched: false, defect: null };
}

it("counts requests that wait for each other", () => {
  expect(countSequential([logged(0, 10), logged(11, 20), logged(21, 30)])).toBe(3);
});

it("counts requests side by side once", () => {
  expect(countSequential([logged(0, 10), logged(1, 9), logged(2, 12), logged(13, 20), logged(12.5, 30)])).toBe(2);
});

it("leaves out what was never answered", () => {
  expect(countSequential([logged(0, null), logged(1, 2)])).toBe(1);
});

it("finds the longest chain, as trying every subset does", () => {
  const interval = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 })).map(([start, length]) => logged(start, start + length));
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 8 }), (requests) => {
      let best = 0;
      for (let mask = 0; mask < 1 << requests.length; mask += 1) {
        const chosen = requests.filter((_, index) => mask & (1 << index)).sort((a, b) => a.startedAt - b.startedAt);
        if (chosen.every((one, index) => index === 0 || (chosen[index - 1]?.endedAt ?? 0) <= one.startedAt)) best = Math.max(best, chosen.length);
      }
      expect(countSequential(requests)).toBe(best);
    }),
  );
});
