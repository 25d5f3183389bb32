import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { withinTime } from "../../../src/federation/http/within-time.ts";

const never = (signal: AbortSignal): Promise<never> => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

describe("withinTime", () => {
  it("ends work that does not end, also when the garbage collector runs meanwhile", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const collecting = setInterval(collect, 5);
    await expect(withinTime(50, new AbortController().signal, never)).rejects.toMatchObject({ name: "TimeoutError" });
    clearInterval(collecting);
  });

  it("ends work with the outer signal's reason, also when that was aborted before", async () => {
    const outer = new AbortController();
    const work = withinTime(60_000, outer.signal, never);
    outer.abort(new Error("enough"));
    await expect(work).rejects.toThrow("enough");
    const seen = await withinTime(60_000, outer.signal, (signal) => Promise.resolve(signal.aborted));
    expect(seen).toBe(true);
  });
});
