import { describe, expect, it } from "vitest";
import { codes } from "../../../src/federation/errors/codes.ts";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";
import { settleAll } from "../../../src/federation/errors/settle-all.ts";

const problem = (message: string) => new KubeassumeError(codes.FLAG_INVALID, { message });
const failureOf = (work: Promise<unknown>) => work.then(() => null, (error: unknown) => error);

describe("waiting for several things", () => {
  it("answers all of them", async () => {
    expect(await settleAll([Promise.resolve(1), Promise.resolve("two")])).toEqual([1, "two"]);
  });

  it("throws all problems together", async () => {
    const error = await failureOf(settleAll([Promise.reject(problem("one")), Promise.resolve(2), Promise.reject(problem("three"))]));
    expect((error as KubeassumeError).message).toMatch(/one[\s\S]*three/);
  });

  it("says once what two of them failed with because they waited for the same", async () => {
    const shared = Promise.reject(problem("nobody is signed in"));
    const error = await failureOf(settleAll([shared, shared.then(() => 1)]));
    expect(error).toMatchObject({ code: "FLAG_INVALID", message: "nobody is signed in" });
  });

  it("throws a defect as it is, whatever else failed", async () => {
    const defect = new TypeError("not a function");
    expect(await failureOf(settleAll([Promise.reject(problem("one")), Promise.reject(defect)]))).toBe(defect);
  });
});
