import { isWithinZone, type Fqdn, type ImvuId, type MailAddress } from "../../kernel/index.ts";

/** One login: who it is, which IMVU it belongs to, and where its mail lies. */
export interface Account {
  readonly address: MailAddress;
  readonly imvu: ImvuId;
  /** Operating system user and group of the IMVU's mail. */
  readonly uid: number;
  readonly home: string;
  /** The stored hash as its owner made it: `{PBKDF2}…`, `$6$…`. */
  readonly password: string;
  readonly quotaBytes: number;
  /** A probe's account logs in for sending only, is never metered and never listed. */
  readonly probe: boolean;
}

export type Standing<T> = { readonly is: "known"; readonly value: T } | { readonly is: "pending" } | { readonly is: "unknown" };

/**
 * What the mail engines are told, in memory, filled by the fabric's steps alone. Names found in the home that no step
 * has announced yet are pending: the engines hear "try later", so that no mail is bounced while the platform starts.
 */
export class Directory {
  private readonly domains = new Map<string, ImvuId>();
  private readonly accounts = new Map<string, Account>();
  private readonly byImvu = new Map<ImvuId, Map<string, Account>>();
  private readonly pendingDomains = new Set<string>();
  private readonly pendingAddresses = new Map<string, ImvuId>();

  expect(address: MailAddress, imvu: ImvuId): void {
    this.pendingAddresses.set(address, imvu);
    this.pendingDomains.add(domainOf(address));
  }

  announceDomain(domain: Fqdn, imvu: ImvuId): void {
    this.domains.set(domain, imvu);
    this.pendingDomains.delete(domain);
  }

  withdrawDomain(domain: Fqdn): void {
    this.domains.delete(domain);
    this.pendingDomains.delete(domain);
  }

  announceAccount(account: Account): void {
    this.forget(account.address);
    this.accounts.set(account.address, account);
    this.byImvu.set(account.imvu, (this.byImvu.get(account.imvu) ?? new Map<string, Account>()).set(account.address, account));
    this.pendingAddresses.delete(account.address);
  }

  withdrawAccount(address: MailAddress): void {
    this.forget(address);
    this.pendingAddresses.delete(address);
  }

  private forget(address: MailAddress): void {
    const of = this.accounts.get(address)?.imvu;
    this.accounts.delete(address);
    if (of) this.byImvu.get(of)?.delete(address);
  }

  domain(name: string): Standing<ImvuId> {
    const imvu = this.domains.get(name.toLowerCase());
    if (imvu) return { is: "known", value: imvu };
    return this.pendingDomains.has(name.toLowerCase()) ? { is: "pending" } : { is: "unknown" };
  }

  account(address: string): Standing<Account> {
    const account = this.accounts.get(address.toLowerCase());
    if (account) return { is: "known", value: account };
    return this.pendingAddresses.has(address.toLowerCase()) ? { is: "pending" } : { is: "unknown" };
  }

  /** The IMVU whose mail a delivery to this address is; undefined for probes and for nobody's. */
  ownerOf(address: string): ImvuId | undefined {
    const account = this.accounts.get(address.toLowerCase());
    if (account) return account.probe ? undefined : account.imvu;
    return this.pendingAddresses.get(address.toLowerCase());
  }

  /** The hosted (or expected) domain that `name` is, or lies under. */
  hostedZoneOf(name: string): string | undefined {
    const labels = name.toLowerCase().split(".");
    for (let from = 0; from < labels.length; from += 1) {
      const zone = labels.slice(from).join(".");
      if ((this.domains.has(zone) || this.pendingDomains.has(zone)) && isWithinZone(name.toLowerCase(), zone)) return zone;
    }
    return undefined;
  }

  domainsOf(imvu: ImvuId): readonly Fqdn[] {
    return [...this.domains].filter(([, owner]) => owner === imvu).map(([domain]) => domain as Fqdn);
  }

  accountsOf(imvu: ImvuId): readonly Account[] {
    return [...(this.byImvu.get(imvu)?.values() ?? [])].filter((account) => !account.probe);
  }

  imvus(): ReadonlySet<ImvuId> {
    return new Set(this.domains.values());
  }
}

export function domainOf(address: string): Fqdn {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase() as Fqdn;
}
