import { z } from "zod";
import { type Sha256, sha256Hex } from "../kernel/index.ts";

/** Where mail lies in a bundle, and the one document that says what its files are. */
export const FOLDERS_PATH = "mail/metadata/folders.json";
export const DKIM_PREFIX = "mail/dkim/";
export const FOLDERS_BYTES_MAX = 64 * 1024 * 1024;
const FOLDER_NAME_CHARS_MAX = 255;
const FILE_NAME_CHARS_MAX = 120;
const MAILBOXES_MAX = 10_000;
const FOLDERS_MAX = 10_000;

/** Names Maildir++ can hold: no dots, no empty levels, nothing that leads elsewhere. */
const zFolderName = z
  .string()
  .min(1)
  .max(FOLDER_NAME_CHARS_MAX)
  .regex(/^(?!~)[^\0-\x1f\x7f./]+(\/[^\0-\x1f\x7f./]+)*$/, "is no folder name");

export const zFolders = z.strictObject({
  version: z.literal(1),
  mailboxes: z
    .array(
      z.strictObject({
        address: z.string().max(320),
        quotaBytes: z.int().min(0),
        folders: z.array(z.strictObject({ name: zFolderName, file: z.string().max(600), messages: z.int().min(0), flags: z.record(z.string(), z.int().min(0)) })).max(FOLDERS_MAX),
        subscriptions: z.array(zFolderName).max(FOLDERS_MAX),
      }),
    )
    .max(MAILBOXES_MAX),
});
export type Folders = z.output<typeof zFolders>;
export type MailboxFolders = Folders["mailboxes"][number];

/** The path of a folder's file: its name where that is plain, percent-encoded where not, a digest where that would be too long. */
export function mboxPath(address: string, folder: string): string {
  const encoded = encodeURIComponent(folder).replace(/[!'()*~.]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const name = encoded.length <= FILE_NAME_CHARS_MAX ? encoded : `folder-${(sha256Hex(folder) as Sha256).slice(0, 32)}`;
  return `mail/mailboxes/${address}/${name}.mbox`;
}
