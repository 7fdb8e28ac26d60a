/**
 * The arrows of ARCHITECTURE.md as law: who may know whom, and only through doors (index.ts; for the ledger's pure half pure.ts).
 * Types count as arrows too. tools/check.ts runs this and asserts that modules were seen at all.
 */
const FABRICS = ["compute", "domains", "mail", "network"];
const CORE = ["core/identity", "core/store", "core/ledger", "core/policy-engine", "core/command", "core/handshake"];
const IMVU = ["imvu/imvu-manager", "imvu/export", "imvu/import", "imvu/isolation"];

/** room: the rooms it may know. Whoever adds an arrow here changes the architecture: say why in docs/adr. */
const ARROWS = {
  kernel: [],
  contract: ["kernel"],
  "core/identity": ["kernel", "contract"],
  "core/store": ["kernel", "contract"],
  "core/ledger": ["kernel", "contract", "core/identity", "core/store"],
  "core/policy-engine": ["kernel", "contract", "core/identity"],
  "core/command": ["kernel", "contract", "core/identity", "core/store", "core/ledger", "core/policy-engine"],
  "core/handshake": ["kernel", "contract"],
  ...Object.fromEntries(FABRICS.map((fabric) => [fabric, ["kernel", "contract"]])),
  "imvu/imvu-manager": ["kernel", "contract", "core/command"],
  "imvu/export": ["kernel", "contract", "core/identity", "core/ledger", "core/handshake", "verify"],
  "imvu/import": ["kernel", "contract", "core/command", "core/ledger", "imvu/imvu-manager", "imvu/export", "verify"],
  "imvu/isolation": ["kernel", "contract", ...CORE],
  verify: ["kernel", "contract", "core/identity", "core/ledger", "core/policy-engine", "core/handshake"],
  platform: ["kernel", "contract", ...CORE, ...FABRICS, ...IMVU, "verify", "api"],
  api: ["kernel", "contract", "core/identity", "core/command"],
  // It talks to the API. What it shares with the platform is what a creator checks on her own machine: identities, receipts, bundles.
  // The verbs of whoever runs the machine (up, down, doctor) work on the home itself; only that one file may know the platform.
  cli: ["kernel", "contract", "core/identity", "core/ledger", "imvu/export", "imvu/import", "verify", "platform"],
};

const ROOM = "^src/(kernel|contract|core/[^/]+|compute|domains|mail|network|imvu/[^/]+|verify|platform|api|cli)/";
const within = (rooms) => rooms.map((room) => `^src/${room}/`);

const arrows = Object.entries(ARROWS).map(([room, known]) => ({
  name: `arrow-${room.replace("/", "-")}`,
  comment: `${room} may know ${known.length === 0 ? "no other room" : known.join(", ")}`,
  severity: "error",
  from: { path: `^src/${room}/` },
  to: { path: "^src/", pathNot: within([room, ...known]) },
}));

module.exports = {
  forbidden: [
    ...arrows,
    {
      name: "every-file-in-a-room",
      comment: "a file that lies in no room obeys no arrow: give the room a line in ARROWS",
      severity: "error",
      from: { path: "^src/", pathNot: within(Object.keys(ARROWS)) },
      to: {},
    },
    {
      name: "through-the-door",
      comment: "import another room's index.ts (or core/ledger/pure.ts), never a file behind it",
      severity: "error",
      from: { path: ROOM },
      to: { path: "^src/", pathNot: ["^src/$1/", `${ROOM}index\\.ts$`, "^src/core/ledger/pure\\.ts$"] },
    },
    {
      name: "platform-only-for-its-operator",
      comment: "only up, down and doctor work on the home; every other verb talks to the API",
      severity: "error",
      from: { path: "^src/cli/", pathNot: "^src/cli/verbs/platform\\.ts$" },
      to: { path: "^src/platform/" },
    },
    {
      name: "pure-stays-pure",
      comment: "what a creator or a stranger runs offline must not reach a database, an engine or the platform",
      severity: "error",
      from: { path: "^src/(core/ledger/pure\\.ts|core/handshake/index\\.ts|core/policy-engine/index\\.ts|verify/(index|main)\\.ts)$" },
      to: { path: "^src/(core/(store|command)|platform|api|compute|domains|mail|network)/", reachable: true },
    },
    {
      name: "one-file-starts-processes",
      comment: "only kernel/exec.ts starts a process: arguments are vectors there, and no shell reads a string of ours",
      severity: "error",
      from: { pathNot: "^src/kernel/exec\\.ts$" },
      to: { path: "^(node:)?child_process$", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-test-in-the-product",
      comment: "src knows neither tests nor tools",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(tests|tools)/" },
    },
    {
      name: "no-import-of-a-test",
      comment: "a test is imported by nobody",
      severity: "error",
      from: {},
      to: { path: "\\.test\\.ts$" },
    },
    {
      name: "no-development-tool-in-the-product",
      comment: "what runs at a creator's or on a server comes from dependencies, not devDependencies",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"], pathNot: "^node_modules/@types/" },
    },
    {
      name: "no-circle",
      comment: "two files that need each other are one, or hide a third",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "resolvable", comment: "every import must lead somewhere", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
