import assert from "node:assert/strict";
import { test } from "node:test";
import { parseListeners } from "./listening.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const line = (local: string, state: string, inode: string) => `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`;

test("a listener on every address is one; one on loopback is called so; others' ports and states are not", () => {
  const table = [HEAD, line("00000000:1F90", "0A", "11"), line("0100007F:1F90", "0A", "12"), line("00000000:1F91", "0A", "13"), line("00000000:1F90", "01", "14"), line("06004040:1F90", "0A", "15"), ""].join("\n");
  assert.deepEqual(parseListeners(table, 8080), [{ loopbackOnly: false, inode: "11" }, { loopbackOnly: true, inode: "12" }, { loopbackOnly: false, inode: "15" }]);
});

test("IPv6: any, ::1, and IPv4's loopback in its mapped form", () => {
  const table = [HEAD, line(`${"0".repeat(32)}:1F90`, "0A", "1"), line("00000000000000000000000001000000:1F90", "0A", "2"), line("0000000000000000FFFF00000100007F:1F90", "0A", "3")].join("\n");
  assert.deepEqual(parseListeners(table, 8080).map((one) => one.loopbackOnly), [false, true, true]);
});

test("what is no table has no listeners", () => {
  for (const text of ["", HEAD, "x y z", "::::"]) assert.deepEqual(parseListeners(text, 8080), []);
});
