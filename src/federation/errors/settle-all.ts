import { combineProblems } from "./codes.ts";
import { KubeassumeError } from "./error.ts";

/** Waits for all, then throws all their problems at once; a defect is thrown as it is. */
export async function settleAll<T extends readonly unknown[]>(work: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled(work as readonly Promise<unknown>[]);
  // Work that waits for the same thing fails with the same error: it is said once.
  const failures = [...new Set(settled.filter((one): one is PromiseRejectedResult => one.status === "rejected").map((one): unknown => one.reason))];
  const defect = failures.find((failure) => !(failure instanceof KubeassumeError));
  if (defect !== undefined) throw defect;
  if (failures.length > 0) throw combineProblems(failures as KubeassumeError[]);
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
