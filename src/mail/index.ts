/**
 * Mail: Postfix and Dovecot, driven live by small servers of ours – who may log in, who may send as whom, what is signed, what counts.
 * A mailbox works, and is gone, the moment its step has run; no engine is ever reloaded.
 * Depends on kernel and contract.
 */
export { type MailRoom, type MailRoomDeps, openMailRoom } from "./room.ts";
export type { MailState } from "./state.ts";
