/** How an engine is started. Pure, so that it can be read and tested. */
export interface Launch {
  readonly procsFile: string;
  readonly networkNamespace?: string;
  readonly user?: string;
  readonly argv: readonly [string, ...string[]];
}

/** The fixed script joins the group before anything else runs; every variable part is an argument, never part of the script. */
const JOIN_GROUP = 'echo $$ >"$1" && shift && exec "$@"';

export function launchArgv(launch: Launch): [string, ...string[]] {
  return [
    "/bin/sh",
    "-c",
    JOIN_GROUP,
    "engine",
    launch.procsFile,
    ...(launch.networkNamespace ? ["/usr/bin/nsenter", `--net=${launch.networkNamespace}`, "--"] : []),
    ...(launch.user ? ["/usr/bin/setpriv", `--reuid=${launch.user}`, `--regid=${launch.user}`, "--init-groups", "--no-new-privs", "--inh-caps=-all", "--"] : []),
    ...launch.argv,
  ];
}
