/** How a fabric describes one long-running engine process to the supervisor in platform/. */
export interface EngineSpec {
  /** Unique in a home: `knot`, `postfix`, … also the log's name (`log/<name>.log`). */
  readonly name: string;
  /** What it is for, for `status` and `doctor`. */
  readonly purpose: string;
  /** Writes its configuration (write beside → the engine's own checker → atomic swap) and folders. Runs before each start. */
  prepare(): Promise<void>;
  /** The process, in the foreground, as an argument vector. Called after prepare. */
  argv(): readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** OS user the process is started as; absent: root (the engine drops privileges itself, say why in a comment). */
  readonly user?: string;
  /** Path of a network namespace to enter (`nsenter --net=…`); absent: the machine's own. */
  networkNamespace?(): string;
  /** Resolves true when it serves. Polled every 25 ms until ready_timeout_ms. */
  ready(): Promise<boolean>;
  readonly ready_timeout_ms: number;
  readonly stopSignal: "SIGTERM" | "SIGINT" | "SIGQUIT" | "SIGUSR1";
  readonly stop_timeout_ms: number;
  /** e.g. `3.2.6`, asked from the binary. */
  version(): Promise<string>;
  /** Engines that must be ready before this one starts, by name. */
  readonly after?: readonly string[];
  /** True when children of it (containers) shall live on when it stops; then only its own process is ended, not its group. */
  readonly childrenOutlive?: boolean;
  /** Called when it is ready again after an unplanned restart: restore what only lived in its memory. */
  recovered?(): Promise<void>;
}
