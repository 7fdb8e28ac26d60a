import type { Invoice } from "../../core/handshake/index.ts";
import type { InvoiceProof } from "./invoice-proof.ts";

/** The invoice as PDF, with its XML inside. Fonts and a shaper come with it: loaded for those who want it alone. */
export async function invoicePdf(invoice: Invoice, proof: InvoiceProof): Promise<Buffer> {
  const { drawInvoice } = await import("./invoice-pdf.ts");
  return await drawInvoice(invoice, proof);
}
