import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const TOKEN = "12345678-90ab-cdef-1234-567890abcdef";
export const PROFILE = 30_000_000;

type Answer = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };
/** What goes wrong with the next question of a path: an answer in its place, before anything is done; or none, after it was done. */
export type Fault = Answer | "done, unanswered";

export interface KnownTransfer {
  readonly id: number;
  readonly targetAccount: number;
  readonly quoteUuid: string;
  readonly customerTransactionId: string;
  readonly targetValue: string;
  readonly targetCurrency: string;
  readonly reference: string;
  status: string;
  /** How often money was taken for it. */
  funded: number;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A server that speaks what docs.wise.com documents of sending money from a balance, and takes nothing else: method, path, token, headers, members and their types. */
export class WiseServer implements AsyncDisposable {
  readonly transfers = new Map<number, KnownTransfer>();
  readonly recipients = new Map<number, { readonly accountHolderName: string; readonly iban: string; readonly legalType: string; readonly currency: string }>();
  private readonly quotes = new Map<string, { readonly targetAmount: string; readonly targetCurrency: string; used: boolean }>();
  /** `METHOD /path status`, in order. */
  readonly asked: string[] = [];
  readonly wrong: string[] = [];
  /** Whether its balance has what is asked of it. */
  rich = true;
  private readonly faults: { readonly path: RegExp; readonly fault: Fault }[] = [];
  private readonly server: Server;
  private serial = 1_000;

  private constructor() {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  static async start(): Promise<WiseServer> {
    const wise = new WiseServer();
    await new Promise<void>((resolve) => wise.server.listen(0, "127.0.0.1", resolve));
    return wise;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next question of such a path; given again, the one after it. */
  fail(path: RegExp, fault: Fault): void {
    this.faults.push({ path, fault });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const [method, path] = [request.method ?? "", request.url ?? ""];
    const at = this.faults.findIndex((one) => one.path.test(`${method} ${path}`));
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0]?.fault;
    const answer = fault !== undefined && typeof fault !== "string" ? fault : this.handle(method, path, request.headers, text);
    this.asked.push(`${method} ${path} ${fault === "done, unanswered" ? "unanswered" : answer.status}`);
    if (fault === "done, unanswered") return;
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers }).end(answer.body === undefined ? "" : typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
  }

  private handle(method: string, path: string, headers: IncomingMessage["headers"], text: string): Answer {
    if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401, body: { error: "invalid_token", error_description: "Invalid token" } };
    if (headers.accept !== "application/json") this.wrong.push(`${path}: accept ${headers.accept}`);
    if (method === "POST" && headers["content-type"] !== "application/json") return { status: 415, body: {} };
    const body = method === "POST" ? (JSON.parse(text) as Record<string, unknown>) : {};
    if (method === "POST" && path === "/v1/accounts") return this.account(body);
    if (method === "POST" && path === `/v3/profiles/${PROFILE}/quotes`) return this.quote(body, text);
    if (method === "POST" && path === "/v1/transfers") return this.create(body);
    const [, shown] = /^\/v1\/transfers\/(\d+)$/.exec(path) ?? [];
    if (method === "GET" && shown !== undefined) return this.show(Number(shown));
    const [, paid] = new RegExp(`^/v3/profiles/${PROFILE}/transfers/(\\d+)/payments$`).exec(path) ?? [];
    if (method === "POST" && paid !== undefined) return this.fund(Number(paid), body);
    this.wrong.push(`${method} ${path}`);
    return { status: 404, body: { errors: [{ code: "RESOURCE_NOT_FOUND", message: "not found" }] } };
  }

  private refuse(code: string, path: string): Answer {
    return { status: 422, body: { timestamp: "2026-12-01T10:00:00.000Z", errors: [{ code, message: `${path} is not right`, path, arguments: [path] }] } };
  }

  private account(body: Record<string, unknown>): Answer {
    const details = (body.details ?? {}) as Record<string, unknown>;
    if (!same(body, ["accountHolderName", "currency", "details", "ownedByCustomer", "profile", "type"]) || !same(details, ["iban", "legalType"])) return this.refuse("NOT_VALID", "members");
    if (body.type !== "iban" || body.profile !== PROFILE || body.ownedByCustomer !== false) return this.refuse("NOT_VALID", "type");
    if (details.legalType !== "PRIVATE" && details.legalType !== "BUSINESS") return this.refuse("NOT_VALID", "legalType");
    const name = String(body.accountHolderName);
    // Personal recipients have more than one name.
    if (details.legalType === "PRIVATE" && !/\S\S+\s+\S\S+/.test(name)) return this.refuse("NOT_VALID", "accountHolderName");
    const id = ++this.serial;
    this.recipients.set(id, { accountHolderName: name, iban: String(details.iban), legalType: details.legalType, currency: String(body.currency) });
    return { status: 200, body: { id, profile: PROFILE, accountHolderName: name, currency: body.currency, type: "iban", active: true, details } };
  }

  private quote(body: Record<string, unknown>, text: string): Answer {
    if (!same(body, ["payOut", "preferredPayIn", "sourceCurrency", "targetAccount", "targetAmount", "targetCurrency"])) return this.refuse("NOT_VALID", "members");
    // A decimal, as it was written: a float would have been another.
    const [, amount] = /"targetAmount":(\d+(?:\.\d+)?)[,}]/.exec(text) ?? [];
    if (amount === undefined || body.payOut !== "BANK_TRANSFER" || body.preferredPayIn !== "BALANCE" || !this.recipients.has(Number(body.targetAccount)) || body.sourceCurrency !== body.targetCurrency) return this.refuse("NOT_VALID", "targetAmount");
    const id = `${String(++this.serial).padStart(8, "0")}-0000-4000-8000-000000000000`;
    this.quotes.set(id, { targetAmount: amount, targetCurrency: String(body.targetCurrency), used: false });
    return { status: 200, body: { id, sourceCurrency: body.sourceCurrency, targetCurrency: body.targetCurrency, payOut: "BANK_TRANSFER", status: "PENDING", profile: PROFILE, rate: 1 } };
  }

  private create(body: Record<string, unknown>): Answer {
    const details = (body.details ?? {}) as Record<string, unknown>;
    if (!same(body, ["customerTransactionId", "details", "quoteUuid", "targetAccount"]) || !same(details, ["reference"])) return this.refuse("NOT_VALID", "members");
    if (!UUID.test(String(body.customerTransactionId)) || typeof body.targetAccount !== "number") return this.refuse("NOT_VALID", "customerTransactionId");
    const before = [...this.transfers.values()].find((one) => one.customerTransactionId === body.customerTransactionId);
    if (before) return { status: 200, body: shown(before, "incoming_payment_waiting") };
    const quote = this.quotes.get(String(body.quoteUuid));
    if (!quote || quote.used) return this.refuse("QUOTE_USED", "quoteUuid");
    quote.used = true;
    const made: KnownTransfer = {
      id: ++this.serial, targetAccount: body.targetAccount, quoteUuid: String(body.quoteUuid), customerTransactionId: String(body.customerTransactionId), targetValue: quote.targetAmount, targetCurrency: quote.targetCurrency,
      reference: String(details.reference), status: "incoming_payment_waiting", funded: 0,
    };
    this.transfers.set(made.id, made);
    return { status: 200, body: shown(made) };
  }

  private show(id: number): Answer {
    const transfer = this.transfers.get(id);
    return transfer ? { status: 200, body: shown(transfer) } : { status: 404, body: { errors: [{ code: "RESOURCE_NOT_FOUND", message: "not found" }] } };
  }

  private fund(id: number, body: Record<string, unknown>): Answer {
    const transfer = this.transfers.get(id);
    if (!transfer || !same(body, ["type"]) || body.type !== "BALANCE") return this.refuse("NOT_VALID", "type");
    if (transfer.status !== "incoming_payment_waiting") return { status: 409, body: { errors: [{ code: "payment.exists", message: "the transfer has a payment" }] } };
    if (!this.rich) return { status: 200, body: { type: "BALANCE", status: "REJECTED", errorCode: "transfer.insufficient_funds" } };
    transfer.status = "processing";
    transfer.funded += 1;
    return { status: 201, body: { type: "BALANCE", status: "COMPLETED", errorCode: null } };
  }
}

function same(body: Record<string, unknown>, members: readonly string[]): boolean {
  return JSON.stringify(Object.keys(body).sort()) === JSON.stringify(members);
}

/** Its amount as a number in its text, as it is served. */
function shown({ targetValue, funded: _, reference, ...transfer }: KnownTransfer, status = transfer.status): string {
  return JSON.stringify({ ...transfer, status, targetValue: "@", details: { reference }, rate: 1 }).replace('"@"', targetValue);
}
