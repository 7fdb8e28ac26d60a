import { z } from "zod";
import {
  type Bic,
  type Currency,
  type DisplayName,
  type Fqdn,
  type Iban,
  type IdentityName,
  type ImvuId,
  type Jurisdiction,
  type KeyId,
  type MailAddress,
  type Outcome,
  parseBic,
  parseCurrency,
  parseDisplayName,
  parseFqdn,
  parseIban,
  parseIdentityName,
  parseImvuId,
  parseJurisdiction,
  parseKeyId,
  parseMailAddress,
  parseServiceName,
  parseSha256,
  parseTimeZone,
  type ServiceName,
  type Sha256,
  type TimeZone,
} from "../kernel/index.ts";

/** The kernel's branded strings as schemas: what passes one of these has been parsed. */
function branded<T extends string>(parse: (text: unknown) => Outcome<T>) {
  return z.string().transform((text, context): T => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: "custom", message: `${parsed.message} – ${parsed.hint}` });
    return z.NEVER;
  });
}

export const zImvuId = branded<ImvuId>(parseImvuId);
export const zIdentityName = branded<IdentityName>(parseIdentityName);
export const zFqdn = branded<Fqdn>(parseFqdn);
export const zServiceName = branded<ServiceName>(parseServiceName);
export const zMailAddress = branded<MailAddress>(parseMailAddress);
export const zJurisdiction = branded<Jurisdiction>(parseJurisdiction);
export const zDisplayName = branded<DisplayName>(parseDisplayName);
export const zTimeZone = branded<TimeZone>(parseTimeZone);
export const zCurrency = branded<Currency>(parseCurrency);
export const zKeyId = branded<KeyId>(parseKeyId);
export const zIban = branded<Iban>(parseIban);
export const zBic = branded<Bic>(parseBic);
export const zSha256 = z.string().transform((text, context): Sha256 => {
  const parsed = parseSha256(text);
  if (parsed) return parsed;
  context.addIssue({ code: "custom", message: "must be 64 lower-case hexadecimal digits (SHA-256)" });
  return z.NEVER;
});
