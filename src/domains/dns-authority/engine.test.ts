import assert from "node:assert/strict";
import test from "node:test";
import { zonesIn } from "./engine.ts";

test("the zones of IMVUs are read from an exported configuration, and nothing else", () => {
  const exported = [
    "server:", '    rundir: "/x"', "template:", "  - id: default", "zone:",
    '  - domain: "cat.platform."', '    template: "catalog"', "  - domain: world.", "  - domain: imvu001.world.", '  - domain: "imvu1000.world."', '  - domain: "imvu2.world\\"."', "",
  ].join("\n");
  assert.deepEqual(zonesIn(exported), ["imvu001.world", "imvu1000.world"]);
  assert.deepEqual(zonesIn("server:\n"), []);
});
