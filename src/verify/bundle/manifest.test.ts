import assert from "node:assert/strict";
import { test } from "node:test";
import { type ImvuId, sha256Hex } from "../../kernel/index.ts";
import { type Manifest, manifestNoteText, manifestText, parseManifest, sectionsOf } from "./manifest.ts";
import type { BundlePath } from "./path.ts";

const files = [
  { path: "REPORT.md" as BundlePath, bytes: 3, sha256: sha256Hex("a"), section: "bundle" },
  { path: "mail/a.mbox" as BundlePath, bytes: 4, sha256: sha256Hex("b"), section: "mail" },
];
const manifest: Manifest = {
  format: "nexus-bundle/v1", imvu: "IMVU-042" as ImvuId, createdAt: "2026-12-01T00:00:00.000Z", toolVersion: "0.1.0", ledger: { index: 7, checkpoint: "x\n" }, exit: null,
  sections: sectionsOf(files), files, notIncluded: [{ what: "compute/vms", why: "there are none" }],
};
const parse = (value: unknown) => parseManifest(Buffer.from(typeof value === "string" ? value : manifestText(value as Manifest)));

test("what is written is read", () => {
  const parsed = parse(manifestText(manifest));
  assert.deepEqual(parsed, { ok: true, value: manifest });
});

test("a manifest that is none, or contradicts itself, is refused by field", () => {
  const [first] = files;
  const wrong: [unknown, RegExp][] = [
    ["", /JSON/], ["[]\n", /MANIFEST/], [JSON.stringify(manifest), /one form/], [manifestText(manifest).replace('"imvu"', '"imvu": "IMVU-043",\n  "imvu"'), /one form/], [`\ufeff${manifestText(manifest)}`, /JSON/],
    [{ ...manifest, format: "nexus-bundle/v2" }, /format/],
    [{ ...manifest, more: 1 }, /more/],
    [{ ...manifest, imvu: "IMVU-0" }, /imvu/],
    [{ ...manifest, createdAt: "yesterday" }, /createdAt/],
    [{ ...manifest, ledger: { index: -1, checkpoint: "" } }, /ledger\.index/],
    [{ ...manifest, files: [...files, { ...first, path: "../x" }] }, /files\.2\.path/],
    [{ ...manifest, files: [...files, first] }, /twice/],
    [{ ...manifest, files: [{ ...first, section: "mail" }] }, /section/],
    [{ ...manifest, files: [{ ...first, bytes: 1.5 }] }, /bytes/],
    [{ ...manifest, files: [{ ...first, sha256: "A".repeat(64) }] }, /sha256/],
    [{ ...manifest, sections: {} }, /section/],
    [{ ...manifest, sections: { ...manifest.sections, compute: { files: 0, bytes: 0 } } }, /section compute/],
    [{ ...manifest, sections: { ...manifest.sections, mail: { files: 1, bytes: 5 } } }, /section mail/],
    [{ ...manifest, sections: JSON.parse('{"__proto__":{"files":1,"bytes":1}}') }, /section/],
  ];
  for (const [value, field] of wrong) {
    const parsed = parse(value);
    assert.ok(!parsed.ok, JSON.stringify(value).slice(0, 200));
    assert.match(parsed.message, field);
  }
});

test("the signed text pins imvu, length and digest, and cannot be taken for a checkpoint", () => {
  const text = manifestNoteText("IMVU-042", Buffer.from("abc"));
  assert.equal(text, "nexus-bundle/v1\nIMVU-042\n3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
});
