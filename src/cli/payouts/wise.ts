import { accept, Fault, type Outcome, parseDecimal, quoteForPeople, refuse, type Refusal, sha256Hex } from "../../kernel/index.ts";
import type { Answered, ProviderHttp } from "./http.ts";
import { digitsOf } from "./made.ts";
import type { PaymentState, PayoutProvider, PayoutToSend } from "./provider.ts";

export const WISE_URL = "https://api.wise.com";

/** Not funded yet; in every other state the money was taken, or the transfer is over. */
const UNFUNDED = "incoming_payment_waiting";
/** docs.wise.com, "Tracking transfers": the money is with us again, or never left. `bounced_back` is neither yet: it is processed again or refunded. */
const BACK: ReadonlySet<string> = new Set(["funds_refunded", "cancelled"]);
const SENT = "outgoing_payment_sent";
const ERRORS_SHOWN_MAX = 3;

interface Transfer {
  readonly id: string;
  readonly status: string;
  readonly targetValue: string;
  readonly targetCurrency: string;
  readonly customerTransactionId: string;
}

/**
 * Wise Platform API (docs.wise.com, "Send money"): recipient, quote, transfer, funding from the profile's balance. What makes it one payment however often it is
 * asked for is the transfer's `customerTransactionId`, made of the payout's entry: Wise answers the transfer that stands under it, and it is funded only
 * while it waits for money.
 */
export class Wise implements PayoutProvider {
  readonly name = "wise";
  private readonly http: Pick<ProviderHttp, "ask">;
  private readonly profile: number;

  /** @param profile id of the personal or business profile whose balance pays */
  constructor(http: Pick<ProviderHttp, "ask">, profile: number) {
    this.http = http;
    this.profile = profile;
  }

  async send(payout: PayoutToSend): Promise<Outcome<string>> {
    const recipient = await this.created(payout, "/v1/accounts", {
      currency: payout.currency,
      type: "iban",
      profile: this.profile,
      accountHolderName: payout.account.holder,
      ownedByCustomer: false,
      details: { legalType: payout.account.kind === "company" ? "BUSINESS" : "PRIVATE", iban: payout.account.iban },
    });
    if (!recipient.ok) return recipient;
    const quote = await this.created(payout, `/v3/profiles/${this.profile}/quotes`, {
      sourceCurrency: payout.currency,
      targetCurrency: payout.currency,
      // As it is written: a JSON number that no float ever was.
      targetAmount: rawNumber(payout.amount),
      targetAccount: rawNumber(recipient.value),
      payOut: "BANK_TRANSFER",
      preferredPayIn: "BALANCE",
    });
    if (!quote.ok) return quote;
    const customerTransactionId = transactionId(payout);
    const transfer = await this.created(payout, "/v1/transfers", { targetAccount: rawNumber(recipient.value), quoteUuid: quote.value, customerTransactionId, details: { reference: payout.id } });
    if (!transfer.ok) return transfer;
    // Its answer may be the one of the first time: what it is now is asked.
    const now = await this.transfer(transfer.value);
    if (!now.ok) return now;
    if (now.value.customerTransactionId !== customerTransactionId || now.value.targetCurrency !== payout.currency || !sameAmount(now.value.targetValue, payout.amount))
      throw new Fault("PROVIDER_DIFFERS", `payout ${payout.id}: Wise's transfer ${now.value.id} pays ${now.value.targetCurrency} ${now.value.targetValue}, not ${payout.currency} ${payout.amount}`, { hint: "look at it in Wise before anything is paid" });
    if (BACK.has(now.value.status)) return refuse("engine", "PAYMENT_ENDED", `payout ${payout.id}: Wise's transfer ${now.value.id} is ${now.value.status}, and will not be paid`, `nexus payout returned ${payout.id} --reason ${now.value.status}`);
    if (now.value.status === UNFUNDED) {
      const funded = await this.fund(payout, now.value.id);
      if (!funded.ok) return funded;
    }
    return accept(`${this.name}:${now.value.id}`);
  }

  async check(reference: string): Promise<Outcome<PaymentState>> {
    const [, id] = /^wise:(\d{1,18})$/.exec(reference) ?? [];
    if (id === undefined) return refuse("usage", "NOT_OF_PROVIDER", `${quoteForPeople(reference)} is no payment of Wise`, "nexus payout list --state executed");
    const now = await this.transfer(id);
    if (!now.ok) return now;
    const { status } = now.value;
    return accept(BACK.has(status) ? { state: "back", reason: `wise ${status.replaceAll("_", " ")}` } : { state: status === SENT ? "sent" : "underway" });
  }

  private async transfer(id: string): Promise<Outcome<Transfer>> {
    const answered = await this.http.ask("GET", `/v1/transfers/${id}`);
    if (answered.status !== 200) return refusalOf(`transfer ${id}`, answered);
    const { id: said, status, targetValue, targetCurrency, customerTransactionId } = (answered.body ?? {}) as Record<string, unknown>;
    if (said !== id || typeof status !== "string" || typeof targetValue !== "string" || typeof targetCurrency !== "string") throw malformed("GET /v1/transfers");
    return accept({ id, status, targetValue, targetCurrency, customerTransactionId: String(customerTransactionId) });
  }

  /** Answered 200 also where it was rejected: the status says which. */
  private async fund({ id }: PayoutToSend, transfer: string): Promise<Outcome<true>> {
    const answered = await this.http.ask("POST", `/v3/profiles/${this.profile}/transfers/${transfer}/payments`, { type: "BALANCE" });
    const { status, errorCode } = (answered.body ?? {}) as { status?: unknown; errorCode?: unknown };
    if (answered.status === 200 || answered.status === 201) {
      if (status === "COMPLETED") return accept(true);
      return refuse("engine", "PAYMENT_REJECTED", `payout ${id}: Wise did not take the money for transfer ${transfer}: ${quoteForPeople(String(errorCode ?? status))}`, "put enough money into the profile's balance, then run the same command again");
    }
    // Where an answer was lost it may have been funded all the same.
    const now = await this.transfer(transfer);
    if (now.ok && now.value.status !== UNFUNDED && !BACK.has(now.value.status)) return accept(true);
    return refusalOf(`payout ${id}`, answered);
  }

  private async created({ id }: PayoutToSend, path: string, body: unknown): Promise<Outcome<string>> {
    const answered = await this.http.ask("POST", path, body);
    if (answered.status !== 200 && answered.status !== 201) return refusalOf(`payout ${id}`, answered);
    const { id: made } = (answered.body ?? {}) as { id?: unknown };
    if (typeof made !== "string" || !/^[0-9A-Za-z-]{1,64}$/.test(made)) throw malformed(`POST ${path}`);
    return accept(made);
  }
}

/** A UUID (RFC 9562, version 8) of the entry that created the payout: the same in every try, and no other payout's. */
function transactionId({ id, commitment }: PayoutToSend): string {
  const hex = sha256Hex(`nexus-payout/v1\n${id}\n${commitment}\n`);
  const variant = ((Number.parseInt(hex[16] as string, 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function rawNumber(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

function sameAmount(a: string, b: string): boolean {
  const digits = Math.max(digitsOf(a), digitsOf(b));
  const [x, y] = [parseDecimal(a, digits), parseDecimal(b, digits)];
  return x !== undefined && x === y;
}

function malformed(what: string): Fault {
  return new Fault("PROVIDER_MALFORMED", `Wise answered ${what} in a form that its documentation does not have`, { hint: "look at the transfer in Wise before anything is paid again" });
}

/** Both forms of docs.wise.com, "Error handling": {error, error_description}, and {errors: [{code, message, path}]}. */
function refusalOf(what: string, { status, headers, body }: Answered): Refusal {
  const { error, errors } = (body ?? {}) as { error?: unknown; errors?: unknown };
  const listed = Array.isArray(errors) ? (errors as { code?: unknown; message?: unknown; path?: unknown }[]).slice(0, ERRORS_SHOWN_MAX).map((one) => [one.path, one.code, one.message].filter((part) => typeof part === "string" && part !== "").join(" ")) : [];
  const said = quoteForPeople(listed.length > 0 ? listed.join("; ") : typeof error === "string" ? error : `status ${status}`);
  if (status === 401) return refuse("unauthenticated", "PROVIDER_TOKEN", `${what}: Wise does not take the token: ${said}`, "make a new token in Wise, and put it into the file that --token-file names");
  if (status === 403 && headers.get("x-2fa-approval-result") === "REJECTED")
    return refuse("unauthenticated", "PROVIDER_SCA", `${what}: Wise wants strong customer authentication for this profile, which this command cannot give`, "fund the transfer in Wise's own pages, then run the same command again");
  return refuse("engine", "PROVIDER_REFUSED", `${what}: Wise refused it (${status}): ${said}`, "nothing was paid by this; correct what it names, then run the same command again");
}
