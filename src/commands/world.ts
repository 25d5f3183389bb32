/** A stream that kubeassume writes to. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Terminal width; 80 elsewhere. */
  readonly columns: number;
}

/** Everything that a command may know of the process around it. Tests hand in their own. */
export interface World {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: { readonly isTTY: boolean; readAll(): Promise<string>; readLine(): Promise<string | null> };
  readonly now: () => Date;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * While taken, signals go to the handler instead of aborting `signal`; the answer gives them back. Absent where the
   * process around takes no signals, as in tests.
   */
  readonly takeSignals?: ((handler: (name: NodeJS.Signals) => void) => () => void) | undefined;
}
