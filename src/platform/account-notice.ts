import type { Imvu } from "../contract/index.ts";
import { openCommand } from "../core/identity/index.ts";

/** Of the account only its country and its last digits: mail is read by whoever has the mailbox. */
export function accountNotice(imvu: Pick<Imvu, "id" | "name">, { index, signed, actor }: { readonly index: number; readonly signed: string; readonly actor: string }): { readonly subject: string; readonly text: string } | undefined {
  const opened = openCommand(JSON.parse(signed));
  if (!opened.ok || opened.value.command.op !== "imvu.payout.account") return undefined;
  const { account } = opened.value.command.params;
  const where = account === null ? "Nothing is paid out any more: the account was withdrawn." : `From the next payout on it goes to the account ${account.iban.slice(0, 2)}… that ends in ${account.iban.slice(-4)}.`;
  return {
    subject: `${imvu.id}: where your money goes was changed`,
    text: [
      `${actor} said where the creator's share of ${imvu.name} (${imvu.id}) is paid to, ledger entry ${index}.`,
      where,
      "",
      "If it was not you, name your account again and end the key that did it:",
      "",
      `  nexus payout account --imvu-id ${imvu.id} --holder NAME --iban IBAN`,
      "  nexus identity revoke --kid KID",
      "",
    ].join("\n"),
  };
}
