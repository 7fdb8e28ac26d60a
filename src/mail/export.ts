export async function exportMail(..._: unknown[]): Promise<void> {}
