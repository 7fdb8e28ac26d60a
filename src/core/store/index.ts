/**
 * Store: the PostgreSQL that keeps the ledger and its projections – the private cluster as an engine, migrations, transactions.
 * The platform works as a role that can add to the ledger and never change it; nobody here is a superuser.
 * Depends on kernel (and contract for the shapes of a site and an engine).
 */
export { bigintArray, byteaArray, textArray } from "./array-format.ts";
export { archiveBranches, copyCluster, placeCopy, type Recovery, takeBack } from "./backup.ts";
export { endPostgresLeftovers, postgresEngine } from "./cluster.ts";
export { copyBytes, type CopyField } from "./copy-format.ts";
export type { CopyIn } from "./copy-stream.ts";
export type { Bound } from "./one-trip.ts";
export { isUniqueViolation, openReader, openStore, type Session, type Statement, type Store, type StoreAddress } from "./store.ts";
export { type ReadTx, type Row, STORE_LOST, type Tx } from "./transaction.ts";
