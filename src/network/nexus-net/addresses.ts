import { Fault, IMVU_NUMBER_MAX } from "../../kernel/index.ts";

/** 10.64.0.0/10, four addresses per IMVU: network, router side, IMVU side, broadcast. Derived from the number alone, so never stored. */
const BASE = (10 << 24) | (64 << 16);
const BLOCK = 4;
export const PREFIX_LENGTH = 30;

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

function block(number: number): number {
  if (!Number.isInteger(number) || number < 1 || number > IMVU_NUMBER_MAX) throw new Fault("BAD_IMVU_NUMBER", `no address for IMVU number ${number}`);
  return BASE + number * BLOCK;
}

/** The IMVU's own address, inside its namespace. */
export function addressOf(number: number): string {
  return dotted(block(number) + 2);
}

/** The router's end of the IMVU's link: its gateway, and where its private routes are served. */
export function routerAddressOf(number: number): string {
  return dotted(block(number) + 1);
}

/** Where the IMVU's name resolver answers: the router's end of its link. */
export function resolverAddressOf(number: number): string {
  return routerAddressOf(number);
}

/**
 * What the gateway calls from, by the class of the route: addresses of the router alone, in the block that no IMVU has. Public routes are called from the
 * router's end of the link. So the kernel can tell the classes' bytes apart.
 */
export const CALLER_OF_CLASS = { restricted: dotted(BASE + 1), private: dotted(BASE + 2) } as const;
export type MeteredClass = keyof typeof CALLER_OF_CLASS;

/** The router's end of the IMVU's link, by name (at most 15 characters). */
export function linkNameOf(number: number): string {
  return `v${number}`;
}

/** The name of the IMVU's only link, inside its namespace. */
export const INNER_LINK = "eth0";
