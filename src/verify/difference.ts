import { canonicalJson, type Json } from "../kernel/index.ts";

/** Where two values first differ, in canonical order; undefined when they are the same. */
export function firstDifference(expected: Json | undefined, found: Json | undefined, path = ""): { readonly path: string; readonly expected: string; readonly found: string } | undefined {
  if (isObject(expected) && isObject(found) && Array.isArray(expected) === Array.isArray(found)) {
    const [a, b] = [expected as { [key: string]: Json }, found as { [key: string]: Json }];
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)].sort())) {
      const difference = firstDifference(own(a, key), own(b, key), path === "" ? key : `${path}.${key}`);
      if (difference) return difference;
    }
    return undefined;
  }
  const [is, said] = [show(expected), show(found)];
  return is === said ? undefined : { path, expected: is, found: said };
}

function own(object: { [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: Json | undefined): value is Exclude<Json, null | boolean | number | string> {
  return typeof value === "object" && value !== null;
}

function show(value: Json | undefined): string {
  return value === undefined ? "nothing" : canonicalJson(value);
}
