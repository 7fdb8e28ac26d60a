export async function importMail(..._: unknown[]): Promise<void> {}
