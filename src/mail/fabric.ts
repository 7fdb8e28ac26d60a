import type { Fabric, MailDesired, Site } from "../contract/index.ts";
import type { ImvuId } from "../kernel/index.ts";
import { exportMail } from "./export.ts";
import type { Directory } from "./identity-binding/directory.ts";
import { importMail } from "./import.ts";
import type { Layout } from "./layout.ts";
import { meterMail } from "./meter.ts";
import { observeMail } from "./observe.ts";
import { type MailHands, planMail } from "./plan.ts";
import { MAIL_PROBES, probeMail } from "./probes.ts";
import type { TxtResolver } from "./signing/dkim.ts";
import type { Keyring } from "./signing/keyring.ts";
import type { MeterJournal } from "./smtp/meter-journal.ts";
import type { MailState } from "./state.ts";

export interface MailParts {
  readonly site: Site;
  readonly layout: Layout;
  readonly directory: Directory;
  readonly keyring: Keyring;
  readonly hands: MailHands;
  journal(): Promise<MeterJournal>;
  readonly desiredOf?: (imvu: ImvuId) => MailDesired | undefined;
  readonly dns?: TxtResolver;
}

export function mailFabric(parts: MailParts): Fabric<MailDesired, MailState> {
  const { site, layout, directory, hands } = parts;
  return {
    name: "mail",
    plan: (imvu, desired, observed) => planMail(hands, imvu, desired, observed),
    observe: (imvu) => observeMail(site, layout, directory, imvu),
    meter: async (imvu) => await meterMail(layout, directory, await parts.journal(), imvu),
    probes: MAIL_PROBES,
    probe: (gate, imvu) => probeMail(parts, gate, imvu),
    export: (imvu, sink) => exportMail(parts, imvu, sink),
    import: (imvu, desired, bundle) => importMail(parts, imvu, desired, bundle),
  };
}
