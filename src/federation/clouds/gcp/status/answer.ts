import type { Check, CheckDefinition } from "../../../errors/checks.ts";

/** One answered check; what is neither wrong nor doubtful needs no hint. */
export function answer(definition: CheckDefinition, status: Check["status"], message: string, hint?: string): Check {
  return { id: definition.id, cloud: "gcp", status, message, hint: status === "pass" || status === "skip" ? "" : (hint ?? definition.fix), durationMs: 0 };
}
