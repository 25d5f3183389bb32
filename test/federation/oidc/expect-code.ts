import { expect } from "vitest";
import { KubeassumeError } from "../../../src/federation/errors/error.ts";

/** Runs something that must refuse, and gives its error back; the code is what tells cases apart. */
export function refusalOf(run: () => unknown): KubeassumeError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(KubeassumeError);
    return error as KubeassumeError;
  }
  throw new Error("expected a refusal");
}

export function codeOf(run: () => unknown): string {
  return refusalOf(run).code;
}
