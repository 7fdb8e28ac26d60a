import { combine, unproven } from "../ask.ts";
import { defineGate } from "../gate.ts";

/** No command writes consent yet, so there is nothing to refuse; and nothing recorded, so nothing to prove. */
export const consentLogging = defineGate({
  number: 10,
  title: "consent logging",
  rule: "consent of end users is recorded for good",
  appliesTo: {
    "identity.register": false,
    "imvu.create": false,
    "imvu.scale": false,
    "imvu.exit": false,
    "imvu.import": false,
    "imvu.member.set": false,
    "imvu.member.remove": false,
    "service.deploy": false,
    "service.restart": false,
    "service.remove": false,
    "dns.set": false,
    "dns.remove": false,
    "mail.mailbox.create": false,
    "mail.mailbox.password": false,
    "mail.mailbox.remove": false,
    "route.set": false,
    "route.remove": false,
  },
  denials: {},
  decide(_command, _facts, answer) {
    return answer.pass();
  },
  async probe() {
    return combine([unproven("log", "this platform records no consent of end users yet, so no history can be shown complete")]);
  },
});
