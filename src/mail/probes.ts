export const MAIL_PROBES = [5,14,16] as const; export async function probeMail(..._: unknown[]): Promise<any> {}
