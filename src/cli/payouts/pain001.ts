import { type Bic, decimalText, type Iban, type Outcome, accept, refuse, sha256Hex } from "../../kernel/index.ts";
import { digitsOf, type Payout, unitsOf } from "./made.ts";
import { sepaText } from "./sepa-text.ts";

/** Whose account is debited, and when. */
export interface Debtor {
  readonly name: string;
  readonly iban: Iban;
  readonly bic?: Bic;
}

export interface PaymentFile {
  readonly from: Debtor;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  /** YYYY-MM-DD, in the bank's zone. */
  readonly executionDate: string;
  readonly payouts: readonly Payout[];
}

const NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/** EPC132-08: a name has 70 characters, an amount in euro at most nine digits before the point. */
const NAME_CHARS_MAX = 70;
const REMITTANCE_CHARS_MAX = 140;
const SEPA_AMOUNT_MAX = 99_999_999_999n;
/** Of an amount and of a control sum, zeros at the end of the fraction not counted: totalDigits of the message's schema. */
const DIGITS_MAX = 18;

/**
 * ISO 20022 pain.001.001.09, CustomerCreditTransferInitiationV09: one payment instruction for each currency, in euro a SEPA credit transfer by the
 * customer-to-bank implementation guidelines of the EPC (EPC132-08). Sums are exact, and every text is in the characters that each bank takes.
 */
export function pain001({ from, createdAt, executionDate, payouts }: PaymentFile): Outcome<string> {
  const flaw = payouts.map(flawOf).find((one) => one !== undefined);
  if (flaw) return refuse("usage", flaw.code, flaw.message, flaw.hint);
  if (!hasWords(sepaText(from.name, NAME_CHARS_MAX))) return refuse("usage", "NAME_UNWRITABLE", "--from-name: has no letter or digit that a SEPA payment could carry", "write the account's name in Latin letters");
  const currencies = [...new Set(payouts.map(({ currency }) => currency))].sort();
  if (!fits(sumOf(payouts))) return refuse("usage", "AMOUNT_TOO_LARGE", `what is to be paid in ${currencies.join(", ")} adds up to ${sumOf(payouts)}, more digits than one file can sum up (${DIGITS_MAX})`, "pay some of it another way and say so: 'nexus payout executed'");
  const id = `NX-${createdAt.slice(0, 19).replace(/[-:]/g, "")}-${sha256Hex(JSON.stringify([createdAt, payouts.map((one) => [one.id, one.amount])])).slice(0, 8)}`;
  const instructions = currencies.map((currency) => instruction(`${id}-${currency}`, { from, executionDate, currency, payouts: payouts.filter((one) => one.currency === currency) }));
  const group = element("GrpHdr", [text("MsgId", id), text("CreDtTm", `${createdAt.slice(0, 19)}Z`), ...sums(payouts), element("InitgPty", [text("Nm", sepaText(from.name, NAME_CHARS_MAX))])]);
  const root = indent(element("CstmrCdtTrfInitn", [group, ...instructions]));
  return accept(`<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="${NAMESPACE}">\n${root}</Document>\n`);
}

function flawOf({ id, amount, currency, account }: Payout): { readonly code: string; readonly message: string; readonly hint: string } | undefined {
  if (!hasWords(sepaText(account.holder, NAME_CHARS_MAX))) return { code: "NAME_UNWRITABLE", message: `payout ${id}: the holder's name has no letter or digit that a payment could carry`, hint: "ask the owner to name the account with the name as the bank writes it" };
  if (currency === "EUR" && unitsOf(amount, 2) > SEPA_AMOUNT_MAX) return { code: "AMOUNT_TOO_LARGE", message: `payout ${id}: EUR ${amount} is more than one SEPA payment can carry (999999999.99)`, hint: "pay it another way and say so: 'nexus payout executed'" };
  if (!fits(amount)) return { code: "AMOUNT_TOO_LARGE", message: `payout ${id}: ${currency} ${amount} has more digits than a payment can carry (${DIGITS_MAX})`, hint: "pay it another way and say so: 'nexus payout executed'" };
  return undefined;
}

function fits(amount: string): boolean {
  return amount.replace(/(\.\d*?)0*$/, "$1").replace(".", "").length <= DIGITS_MAX;
}

function hasWords(name: string): boolean {
  return /[A-Za-z0-9]/.test(name);
}

function instruction(id: string, { from, executionDate, currency, payouts }: Pick<PaymentFile, "from" | "executionDate" | "payouts"> & { readonly currency: string }): Element {
  const sepa = currency === "EUR";
  return element("PmtInf", [
    text("PmtInfId", id),
    text("PmtMtd", "TRF"),
    ...sums(payouts),
    ...(sepa ? [element("PmtTpInf", [element("SvcLvl", [text("Cd", "SEPA")])])] : []),
    element("ReqdExctnDt", [text("Dt", executionDate)]),
    element("Dbtr", [text("Nm", sepaText(from.name, NAME_CHARS_MAX))]),
    element("DbtrAcct", [account(from.iban)]),
    element("DbtrAgt", [element("FinInstnId", [from.bic === undefined ? element("Othr", [text("Id", "NOTPROVIDED")]) : text("BICFI", from.bic)])]),
    text("ChrgBr", sepa ? "SLEV" : "SHAR"),
    ...payouts.map(transfer),
  ]);
}

function transfer({ id, imvu, amount, currency, account: to }: Payout): Element {
  return element("CdtTrfTxInf", [
    element("PmtId", [text("EndToEndId", id)]),
    element("Amt", [{ name: "InstdAmt", attributes: ` Ccy="${escaped(currency)}"`, content: amount }]),
    ...(to.bic === undefined ? [] : [element("CdtrAgt", [element("FinInstnId", [text("BICFI", to.bic)])])]),
    element("Cdtr", [text("Nm", sepaText(to.holder, NAME_CHARS_MAX))]),
    element("CdtrAcct", [account(to.iban)]),
    element("RmtInf", [text("Ustrd", sepaText(`Payout ${id} of ${imvu}`, REMITTANCE_CHARS_MAX))]),
  ]);
}

function sums(payouts: readonly Payout[]): readonly Element[] {
  return [text("NbOfTxs", String(payouts.length)), text("CtrlSum", sumOf(payouts))];
}

/** ControlSum adds the amounts whatever their currencies are, as the standard says. */
function sumOf(payouts: readonly Payout[]): string {
  const digits = Math.max(0, ...payouts.map(({ amount }) => digitsOf(amount)));
  return decimalText(payouts.reduce((all, { amount }) => all + unitsOf(amount, digits), 0n), digits);
}

function account(iban: string): Element {
  return element("Id", [text("IBAN", iban)]);
}

interface Element {
  readonly name: string;
  readonly attributes?: string;
  readonly content: string | readonly Element[];
}

function element(name: string, content: readonly Element[]): Element {
  return { name, content };
}

function text(name: string, content: string): Element {
  return { name, content };
}

function indent({ name, attributes = "", content }: Element, depth = 1): string {
  const margin = "  ".repeat(depth);
  if (typeof content === "string") return `${margin}<${name}${attributes}>${escaped(content)}</${name}>\n`;
  return `${margin}<${name}${attributes}>\n${content.map((one) => indent(one, depth + 1)).join("")}${margin}</${name}>\n`;
}

/** Nothing of it is left to escape; what came here by another way is, all the same. */
function escaped(value: string): string {
  return value.replace(/[<>&"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
