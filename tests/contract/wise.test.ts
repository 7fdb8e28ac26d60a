import assert from "node:assert/strict";
import test from "node:test";
import { ProviderHttp } from "../../src/cli/payouts/http.ts";
import type { PayoutToSend } from "../../src/cli/payouts/provider.ts";
import { Wise } from "../../src/cli/payouts/wise.ts";
import { type Fault, type Iban, sha256Hex } from "../../src/kernel/index.ts";
import { PROFILE, TOKEN, WiseServer } from "../harness/wise-server.ts";

/** The adapter against a server that speaks the documented API; none of this has been tried on Wise itself. */
const payout = (number = 1, amount = "55.01", holder = "Ada Lovelace"): PayoutToSend => ({ imvu: "IMVU-001", number, id: `IMVU-001-${number}`, amount, currency: "EUR", account: { holder, kind: "person", iban: "DE89370400440532013000" as Iban }, commitment: sha256Hex(`entry ${number}`) });
function wiseAt(server: WiseServer, token = TOKEN, answerTimeout_ms = 2_000): Wise {
  const http = ProviderHttp.at(server.url, token, { answerTimeout_ms, pauseFirst_ms: 1 });
  assert.ok(http.ok);
  return new Wise(http.value, PROFILE);
}
const only = (server: WiseServer) => {
  assert.equal(server.transfers.size, 1, JSON.stringify([...server.transfers.values()]));
  return [...server.transfers.values()][0] as NonNullable<ReturnType<typeof server.transfers.get>>;
};

test("a payout is a recipient, a quote, a transfer and its funding: the amount exact, the reference its id", async () => {
  await using server = await WiseServer.start();
  // 1234567.89 × 10^9 and more is where a float begins to lie.
  for (const [at, amount] of ["55.01", "0.01", "90071992547409.93", "1000"].entries()) {
    const sent = await wiseAt(server).send(payout(at + 1, amount));
    assert.ok(sent.ok, sent.ok ? "" : sent.message);
    const transfer = server.transfers.get(Number(sent.value.slice(5)));
    assert.deepEqual([transfer?.targetValue, transfer?.targetCurrency, transfer?.reference, transfer?.funded], [amount, "EUR", `IMVU-001-${at + 1}`, 1]);
    const recipient = server.recipients.get(transfer?.targetAccount ?? 0);
    assert.deepEqual(recipient, { accountHolderName: "Ada Lovelace", iban: "DE89370400440532013000", legalType: "PRIVATE", currency: "EUR" });
  }
  assert.deepEqual(server.wrong, []);
});

test("the same payout sent again, by another process, is the same transfer, paid once", async () => {
  await using server = await WiseServer.start();
  const [first, again] = [await wiseAt(server).send(payout()), await wiseAt(server).send(payout())];
  assert.ok(first.ok && again.ok);
  assert.equal(again.value, first.value);
  assert.equal(only(server).funded, 1);
  const [a, b] = await Promise.all([wiseAt(server).send(payout(2)), wiseAt(server).send(payout(3))]);
  assert.ok(a.ok && b.ok && a.value !== b.value);
});

for (const [what, path] of [["a recipient", /POST \/v1\/accounts/], ["a quote", /quotes/], ["a transfer", /POST \/v1\/transfers$/], ["a transfer's state", /GET \/v1\/transfers/], ["funding", /payments/]] as const) {
  test(`${what}: 429 and 500 are asked again, later, and it is paid once`, async () => {
    await using server = await WiseServer.start();
    server.fail(path, { status: 429, headers: { "retry-after": "0" }, body: { errors: [{ code: "TOO_MANY_REQUESTS", message: "slow down" }] } });
    server.fail(path, { status: 500, body: "<html>" });
    server.fail(path, { status: 503 });
    const sent = await wiseAt(server).send(payout());
    assert.ok(sent.ok, sent.ok ? "" : sent.message);
    assert.equal(only(server).funded, 1);
  });

  test(`${what}: an answer that is lost after it was done leaves no second payment`, async () => {
    await using server = await WiseServer.start();
    server.fail(path, "done, unanswered");
    const sent = await wiseAt(server, TOKEN, 150).send(payout());
    assert.ok(sent.ok, sent.ok ? "" : sent.message);
    assert.equal(only(server).funded, 1);
  });

  test(`${what}: a provider that stays away is a fault, and the payout can be sent again when it is back`, async () => {
    await using server = await WiseServer.start();
    for (let times = 0; times < 5; times += 1) server.fail(path, { status: 502 });
    await assert.rejects(wiseAt(server).send(payout()), (error: Fault) => error.code === "PROVIDER_UNREACHABLE" && !error.message.includes(TOKEN));
    const asked = server.asked.length;
    const sent = await wiseAt(server).send(payout());
    assert.ok(sent.ok && server.asked.length > asked);
    assert.equal(only(server).funded, 1);
  });
}

test("a wrong token, a refused name, an empty balance, strong authentication: each is said, and nothing is paid", async () => {
  await using server = await WiseServer.start();
  const refused = async (wise: Wise, code: string, said: RegExp, one = payout()) => {
    const sent = await wise.send(one);
    assert.ok(!sent.ok && sent.code === code, JSON.stringify(sent));
    assert.match(sent.message, said);
    assert.ok([...server.transfers.values()].every(({ funded }) => funded === 0));
  };
  await refused(wiseAt(server, "another-token-of-somebody"), "PROVIDER_TOKEN", /invalid_token/);
  await refused(wiseAt(server), "PROVIDER_REFUSED", /accountHolderName NOT_VALID/, payout(1, "1.00", "Ada"));
  server.rich = false;
  await refused(wiseAt(server), "PAYMENT_REJECTED", /transfer\.insufficient_funds/);
  server.fail(/payments/, { status: 403, headers: { "x-2fa-approval": "one-time-token", "x-2fa-approval-result": "REJECTED" } });
  await refused(wiseAt(server), "PROVIDER_SCA", /strong customer authentication/);
  server.rich = true;
  const sent = await wiseAt(server).send(payout());
  assert.ok(sent.ok);
  assert.equal(only(server).funded, 1);
});

test("a transfer under the payout's name that pays another amount is never funded", async () => {
  await using server = await WiseServer.start();
  server.rich = false;
  await wiseAt(server).send(payout(1, "55.01"));
  server.rich = true;
  await assert.rejects(wiseAt(server).send({ ...payout(1, "55.02") }), /pays EUR 55\.01, not EUR 55\.02/);
  assert.equal(only(server).funded, 0);
});

test("what became of a payment: under way, sent, back; bounced is not back before the money is", async () => {
  await using server = await WiseServer.start();
  const wise = wiseAt(server);
  const sent = await wise.send(payout());
  assert.ok(sent.ok);
  for (const [status, state] of [["processing", "underway"], ["funds_converted", "underway"], ["outgoing_payment_sent", "sent"], ["bounced_back", "underway"], ["a_new_one", "underway"], ["funds_refunded", "back"], ["cancelled", "back"]] as const) {
    only(server).status = status;
    const checked = await wise.check(sent.value);
    assert.ok(checked.ok);
    assert.equal(checked.value.state, state, status);
  }
  // It will not be paid any more, and is not paid again under this name.
  const again = await wise.send(payout());
  assert.ok(!again.ok && again.code === "PAYMENT_ENDED");
  assert.equal(only(server).funded, 1);
  const other = await wise.check("bank-17");
  assert.ok(!other.ok && other.code === "NOT_OF_PROVIDER");
});

test("only https, or this machine: a token is sent nowhere else, and to no redirection", async () => {
  for (const url of ["http://api.wise.com", "http://127.0.0.1.evil.example", "ftp://api.wise.com", "https://user:pass@api.wise.com", "wise", "https://api.wise.com/?x=1", "http://[::2]/"]) assert.equal(ProviderHttp.at(url, TOKEN).ok, false, url);
  for (const url of ["https://api.wise.com", "https://api.wise-sandbox.com/", "http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"]) assert.equal(ProviderHttp.at(url, TOKEN).ok, true, url);
  for (const token of ["", "short", "with space in it", "line\nbreak-in-it"]) assert.equal(ProviderHttp.at("https://api.wise.com", token).ok, false, JSON.stringify(token));
  await using server = await WiseServer.start();
  await using elsewhere = await WiseServer.start();
  for (let times = 0; times < 5; times += 1) server.fail(/accounts/, { status: 307, headers: { location: `${elsewhere.url}/v1/accounts` } });
  await assert.rejects(wiseAt(server).send(payout()), (error: Fault) => error.code === "PROVIDER_UNREACHABLE");
  assert.deepEqual(elsewhere.asked, []);
});
