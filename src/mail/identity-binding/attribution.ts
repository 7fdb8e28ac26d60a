import type { Account } from "./directory.ts";

/** The field that ties every message that leaves to an identity and an IMVU. Nobody outside can bring one along. */
export const ATTRIBUTION_FIELD = "X-Nexus-Attribution";

export interface Attribution {
  readonly imvu: string;
  readonly mailbox: string;
  readonly queueId: string;
}

export function attributionValue(account: Account, queueId: string): string {
  return `imvu=${account.imvu}; mailbox=${account.address}; queue=${queueId}`;
}

export function parseAttribution(value: string): Attribution | undefined {
  const match = /^\s*imvu=(IMVU-\d{3,5}); mailbox=([^\s;]+); queue=([0-9A-Za-z]+)\s*$/.exec(value.replace(/\r?\n[ \t]+/g, " "));
  return match ? { imvu: match[1] as string, mailbox: match[2] as string, queueId: match[3] as string } : undefined;
}
