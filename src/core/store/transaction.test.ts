import assert from "node:assert/strict";
import test from "node:test";
import type { ClientBase } from "pg";
import { inTransaction, STORE_LOST } from "./transaction.ts";

test("a broken pipe is a lost connection and no SQLSTATE, though it has five capital letters; a refused statement is none", async () => {
  const failing = (code: string) => ({ query: () => Promise.reject(Object.assign(new Error("no"), { code })) }) as unknown as ClientBase;
  const codeOf = (code: string) => inTransaction(failing(code), "BEGIN", async () => {}).then(() => undefined, (error: { code?: string }) => error.code);
  for (const code of ["EPIPE", "ECONNRESET", "57P01", "08006"]) assert.equal(await codeOf(code), STORE_LOST, code);
  for (const code of ["23505", "P0001", "XX000"]) assert.equal(await codeOf(code), code);
});
