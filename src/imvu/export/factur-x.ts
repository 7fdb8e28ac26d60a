import { createHash } from "node:crypto";
import { type Doc, metadata } from "./page.ts";

/** As Factur-X 1.07 and ZUGFeRD 2.3 name it and look for it. */
const NAME = "factur-x.xml";
const SPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#";

/** Of pdfkit's, beside its types. A string in it is a name, bytes are a text. */
interface Inside {
  addNamedEmbeddedFile(name: string, file: unknown): void;
  readonly _root: { readonly data: Record<string, unknown> };
}

/** Puts the XML inside, and says so in the metadata that programs look at first. */
export function facturX(doc: Doc, xml: string, made: Date): void {
  attach(doc, Buffer.from(xml), made);
  metadata(doc, `
        <rdf:Description xmlns:fx="${SPACE}" rdf:about="">
            <fx:DocumentType>INVOICE</fx:DocumentType>
            <fx:DocumentFileName>${NAME}</fx:DocumentFileName>
            <fx:Version>1.0</fx:Version>
            <fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>
        </rdf:Description>`);
  metadata(doc, `
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

/** By hand: pdfkit's own way writes the checksum as 32 letters, where ISO 32000-1 (7.11.4) has a string of 16 bytes. */
function attach(doc: Doc, bytes: Buffer, made: Date): void {
  const embedded = doc.ref({ Type: "EmbeddedFile", Subtype: "text#2fxml", Params: { CreationDate: made, ModDate: made, Size: bytes.length, CheckSum: createHash("md5").update(bytes).digest() } });
  embedded.end(bytes);
  const name = Buffer.from(NAME);
  const file = doc.ref({ Type: "Filespec", AFRelationship: "Alternative", F: name, UF: name, EF: { F: embedded, UF: embedded }, Desc: Buffer.from("The same invoice for programs: EN 16931, Cross Industry Invoice") });
  file.end(undefined);
  const inside = doc as unknown as Inside;
  inside.addNamedEmbeddedFile(NAME, file);
  inside._root.data.AF = [file];
}

function property(name: string): string {
  return `
                    <rdf:li rdf:parseType="Resource"><pdfaProperty:name>${name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>${name}</pdfaProperty:description></rdf:li>`;
}
