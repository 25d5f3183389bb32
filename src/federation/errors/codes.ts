import { defineCodes, EXIT, KubeassumeError } from "./error.ts";

/** Codes that belong to no cloud and to no special document; every folder with rules of its own has its own table. */
export const codes = defineCodes({
  DEFECT: {
    exit: EXIT.defect,
    summary: "kubeassume itself went wrong",
    why: "An unexpected state inside kubeassume. The input may be unusual, but this is a defect and not the operator's fault.",
    fix: "repeat with --verbose and report what it prints, together with the command",
  },
  USAGE: {
    exit: EXIT.input,
    summary: "the command line is not understood",
    why: "An unknown command or flag, a missing argument, or a value that a flag does not take.",
    fix: "see --help of the command",
  },
  SEVERAL_PROBLEMS: {
    exit: EXIT.input,
    summary: "several problems were found at once",
    why: "Input is checked as a whole, so that one run shows all that must be mended. Each problem in details.problems has its own code.",
    fix: "mend each of them; kubeassume explain CODE says more about one",
  },
  CODE_UNKNOWN: {
    exit: EXIT.input,
    summary: "there is no such error or check code",
    why: "explain knows every code that kubeassume can print; this one is none of them.",
    fix: "kubeassume explain without an argument lists all codes",
  },
  FLAG_MISSING: {
    exit: EXIT.input,
    summary: "a value that the command needs was not given",
    why: "Neither a flag nor kubeassume.yaml says it, and it cannot be derived.",
    fix: "give the flag that the message names, or write it into kubeassume.yaml",
  },
  FLAG_INVALID: {
    exit: EXIT.input,
    summary: "a flag or a config value has a form that cannot be right",
    why: "The value would be refused later by the cloud or the cluster, so it is refused now, before the first write.",
    fix: "correct the value that the message shows",
  },
  FLAGS_CONFLICT: {
    exit: EXIT.input,
    summary: "two flags contradict each other",
    why: "Each of them alone is fine; together they ask for two different things.",
    fix: "leave one of them out",
  },
  SERVICE_ACCOUNT_INVALID: {
    exit: EXIT.input,
    summary: "a service account is not written as NAMESPACE/NAME, or Kubernetes would refuse its name",
    why: "Namespaces are DNS labels of at most 63 characters; service account names are DNS subdomains of at most 253.",
    fix: "write it as namespace/name, in lower case",
  },
  FILE_UNREADABLE: {
    exit: EXIT.input,
    summary: "a file that was named cannot be read",
    why: "It does not exist, is a folder, is too large, or its permissions forbid it.",
    fix: "check the path and the permissions",
  },
  FILE_UNWRITABLE: {
    exit: EXIT.refused,
    summary: "a file or a folder cannot be written",
    why: "The disk is full, the path is not a folder, or the permissions forbid it.",
    fix: "check the path, the free space and the permissions",
  },
  NOT_OURS: {
    exit: EXIT.input,
    summary: "something of that name exists and does not carry kubeassume's mark",
    why: "Somebody else, another tool, or a person made it. Overwriting it could take access away from whoever depends on it.",
    fix: "look at it, and repeat with --adopt to take it over, or choose another name",
  },
  DECLINED: {
    exit: EXIT.declined,
    summary: "the plan was not confirmed",
    why: "The answer was not yes, or a command that removes things ran without a terminal and without --yes. Nothing was written.",
    fix: "confirm, or pass --yes",
  },
  INTERRUPTED: {
    exit: EXIT.interrupted,
    summary: "interrupted by a signal",
    why: "Ctrl-C or a termination signal. Calls under way were given up: their steps count as failed, although some may have had their effect. The others were not touched.",
    fix: "run the same command again: it goes on where it stopped",
  },
  TIMED_OUT: {
    exit: EXIT.refused,
    summary: "the command took longer than --timeout allows",
    why: "The whole command has a bound, so that a pipeline cannot hang.",
    fix: "run it again, or raise --timeout",
  },
  PARTLY_APPLIED: {
    exit: EXIT.partly,
    summary: "some steps are done and some are not",
    why: "A step failed after others had been done. Nothing is undone: every step is safe to repeat.",
    fix: "mend the cause and run the same command again",
  },
  STEP_SKIPPED: {
    exit: EXIT.partly,
    summary: "a step was not begun because one before it is not done",
    why: "Steps that depend on each other run in order; after a failure or an interruption the later ones are left untouched.",
    fix: "run the same command again once the cause is mended",
  },
  LEFT_BEHIND: {
    exit: EXIT.partly,
    summary: "a teardown left something behind",
    why: "Something that kubeassume made could not be removed, or holds things of somebody else. It is listed in the report.",
    fix: "look at what is listed, then run the same teardown again",
  },
  CHECKS_FAILED: {
    exit: EXIT.checkFailed,
    summary: "at least one check failed",
    why: "What the clouds, the issuer or the cluster really have is not what it should be. Each failed check says what to do.",
    fix: "follow the hint of each failed check",
  },
  TOKEN_REFUSED: {
    exit: EXIT.checkFailed,
    summary: "the token would not be exchanged",
    why: "One of the cloud's rules refuses it; the report says which, in the cloud's own words.",
    fix: "follow the hint of the first failed check",
  },
  VERDICTS_DIFFER: {
    exit: EXIT.checkFailed,
    summary: "the judge and the real token service disagree",
    why: "A change that the cloud has not taken in yet (seconds to minutes), a document that it caches, a network that it cannot reach, or a rule that the judge does not know.",
    fix: "wait a minute and repeat; if they still disagree, the cloud's own answer counts, and a report about it is welcome",
  },
  ISSUER_UNREACHABLE: {
    exit: EXIT.refused,
    summary: "a document of the issuer could not be read from here",
    why: "DNS, routing, a firewall, TLS, a status other than 200, a truncated or endless answer. A cloud would fail in the same way.",
    fix: "open the URL from a machine outside of your network; it must answer 200 with JSON and a certificate that verifies",
  },
  ISSUER_REDIRECTS: {
    exit: EXIT.input,
    summary: "the issuer answers with a redirect",
    why: "Relying parties compare the issuer to the byte and do not have to follow redirects; one to another host would move the trust elsewhere.",
    fix: "serve the document at the issuer's own URL with status 200",
  },
  ISSUER_NOT_JSON: {
    exit: EXIT.input,
    summary: "a document of the issuer is not JSON",
    why: "Usually a web page: a login wall, a gateway's default page, or an error page with status 200.",
    fix: "make the URL answer with the document itself, as application/json",
  },
});

/** Thousands of grants may all have the same problem: the message stays one line that can be read. */
const MOST_IN_MESSAGE = 10;

/**
 * One error for a list of them: the error itself when it is alone; otherwise SEVERAL_PROBLEMS with all in
 * `details.problems`, and exit code 2 when any of them is for the input, else the first one's.
 */
export function combineProblems(problems: readonly KubeassumeError[]): KubeassumeError {
  const [first] = problems;
  if (first === undefined) throw new TypeError("combineProblems needs at least one problem");
  if (problems.length === 1) return first;
  const rest = problems.length > MOST_IN_MESSAGE ? [`and ${problems.length - MOST_IN_MESSAGE} more`] : [];
  const exit = problems.some((problem) => problem.exit === EXIT.input) ? EXIT.input : first.exit;
  return new KubeassumeError(codes.SEVERAL_PROBLEMS, {
    message: `${problems.length} problems: ${[...problems.slice(0, MOST_IN_MESSAGE).map((problem) => problem.message), ...rest].join("; ")}`,
    details: { problems: problems.map((problem) => problem.toProblem()) },
    exit,
  });
}
