import { codes, combineProblems } from "../errors/codes.ts";
import { KubeassumeError } from "../errors/error.ts";
import type { StepOutcome } from "./apply.ts";

interface Circumstances {
  /** The command that resumes. */
  readonly resume: string;
  readonly interrupted: boolean;
}

/**
 * The one error for what is not done: null when all is; INTERRUPTED after a signal; the failure itself when it is
 * alone and nothing was written; SEVERAL_PROBLEMS when nothing was written; else PARTLY_APPLIED.
 * `details` lists the targets that are done (written), failed and untouched, and the command that resumes.
 */
export function summarize(steps: readonly StepOutcome[], failures: readonly KubeassumeError[], circumstances: Circumstances): KubeassumeError | null {
  const targets = (status: StepOutcome["status"]) => steps.filter((outcome) => outcome.status === status).map((outcome) => outcome.step.target);
  const done = steps.filter((outcome) => outcome.status === "done" && outcome.step.action !== "none").map((outcome) => outcome.step.target);
  const details = { done, failed: targets("failed"), untouched: targets("skipped"), resume: circumstances.resume };
  const [first] = failures;
  if (first === undefined && details.untouched.length === 0) return null;
  const resume = `run it again, it goes on where it stopped: ${circumstances.resume}`;
  const problems = failures.length === 0 ? {} : { problems: failures.map((failure) => failure.toProblem()) };
  const counts = `${done.length} done, ${failures.length} failed, ${details.untouched.length} untouched`;
  if (first === undefined || circumstances.interrupted) {
    return new KubeassumeError(codes.INTERRUPTED, { message: `interrupted: ${counts}`, hint: resume, details: { ...details, ...problems }, ...(first === undefined ? {} : { cause: first }) });
  }
  if (done.length === 0) return withDetails(combineProblems(failures), details);
  return new KubeassumeError(codes.PARTLY_APPLIED, {
    message: `${counts}; first failure: ${first.message}`,
    hint: `${first.hint}; then ${resume}`,
    details: { ...details, ...problems },
    cause: first,
  });
}

function withDetails(error: KubeassumeError, details: Readonly<Record<string, unknown>>): KubeassumeError {
  const definition = { code: error.code, exit: error.exit, summary: "", why: "", fix: error.hint };
  return new KubeassumeError(definition, { message: error.message, details: { ...details, ...error.details }, cause: error });
}
