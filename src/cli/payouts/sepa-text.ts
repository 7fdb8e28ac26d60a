/** What every bank of the SEPA takes in a name or a text: EPC217-08, the basic Latin set of section 1. */
const SEPA = /^[A-Za-z0-9/?:().,'+ -]$/;

/** Letters that are no letter with a mark on it; the transliterations of EPC217-08 for the scripts of the Union. */
const SPELLED: Readonly<Record<string, string>> = {
  ß: "ss", ẞ: "SS", æ: "ae", Æ: "AE", œ: "oe", Œ: "OE", ø: "o", Ø: "O", đ: "d", Đ: "D", ð: "d", Ð: "D", þ: "th", Þ: "Th", ł: "l", Ł: "L", ħ: "h", Ħ: "H", ŧ: "t", Ŧ: "T", ı: "i", ŋ: "n", Ŋ: "N", "&": "+", "’": "'", "‘": "'", "`": "'", "–": "-", "—": "-", "„": "'", "“": "'", "”": "'", '"': "'", _: "-",
  ...pairs("αβγδεζηικλμνξοπρσςτυφω", "a v g d e z i i k l m n x o p r s s t y f o"), θ: "th", χ: "ch", ψ: "ps", Θ: "Th", Χ: "Ch", Ψ: "Ps",
  ...pairs("ΑΒΓΔΕΖΗΙΚΛΜΝΞΟΠΡΣΤΥΦΩ", "A V G D E Z I I K L M N X O P R S T Y F O"),
  ...pairs("абвгдезийклмнопрстуфхъьыэ", "a b v g d e z i y k l m n o p r s t u f h a y y e"), ж: "zh", ц: "ts", ч: "ch", ш: "sh", щ: "sht", ю: "yu", я: "ya",
  ...pairs("АБВГДЕЗИЙКЛМНОПРСТУФХЪЬЫЭ", "A B V G D E Z I Y K L M N O P R S T U F H A Y Y E"), Ж: "Zh", Ц: "Ts", Ч: "Ch", Ш: "Sh", Щ: "Sht", Ю: "Yu", Я: "Ya",
};

function pairs(letters: string, latin: string): Record<string, string> {
  const spelled = latin.split(" ");
  return Object.fromEntries([...letters].map((letter, at) => [letter, spelled[at] ?? ""]));
}

/** The text in that set: marks are taken off letters, other scripts are spelled, and what cannot be is a full stop. It holds nothing that XML would have to escape. */
export function sepaText(text: string, chars_max: number): string {
  const spelled = [...text.normalize("NFC")].map((character) => SPELLED[character] ?? [...character.normalize("NFKD").replace(/\p{M}/gu, "")].map((c) => SPELLED[c] ?? c).join(""));
  const written = [...spelled.join("")].map((c) => (SEPA.test(c) ? c : /\s/.test(c) ? " " : ".")).join("");
  return written.replace(/ +/g, " ").trim().slice(0, chars_max).trim();
}
