import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "../../kernel/index.ts";
import { linkStaysInside, PATH_DEPTH_MAX, safePath } from "./tar-path.ts";

test("one spelling of each name", () => {
  const names: Readonly<Record<string, string>> = { "./": "", "": "", ".": "", "a": "a", "./a//b/./c/": "a/b/c", "...": "...", "..a/b..": "..a/b..", "a b/Ä $(id)": "a b/Ä $(id)", "-rf": "-rf" };
  for (const [name, path] of Object.entries(names)) assert.equal(safePath(name), path, name);
});

test("a name that leaves, hides or does not fit is refused, and the reason is one line without control characters", () => {
  const bad: Readonly<Record<string, RegExp>> = {
    "..": /upwards/, "../a": /upwards/, "a/../../b": /upwards/, "a/..": /upwards/, "./..//": /upwards/, "/": /absolute/, "/etc/passwd": /absolute/, "//a": /absolute/, "a\0b": /NUL/, "../\u001b[2J\n": /upwards/,
    [`${"a/".repeat(PATH_DEPTH_MAX)}a`]: /deeper/, ["a".repeat(256)]: /part longer/, ["a/".repeat(600)]: /longer than 1024/,
  };
  for (const [name, say] of Object.entries(bad))
    assert.throws(() => safePath(name), (error) => error instanceof Fault && error.code === "ARCHIVE_NAME" && say.test(error.message) && !/[\u0000-\u001f]/.test(error.message), JSON.stringify(name.slice(0, 40)));
});

test("a link may point anywhere inside, and nowhere else", () => {
  for (const [path, target] of [["a", "b"], ["a/b", "../c"], ["a/b/c", "../../d/../e"], ["a", "./b"], ["a/b", ".."], ["a", "."]] as const) assert.ok(linkStaysInside(path, target), `${path} → ${target}`);
  for (const [path, target] of [["a", ".."], ["a", "../b"], ["a/b", "../../c"], ["a/b", "c/../../../d"], ["a", "/etc"], ["a", ""], ["a", "b\0"], ["a", "b/".repeat(600)]] as const) assert.ok(!linkStaysInside(path, target), `${path} → ${target}`);
});

test("whatever passes stays inside, for any name", () => {
  const part = fc.constantFrom("..", ".", "", "a", "b", "...", "ä", " ");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(part, { maxLength: 12 }), (name, target) => {
      let path: string;
      try {
        path = safePath(name.join("/"));
      } catch {
        return;
      }
      assert.ok(new URL(`file:///root/${encodeURI(path)}`).pathname.startsWith("/root/"));
      if (path !== "" && linkStaysInside(path, target.join("/"))) {
        const ends = [...path.split("/").slice(0, -1), ...target].reduce<number>((depth, one) => (one === ".." ? depth - 1 : one === "" || one === "." ? depth : depth + 1), 0);
        assert.ok(ends >= 0);
      }
    }),
  );
});
