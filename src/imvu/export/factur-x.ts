import type { Doc } from "./page.ts";

/** As Factur-X 1.07 and ZUGFeRD 2.3 name it and look for it. */
const NAME = "factur-x.xml";
const SPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#";

/** Puts the XML inside, and says so in the metadata that programs look at first. */
export function facturX(doc: Doc, xml: string, made: Date): void {
  const [file, metadata] = [doc as unknown as { file(bytes: Uint8Array, options: object): void }, doc as unknown as { appendXML(xml: string): void }];
  file.file(new TextEncoder().encode(xml), { name: NAME, type: "text/xml", relationship: "Alternative", description: "The same invoice for programs: EN 16931, Cross Industry Invoice", creationDate: made, modifiedDate: made });
  metadata.appendXML(`
        <rdf:Description xmlns:fx="${SPACE}" rdf:about="">
            <fx:DocumentType>INVOICE</fx:DocumentType>
            <fx:DocumentFileName>${NAME}</fx:DocumentFileName>
            <fx:Version>1.0</fx:Version>
            <fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
        </rdf:Description>`);
  metadata.appendXML(`
        <rdf:Description xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#" rdf:about="">
            <pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
                <pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
                <pdfaSchema:namespaceURI>${SPACE}</pdfaSchema:namespaceURI>
                <pdfaSchema:prefix>fx</pdfaSchema:prefix>
                <pdfaSchema:property><rdf:Seq>${["DocumentFileName", "DocumentType", "Version", "ConformanceLevel"].map(property).join("")}
                </rdf:Seq></pdfaSchema:property>
            </rdf:li></rdf:Bag></pdfaExtension:schemas>
        </rdf:Description>`);
}

function property(name: string): string {
  return `
                    <rdf:li rdf:parseType="Resource"><pdfaProperty:name>${name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>${name}</pdfaProperty:description></rdf:li>`;
}
