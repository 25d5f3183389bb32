import type { CloudWorld } from "../federation/clouds/cloud.ts";
import type { FlagValues, OptionDefinition } from "../federation/clouds/options.ts";
import type { Cluster } from "../federation/cluster/cluster.ts";
import type { LoadedConfig } from "../federation/config/loaded-config.ts";
import type { KubeassumeError, Problem } from "../federation/errors/error.ts";
import type { Http } from "../federation/http/http.ts";
import type { Plan, Step, StepStatus } from "../federation/plan/step.ts";
import type { World } from "./world.ts";

/** `kind` of the JSON document on stdout; the contract fixes the set. */
export type ResultKind =
  | "SetupResult"
  | "GrantResult"
  | "ApplyResult"
  | "TrustPolicy"
  | "PublishResult"
  | "StatusReport"
  | "VerifyReport"
  | "TeardownResult"
  | "Thumbprint"
  | "Permissions"
  | "Plan"
  | "DemoReport"
  | "SandboxInfo"
  | "Explanation"
  | "Completion";

export interface CommandResult {
  /** By default the command's own kind; a dry run answers `Plan`. */
  readonly kind?: ResultKind;
  readonly data: object;
  readonly warnings: readonly Problem[];
  /** What stdout carries in text mode; ends with a newline or is empty. */
  readonly text: string;
  /** Set when the result is also a failure, such as a partly applied plan: exit code and `error` come from it. */
  readonly error?: KubeassumeError;
  /** The exit code when it is neither 0 nor the error's: a sandboxed command's own. */
  readonly exit?: number;
  /**
   * What goes on after the result has been printed: a server. The runner awaits it, with the world's signal, and
   * ends with 0 when it resolves, also because of the signal: being interrupted is how a server ends.
   */
  readonly serve?: (signal: AbortSignal) => Promise<void>;
}

/** A command as data. Program, help, completion and documentation are made from it. */
export interface CommandDefinition {
  readonly path: readonly string[];
  readonly kind: ResultKind;
  readonly summary: string;
  /** Positional arguments as commander writes them: `<url>`, `[command...]`. */
  readonly arguments?: readonly { readonly syntax: string; readonly description: string; readonly choices?: readonly string[] }[];
  readonly options: readonly OptionDefinition[];
  /** Whole command lines that work when pasted, some needing only the sandbox. */
  readonly examples: readonly string[];
  /** Its words are not held to `choices`: what stands behind `--` is a command of its own (sandbox). */
  readonly passThrough?: boolean;
  /** Runs until it is interrupted (a server): --timeout does not end it. */
  readonly unbounded?: boolean;
  run(context: CommandContext): Promise<CommandResult>;
}

/** What people see while a command works; all of it on stderr. */
export interface Ui {
  /** One line about what is going on; live on a terminal, a plain line elsewhere; silent with --quiet. */
  progress(message: string): void;
  note(message: string): void;
  /** Only with --verbose. */
  debug(message: string): void;
  plan(plan: Plan): void;
  step(step: Step, status: "started" | StepStatus): void;
  /**
   * Asks on a terminal; elsewhere answers `whenSilent`. `--yes` answers true.
   * Throws DECLINED when the answer is no.
   */
  confirm(question: string, whenSilent: "go-ahead" | "refuse"): Promise<void>;
}

export interface CommandContext {
  readonly world: World;
  readonly flags: FlagValues;
  readonly arguments: readonly string[];
  /** The command line as typed, for "run it again" hints. */
  readonly commandLine: string;
  readonly ui: Ui;
  readonly dryRun: boolean;
  /** Milliseconds that one remote call may take, from --timeout. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  http(): Promise<Http>;
  /** Extra CA certificates from --ca-file or KUBEASSUME_CA_FILE. */
  caPem(): Promise<readonly string[]>;
  cloudWorld(): Promise<CloudWorld>;
  /** Null when no file is named and ./kubeassume.yaml does not exist. */
  config(): Promise<LoadedConfig | null>;
  /** Loads the Kubernetes client. */
  cluster(): Promise<Cluster>;
}
