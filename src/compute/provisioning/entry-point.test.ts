import assert from "node:assert/strict";
import { test } from "node:test";
import { commandFor } from "./entry-point.ts";
import type { Runtime } from "./recipe.ts";

function ask(runtime: Runtime, files: readonly string[], packageJson?: unknown) {
  const outcome = commandFor(runtime, (path) => files.includes(path), packageJson === undefined ? undefined : typeof packageJson === "string" ? packageJson : JSON.stringify(packageJson));
  return outcome.ok ? outcome.value.join(" ") : `${outcome.code}: ${outcome.message}`;
}

test("static serves what is there, whatever it is", () => {
  assert.equal(ask("static", []), 'sh -c exec busybox httpd -f -p "$PORT" -h /srv -c /etc/httpd.conf'.replace(/^sh/, "/bin/sh"));
});

test("node: start, then main, then the usual names", () => {
  const all = ["server.js", "server.mjs", "index.js", "index.mjs", "app/go.js"];
  assert.equal(ask("node", all, { scripts: { start: "node ./app/go.js" }, main: "index.js" }), "/usr/local/bin/node /srv/app/go.js");
  assert.equal(ask("node", all, { main: "index.js" }), "/usr/local/bin/node /srv/index.js");
  assert.equal(ask("node", all, {}), "/usr/local/bin/node /srv/server.js");
  assert.equal(ask("node", ["index.mjs"]), "/usr/local/bin/node /srv/index.mjs");
  assert.equal(ask("node", all, { main: "" }), "/usr/local/bin/node /srv/server.js");
  assert.match(ask("node", ["readme"]), /^NO_ENTRY_POINT.*server\.js/);
  assert.match(ask("node", all, { main: "gone.js" }), /^NO_ENTRY_POINT.*gone\.js/);
});

test("node: any other command than 'node FILE', and any file outside, is refused", () => {
  for (const start of ["npm run x", "node", "node -e 1", "node --inspect server.js", "node server.js; id", "node a b", "next start", "sh -c id"]) assert.match(ask("node", ["server.js"], { scripts: { start } }), /^BAD_PACKAGE_JSON/, start);
  for (const main of ["../x.js", "/etc/passwd", "a/../../b.js", "x\0.js", "a".repeat(300)]) assert.match(ask("node", ["server.js"], { main }), /^BAD_PACKAGE_JSON.*not a file inside/, main);
  for (const text of ["", "{", "// no"]) assert.match(ask("node", ["server.js"], text), /^BAD_PACKAGE_JSON.*not JSON/);
  for (const odd of ["null", "7", "[]", '{"scripts":null}', '{"main":7}', '{"scripts":{"start":7}}']) assert.equal(ask("node", ["server.js"], odd), "/usr/local/bin/node /srv/server.js", odd);
});

test("python: server.py, app.py, main.py", () => {
  assert.equal(ask("python", ["main.py", "app.py"]), "/usr/bin/python3 /srv/app.py");
  assert.match(ask("python", ["server.js"]), /^NO_ENTRY_POINT.*main\.py/);
});
