import { PassThrough, type Readable } from "node:stream";
import { dkimSign } from "mailauth/lib/dkim/sign.js";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { Fault } from "../../kernel/index.ts";
import type { SigningKey } from "./keys.ts";

/** DKIM (RFC 6376, RFC 8463) by mailauth: messages stream through, only their header is held. */

/** A TXT lookup: names to lists of strings, as node:dns answers. Rejects when there is no answer. */
export type TxtResolver = (name: string, type: string) => Promise<string[][]>;

/** Signed wherever they stand. Those in OVERSIGNED are listed once more than they occur, so that a second one added later breaks the signature (§5.4.2). */
const SIGNED =
  "from:sender:reply-to:to:cc:subject:date:message-id:in-reply-to:references:mime-version:content-type:content-transfer-encoding:list-id:list-unsubscribe:x-nexus-attribution";
const OVERSIGNED = new Set(["from", "to", "cc", "subject", "date", "reply-to", "message-id"]);

interface ParsedHeader {
  readonly key: string;
  casedKey: string;
}

export interface Signer {
  /** Takes the header, the empty line and the body, in order; lines end with CRLF. */
  readonly input: PassThrough;
  /** `DKIM-Signature` values, one for each key, after the input's end. */
  readonly signatures: Promise<readonly string[]>;
}

export function startSigning(domain: string, keys: readonly SigningKey[], now: Date): Signer {
  const input = new PassThrough();
  const options = {
    canonicalization: "relaxed/relaxed",
    signTime: now,
    headerList: SIGNED,
    signatureData: keys.map((key) => ({ signingDomain: domain, selector: key.selector, privateKey: key.privatePem, algorithm: key.algorithm })),
    // Called once with the parsed header before anything is hashed. The name is what goes into h=, the line is what is hashed.
    getARChain: ({ parsed }: { parsed: ParsedHeader[] }) => {
      const doubled = new Set<string>();
      for (const field of parsed) {
        if (!OVERSIGNED.has(field.key) || doubled.has(field.key)) continue;
        doubled.add(field.key);
        field.casedKey = `${field.casedKey}: ${field.casedKey}`;
      }
      return false;
    },
  };
  // mailauth's types ask for one key beside the list of keys, and for a list where the code takes a text.
  const signing = dkimSign(input, options as unknown as Parameters<typeof dkimSign>[1]);
  const signatures = signing.then(({ signatures: text, errors }) => {
    const failed = (errors as readonly { err?: Error }[])[0];
    const values = text.split(/\r\n(?![ \t])/).filter((line) => line !== "");
    if (failed || values.length !== keys.length) throw new Fault("DKIM_SIGN", `the message cannot be signed: ${failed?.err?.message ?? "a signature is missing"}`);
    return values.map((line) => line.slice(line.indexOf(":") + 1));
  });
  // Whoever aborts the message never asks for them; whoever still writes must learn that nobody reads.
  signatures.catch(() => input.destroy());
  return { input, signatures };
}

export interface Verified {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  readonly passes: boolean;
  readonly detail: string;
}

export async function verifySignatures(message: Readable | Buffer, resolver: TxtResolver): Promise<readonly Verified[]> {
  const { results } = await dkimVerify(message, { resolver });
  return results
    .filter((result) => result.status.result !== "none")
    .map(({ signingDomain, selector, status, ...more }) => ({
      domain: signingDomain ?? "",
      selector: selector ?? "",
      // mailauth calls it algo, whatever its types say.
      algorithm: (more as { algo?: string }).algo ?? "",
      passes: status.result === "pass",
      detail: `${status.result}${status.comment ? ` (${status.comment})` : ""}`,
    }));
}
