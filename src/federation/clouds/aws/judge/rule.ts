import type { Rule as AnyRule } from "../../judge/rule.ts";
import type { JudgeCheckId } from "./checks.ts";
import type { Facts } from "./facts.ts";

/** A rule of AssumeRoleWithWebIdentity. */
export type Rule = AnyRule<JudgeCheckId, Facts>;
