import { Fault, sleep } from "../../kernel/index.ts";
import type { Session, Store } from "../store/index.ts";

/** Of the database's advisory locks: one sequencer for one log, whoever starts a second platform on it. */
const SEQUENCER_LOCK = 7_103_551_702n;
/** A killed platform's connection holds the lock until PostgreSQL notices. */
const LOCK_WAIT_MS = 15_000;
const RECONNECT_WAIT_MS = 20_000;
const RETRY_MS = 50;

/** A connection that is the only one to give out places in the log, for as long as it lives. */
export async function lockedSession(store: Store): Promise<Session> {
  const session = await store.session();
  try {
    for (const until = performance.now() + LOCK_WAIT_MS; !(await session.tryLock(SEQUENCER_LOCK)); ) {
      if (performance.now() > until)
        throw new Fault("LEDGER_IN_USE", "another platform writes to this ledger", { retry: true, hint: "stop the other one: nexus down" });
      await sleep(RETRY_MS);
    }
    return session;
  } catch (error) {
    await session.close().catch(() => {});
    throw error;
  }
}

/** The same, for a database that is being started again. */
export async function relockedSession(store: Store): Promise<Session> {
  for (const until = performance.now() + RECONNECT_WAIT_MS; ; ) {
    try {
      return await lockedSession(store);
    } catch (error) {
      if (performance.now() > until) throw error;
      await sleep(RETRY_MS);
    }
  }
}
