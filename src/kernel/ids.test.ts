import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  FQDN_CHARS_MAX,
  IMVU_NUMBER_MAX,
  type ImvuId,
  imvuIdOf,
  imvuNumberOf,
  isWithinZone,
  parseDisplayName,
  parseFqdn,
  parseIdentityName,
  parseImvuId,
  parseJurisdiction,
  parseKeyId,
  parseMailAddress,
  parseServiceName,
  quoteForPeople,
  RESERVED_LABELS,
  slugOf,
} from "./ids.ts";

const label63 = "a".repeat(63);
const longest = `${label63}.${label63}.${label63}.${"a".repeat(61)}`;

const PARSERS = [
  {
    parse: parseImvuId,
    field: "imvu",
    good: ["IMVU-001", "IMVU-999", "IMVU-1000", `IMVU-${IMVU_NUMBER_MAX}`],
    bad: ["IMVU-000", "IMVU-1", "IMVU-0001", "IMVU-01000", `IMVU-${IMVU_NUMBER_MAX + 1}`, "imvu-001", "IMVU-001 ", "IMVU-٠٠١", "IMVU--01", "IMVU-1e3"],
  },
  {
    parse: parseIdentityName,
    field: "identity name",
    good: ["creator-8891", "abc", "a".repeat(40)],
    bad: ["ab", "a".repeat(41), "8891", "-abc", "abc-", "a--b", "Creator", "root", "platform", "operator", "all", "creator_1"],
  },
  { parse: parseKeyId, field: "key id", good: ["A".repeat(43), `${"-_9z".repeat(10)}abc`], bad: ["A".repeat(42), "A".repeat(44), `${"A".repeat(42)}=`, `${"A".repeat(42)}+`] },
  { parse: parseServiceName, field: "service", good: ["web", "a", "0", "a".repeat(30)], bad: ["a".repeat(31), "-a", "a-", "a.b", "_a", "*", "xn--e1afmkfd", "Web"] },
  { parse: parseJurisdiction, field: "jurisdiction", good: ["EU-GDPR", "US-CCPA", "CH-2A"], bad: ["EU", "EU-", "EU-G", "eu-gdpr", "EUR-GDPR", `EU-${"A".repeat(13)}`, "EU-GDPR-X"] },
  {
    parse: parseFqdn,
    field: "domain name",
    good: ["world", "www.imvu001.world", "_dmarc.imvu001.world", "*.imvu001.world", "xn--e1afmkfd.world", longest],
    bad: [`${longest}a`, `${"a".repeat(64)}.world`, "www.imvu001.world.", ".world", "a..world", "-a.world", "a-.world", "a*.world", "**.world", "WWW.world", "__a.world", "_.world", "a b.world"],
  },
  {
    parse: parseMailAddress,
    field: "mail address",
    good: ["hello@imvu001.world", "a.b+c_d-e@imvu001.world", `${"a".repeat(64)}@imvu001.world`],
    bad: ["hello", "@imvu001.world", "hello@", "hello@world", "a@b@imvu001.world", "Hello@imvu001.world", ".a@imvu001.world", "a.@imvu001.world", "a..b@imvu001.world", `${"a".repeat(65)}@imvu001.world`, "a%b@imvu001.world", '"a b"@imvu001.world', "a@[127.0.0.1]"],
  },
  {
    parse: parseDisplayName,
    field: "name",
    good: ["ArtGallery", "A1", "Art Gallery 2-B", "a".repeat(40)],
    bad: ["A", "a".repeat(41), "1Art", "Art  Gallery", "Art--Gallery", "Art-", " Art", "Art_Gallery", "Galerie für alle", "Postmaster", "NS1", "WPAD"],
  },
] as const;

/** What no name may hold: shells, paths, terminals, zone files, mail headers and eyes are all deceived by one of these. */
const HOSTILE = ["", " ", "'", '"', "`", "$(id)", "$\u007bx}", ";reboot", "|", "&", "\n", "\r\n", "\t", "\0", "../", "/", "\\", "%2e", "<b>", "\u202e", "\u200f", "\u200b", "\ufeff", "а", "é", "İ", "💥", "＠", "。"];

describe("names", () => {
  for (const { parse, field, good, bad } of PARSERS) {
    test(`${field}: what the rule allows is taken as it is, at its bounds too`, () => {
      for (const text of good) assert.deepEqual(parse(text), { ok: true, value: text });
    });

    test(`${field}: what the rule forbids is refused, and the refusal names the field and a next step`, () => {
      for (const text of bad) {
        const refused = parse(text);
        assert.ok(!refused.ok, `${field} took ${JSON.stringify(text)}`);
        assert.equal(refused.kind, "usage");
        assert.ok(refused.message.startsWith(`${field} `), refused.message);
        assert.match(refused.hint, /\S/);
      }
    });

    test(`${field}: a good name with something hostile before, inside or after it is refused`, () => {
      const name = good[0];
      const middle = Math.floor(name.length / 2);
      for (const poison of HOSTILE.slice(1))
        for (const text of [poison + name, name + poison, name.slice(0, middle) + poison + name.slice(middle)]) {
          // A space between words is what a display name may have.
          if (field === "name" && text === `${name.slice(0, middle)} ${name.slice(middle)}`) continue;
          assert.ok(!parse(text).ok, `${field} took ${JSON.stringify(text)}`);
        }
      assert.ok(!parse("").ok);
      assert.ok(!parse("a".repeat(10_240)).ok);
      assert.ok(!parse(`${"a.".repeat(5_120)}a`).ok);
    });

    test(`${field}: what is no text at all is refused and not turned into text`, () => {
      for (const value of [undefined, null, 7, true, {}, [good[0]], { toString: () => good[0] }]) assert.ok(!parse(value).ok, typeof value);
    });
  }

  test("a refusal shows hostile text escaped, on one line and cut short, whatever it holds", () => {
    fc.assert(
      fc.property(fc.uint16Array({ maxLength: 200 }), (units) => {
        const text = String.fromCharCode(...units);
        const shown = quoteForPeople(text);
        assert.match(shown, /^"[\x20-\x7e]*"$/);
        assert.ok(shown.length <= 2 + 60 * 6);
      }),
    );
    assert.equal(quoteForPeople("a\u202eb\u001b[2J"), '"a\\u202eb\\u001b[2J"');
    const refused = parseFqdn(`\u001b]0;owned\u0007${"x".repeat(10_000)}`);
    assert.ok(!refused.ok && refused.message.length < 300 && /^[\x20-\x7e]*$/.test(refused.message.replace(/[–]/g, "")), JSON.stringify(refused));
  });

  test("no display name takes a label that a zone uses itself, in any spelling", () => {
    for (const label of RESERVED_LABELS)
      for (const text of [label, label.toUpperCase(), label[0]?.toUpperCase() + label.slice(1)]) assert.ok(!parseDisplayName(text).ok, text);
  });

  test("whatever display name is taken, its slug is one label of a domain name", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), fc.constantFrom(" ", "-"), (words, joint) => {
        const name = words.join(joint);
        if (!parseDisplayName(name).ok) return;
        assert.ok(!slugOf(name).includes("."));
        assert.ok(parseFqdn(`${slugOf(name)}.imvu001.world`).ok, name);
      }),
    );
  });

  test("an id and its number are two forms of one thing, for every number there is", () => {
    for (let number = 1; number <= IMVU_NUMBER_MAX; number += 1) {
      const id = imvuIdOf(number);
      assert.ok(parseImvuId(id).ok, id);
      assert.equal(imvuNumberOf(id), number);
    }
    assert.equal(imvuNumberOf("IMVU-042" as ImvuId), 42);
  });

  test("a name that merely ends like the zone does not lie within it", () => {
    assert.ok(isWithinZone("imvu001.world", "imvu001.world"));
    assert.ok(isWithinZone("a.b.imvu001.world", "imvu001.world"));
    for (const name of ["ximvu001.world", "imvu001.world.evil", "world", "imvu0011.world", ""]) assert.ok(!isWithinZone(name, "imvu001.world"), name);
  });

  test("the longest name is really as long as the standard allows", () => assert.equal(longest.length, FQDN_CHARS_MAX));
});
