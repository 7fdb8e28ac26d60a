import type { MailDesired, Site } from "../contract/index.ts";
import type { ImvuId } from "../kernel/index.ts";
import type { Directory } from "./identity-binding/directory.ts";
import type { Layout } from "./layout.ts";
import type { MailHands } from "./plan.ts";
import type { TxtResolver } from "./signing/dkim.ts";
import type { Keyring } from "./signing/keyring.ts";
import type { MeterJournal } from "./smtp/meter-journal.ts";

/** What one home's mail consists of; made by room.ts, used by the fabric's verbs. */
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
