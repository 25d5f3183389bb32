import { KubeassumeError } from "../../../../../src/federation/errors/error.ts";

/** The code of an error, or what it is instead. */
export function codesOf(error: unknown): string {
  return error instanceof KubeassumeError ? error.code : String(error);
}
