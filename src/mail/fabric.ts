import type { Fabric, MailDesired } from "../contract/index.ts";
import { systemClock } from "../kernel/index.ts";
import { exportMail } from "./export.ts";
import { importMail } from "./import.ts";
import { mailMeter } from "./meter.ts";
import { observeMail } from "./observe.ts";
import type { MailParts } from "./parts.ts";
import { planMail } from "./plan.ts";
import { MAIL_PROBES, probeMail } from "./probes.ts";
import type { MailState } from "./state.ts";

export function mailFabric(parts: MailParts): Fabric<MailDesired, MailState> {
  const { site, layout, directory, hands } = parts;
  return {
    name: "mail",
    plan: (imvu, desired, observed) => planMail(hands, imvu, desired, observed),
    observe: (imvu) => observeMail(site, layout, directory, imvu),
    meter: mailMeter(layout, directory, parts.journal, systemClock),
    probes: MAIL_PROBES,
    probe: (gate, imvu) => probeMail(parts, gate, imvu),
    export: (imvu, sink) => exportMail(parts, imvu, sink),
    import: (imvu, desired, bundle) => importMail(parts, imvu, desired, bundle),
  };
}
