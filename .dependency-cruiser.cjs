/** The arrows of ARCHITECTURE.md, as law. A room is a folder with a door (index.ts); core/ledger has a second one (pure.ts). */
const DOOR = "/(index|pure)\\.ts$";
const only = (name, from, allowed, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: `^src/${from}`, pathNot: "\\.test\\.ts$" },
  to: { path: "^src/", pathNot: [`^src/${from}`, ...allowed.map((room) => `^src/${room}`)] },
});

const ROOMS = [
  "kernel", "contract", "core/identity", "core/store", "core/ledger", "core/policy-engine", "core/command", "core/handshake",
  "compute", "domains", "mail", "network", "imvu/imvu-manager", "imvu/export", "imvu/import", "platform", "api", "cli", "verify", "witness",
];

module.exports = {
  forbidden: [
    { name: "no-circle", severity: "error", comment: "arrows never run back", from: {}, to: { circular: true } },
    { name: "no-orphan", severity: "error", from: { orphan: true, pathNot: ["\\.test\\.ts$", "^src/(cli|verify)/main\\.ts$", "^src/core/policy-engine/law\\.document\\.ts$"] }, to: {} },
    { name: "no-dev-dependency", severity: "error", from: { path: "^src/", pathNot: "\\.test\\.ts$" }, to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"] } },
    { name: "one-place-starts-processes", severity: "error", from: { path: "^src/", pathNot: "^src/kernel/exec\\.ts$" }, to: { path: "child_process" } },
    ...ROOMS.map((room) => ({
      name: `door-of-${room.replaceAll("/", "-")}`,
      severity: "error",
      comment: "imports go through doors",
      from: { path: "^src/", pathNot: [`^src/${room}/`, "^src/.*\\.test\\.ts$"] },
      to: { path: `^src/${room}/`, pathNot: [`^src/${room}${DOOR}`, ...ROOMS.filter((other) => other.startsWith(`${room}/`)).map((other) => `^src/${other}/`)] },
    })),
    only("kernel", "kernel/", [], "kernel depends on nothing"),
    only("contract", "contract/", ["kernel/"]),
    only("identity", "core/identity/", ["kernel/", "contract/"]),
    only("store", "core/store/", ["kernel/", "contract/"]),
    only("ledger", "core/ledger/", ["kernel/", "contract/", "core/identity/", "core/store/"]),
    only("policy-engine", "core/policy-engine/", ["kernel/", "contract/", "core/identity/"]),
    only("handshake", "core/handshake/", ["kernel/", "contract/", "core/ledger/pure"]),
    only("command", "core/command/", ["kernel/", "contract/", "core/"]),
    ...["compute", "domains", "mail", "network"].map((room) => only(room, `${room}/`, ["kernel/", "contract/"], "the four fabrics know nothing of one another")),
    only("verify", "verify/", ["kernel/", "contract/", "core/identity/", "core/policy-engine/", "core/handshake/", "core/ledger/pure"], "nothing here may need a database or an engine"),
    only("witness", "witness/", ["kernel/", "core/ledger/pure"], "a witness runs with no platform and no database"),
    only("imvu", "imvu/", ["kernel/", "contract/", "core/", "verify/"], "fabrics come as ports, never as rooms"),
    only("api", "api/", ["kernel/", "contract/", "core/command/", "core/identity/"]),
    only("cli", "cli/", ["kernel/", "contract/", "core/identity/", "core/ledger/pure", "verify/", "imvu/export/", "imvu/import/", "witness/", "platform/index"], "platform only for the verbs of whoever runs the machine"),
    {
      name: "pure-stays-pure",
      severity: "error",
      comment: "what a creator or a stranger runs offline must not reach a database, an engine or the platform, by whatever detour",
      from: { path: "^src/(core/ledger/pure|core/handshake/index|core/policy-engine/index|witness/index|verify/(index|main))\\.ts$" },
      to: { path: "^src/(core/(store|command)|platform|api|compute|domains|mail|network)/", reachable: true },
    },
    {
      name: "every-file-in-a-room",
      severity: "error",
      comment: "a file that lies in no room obeys no arrow",
      from: { path: "^src/", pathNot: ROOMS.map((room) => `^src/${room}/`) },
      to: {},
    },
    { name: "cli-platform", severity: "error", from: { path: "^src/cli/", pathNot: "^src/cli/verbs/platform\\.ts$" }, to: { path: "^src/platform/" } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "\\.test\\.ts$" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".js"], exportsFields: ["exports"], conditionNames: ["import", "node"] },
  },
};
