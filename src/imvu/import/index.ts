/**
 * Import: opens a bundle from anywhere as hostile input and hands out only what its signed manifest vouches for.
 * Knows the bundle's form and no engine: fabrics read their own sections through the reader.
 * Depends on verify (the form), contract and kernel.
 */
export { arrive, type BlobSink } from "./arrive.ts";
export { type ArrivingDocument, arrivingImvu, parseDocument } from "./document.ts";
export { type OpenBundleOptions, type OpenedBundle, openBundle } from "./open-bundle.ts";
