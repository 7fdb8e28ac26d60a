import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLOCK_SKEW_MS_MAX, COMMAND_LIFETIME_MS_MAX, COMMAND_PARAMS, type Op } from "../../contract/index.ts";
import { GATES } from "./gates.ts";
import {
  CPU_OVERCOMMIT_FACTOR, MAILBOXES_PER_IMVU_MAX, MEMBERS_PER_IMVU_MAX, PROCESSES_PER_SERVICE_MIN, RECORD_SETS_PER_IMVU_MAX, ROUTES_PER_IMVU_MAX, SERVICES_PER_IMVU_MAX, SNAPSHOTS_PER_IMVU_MAX,
} from "./limits.ts";
import { ROLES } from "./standing.ts";

/** docs/infra-core/law.md, from the gates themselves; run this file to write it. A test holds the two equal. */
export const LAW_DOCUMENT = join(import.meta.dirname, "../../../docs/infra-core/law.md");

export function lawDocument(): string {
  return [INTRODUCTION, judgedTable(), WHO, rolesTable(), FORM, ...GATES.map(({ number }) => gateSection(number))].join("\n\n").concat("\n");
}

const INTRODUCTION = `# The law as it runs

<!-- Written by src/core/policy-engine/law.document.ts from the gates themselves; a test compares. Change the gates, then run that file. -->

Seventeen gates stand before every change. Each has two halves: **decide** answers *pass*, *not applicable* or *deny* to a signed
command, purely from the command and its recorded facts; **probe** asks the running machines whether reality obeys, and answers
*holds*, *broken* or *unproven* (with the reason). A gate that throws denies with \`GATE_NN_FAULT\`; facts that cannot be read deny at
all seventeen with \`GATE_NN_FACTS\`. All seventeen verdicts and the facts stand in the command's ledger entry, accepted or refused, so
that anyone can judge again.

## Which gate judges which command

● judges · – not applicable`;

const WHO = `## Who may command

An approval is a signature by the IMVU's owner over the very command (its digest). A command that carries it is as good as the
owner's own, whoever sent it; nobody else's signature is an approval. Whoever is neither a member nor carries the owner's approval
is a stranger: he is refused with words that depend on the command alone, the same whether the IMVU exists or not, and without figures.

When several gates deny, the answer names one: a bad signature first, then the first gate that refuses what was asked, then the
one that refuses the person. The message names the others.`;

const FORM = `## How a command is signed

A JWS in general JSON serialisation. Payload: \`{"exp","iat","imvu","nonce","op","params"}\` in canonical JSON (RFC 8785, integers only),
base64url without padding; \`iat\` and \`exp\` in milliseconds since the Unix epoch, at most ${COMMAND_LIFETIME_MS_MAX / (24 * 3_600_000)} days apart, \`iat\` at most ${CLOCK_SKEW_MS_MAX / 1000} s ahead of the
platform's clock; \`nonce\` 16 random bytes, base64url; \`imvu\` null for commands on identities and operators, for imvu.create and imvu.import. Protected header: exactly
\`{"alg":"EdDSA","kid":…,"typ":"nexus-command"}\` (\`typ\` may be absent), \`kid\` the RFC 7638 thumbprint of an Ed25519 key. First signature: the actor;
further ones: approvals. Any other spelling is refused, so that one command has one digest: SHA-256 of the payload's bytes.
Small-order, non-canonical and off-curve keys are refused wherever a command brings one.

Requests that read are signed by RFC 9421, label \`nexus\`, over \`@method\`, \`@target-uri\` and \`content-digest\` (sha-256, also of an empty body), with
\`created\`, \`nonce\`, \`keyid\`, \`alg="ed25519"\` and \`tag="nexus-request"\`.

## What gate 7 counts with

Memory and storage of a node are promised once: the envelopes' sum stays within what it has. CPU is a ceiling, not a reservation: the
sum may reach ${CPU_OVERCOMMIT_FACTOR} times the node's cores; burst is not added. An envelope's storage holds the volume and the mailboxes: bytes used on the
volume plus all mailbox quotas stay within it. Per IMVU at most ${SERVICES_PER_IMVU_MAX} services (and one for each ${PROCESSES_PER_SERVICE_MIN} of its processes), ${MAILBOXES_PER_IMVU_MAX} mailboxes, ${RECORD_SETS_PER_IMVU_MAX} record sets, ${ROUTES_PER_IMVU_MAX} routes, ${MEMBERS_PER_IMVU_MAX} members, ${SNAPSHOTS_PER_IMVU_MAX} snapshots.

## How it is tested

Each gate by name (\`src/core/policy-engine/gates.test.ts\`), and all of them together: \`./nexus test law\` judges 300,000 random commands with the
product and with a second, deliberately plain evaluator that shares no code with it, and accepts no disagreement. With any one gate
switched off the two disagree.

## The gates`;

function ops(): readonly Op[] {
  return Object.keys(COMMAND_PARAMS) as Op[];
}

function judgedTable(): string {
  const head = `| command | ${GATES.map(({ number }) => number).join(" | ")} |`;
  const rule = `|---|${GATES.map(() => ":-:|").join("")}`;
  return [head, rule, ...ops().map((op) => `| \`${op}\` | ${GATES.map(({ appliesTo }) => (appliesTo[op] ? "●" : "–")).join(" | ")} |`)].join("\n");
}

function rolesTable(): string {
  const self: Partial<Record<Op, string>> = {
    "identity.register": "the key itself, alone",
    "identity.key.add": "a live key of the identity, and the new key",
    "identity.key.rotate": "the key that gives way, and the new key",
    "identity.key.revoke": "a live key of the identity",
    "identity.recovery.set": "a live key of the identity, the new recovery key, and the one before",
    "identity.recovery.begin": "the recovery key, and the new key",
    "identity.recovery.object": "a live key of the identity",
    "identity.recovery.complete": "the key that waits",
    "platform.operator.add": "an operator; two where there are two",
    "platform.operator.remove": "an operator; two where there are two",
    "platform.erase": "an operator; two where there are two",
    "platform.tariff.publish": "an operator; two where there are two",
    "platform.payout.execute": "an operator; two where there are two",
    "platform.payout.return": "an operator; two where there are two",
    "platform.billing.set": "an operator; two where there are two",
    "imvu.create": "the identity it names as owner",
    "imvu.import": "an identity whose key the bundle's identity/ lists",
  };
  const rows = ops().map((op) => `| \`${op}\` | ${self[op] ?? ROLES[op as keyof typeof ROLES].join(", ")} |`);
  return ["| command | who |", "|---|---|", ...rows].join("\n");
}

function gateSection(number: number): string {
  const gate = GATES[number - 1];
  if (gate === undefined) throw new TypeError(`there is no gate ${number}`);
  const codes = [...gate.denials].map(([code, { says }]) => `| \`${code}\` | ${says} |`);
  const denials = codes.length === 0 ? ["No command falls under it yet."] : ["| code | denies when |", "|---|---|", ...codes];
  return [`### ${number} ${gate.title}`, "", `*${gate.rule}*`, "", ...denials].join("\n");
}

if (import.meta.main) writeFileSync(LAW_DOCUMENT, lawDocument());
