import type { EntryBody } from "../contract/index.ts";
import { FIRST_TERMS, type Terms, termsIn } from "../core/handshake/index.ts";
import { openCommand } from "../core/identity/index.ts";
import { messageOf } from "../kernel/index.ts";
import { openPlain } from "./bundle/inspect.ts";
import type { Failures } from "./failures.ts";

const DOCUMENT_PATH = "identity/imvu.json";

/** What a unit's owner agreed to, where the entry is the command that makes it or brings it here. */
export function agreedIn({ type, data }: Pick<EntryBody, "type" | "data">): Terms | undefined {
  if (type !== "command.accepted") return undefined;
  const opened = openCommand((data as { jws?: unknown } | null)?.jws);
  return opened.ok ? termsIn(opened.value.command) : undefined;
}

/** The document that the next platform reads says what was agreed, and nothing else. */
export async function checkDocument(dir: string, agreed: Terms, failures: Failures): Promise<void> {
  const file = await openPlain(dir, DOCUMENT_PATH);
  try {
    const document = JSON.parse((await file?.readFile("utf8")) ?? "null") as Partial<Record<keyof Terms, unknown>> | null;
    for (const [name, value] of Object.entries(FIRST_TERMS)) {
      const said = document?.[name as keyof Terms] ?? value;
      if (said !== agreed[name as keyof Terms]) failures.add(`${DOCUMENT_PATH} ${name}`, agreed[name as keyof Terms], String(said));
    }
  } catch (error) {
    failures.add(DOCUMENT_PATH, "the unit's document", messageOf(error));
  } finally {
    await file?.close();
  }
}
