import type { Finding } from "../contract/index.ts";
import { messageOf } from "../kernel/index.ts";
import { BlobShelf } from "./blob-shelf.ts";
import { firstClosedAncestor, homeExists, openHome, siteFolder } from "./home.ts";
import { openRooms } from "./rooms.ts";
import { cgroup2Mount } from "./supervision/index.ts";
import { readySupervisor } from "./supervisor-file.ts";
import { join } from "node:path";
import { witnessFindings } from "./witnesses-file.ts";

/** Everything that could stand in a platform's way on this machine, each with what to type. Changes nothing. */
export async function doctor(root: string, options: { cacheDir: string }): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const say = (what: string, ok: boolean, detail: string, hint: string) => findings.push({ what, ok, detail, hint: ok ? "" : hint });
  const isRoot = process.getuid?.() === 0;
  say("root", isRoot, isRoot ? "started as root" : "not root", "sudo ./nexus doctor");
  const closed = await firstClosedAncestor(root);
  say("home", closed === undefined, closed === undefined ? `${root} can be reached by the engines' users` : `${closed} lets no other user through`, "choose another with --home, e.g. /var/lib/nexus");
  try {
    say("cgroup2", true, `mounted at ${cgroup2Mount()}`, "");
  } catch (error) {
    say("cgroup2", false, messageOf(error), "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified");
  }
  const exists = await homeExists(root);
  const supervisor = exists ? await readySupervisor(siteFolder(root)) : undefined;
  say("platform", true, supervisor ? `running (pid ${supervisor.pid})` : exists ? "not running" : "not made yet", "");
  if (!exists) return findings;
  const home = await openHome(root, { cacheDir: options.cacheDir, create: false, checkPorts: false });
  const rooms = await openRooms(home.site, new BlobShelf(join(home.site.dir, "blobs")), { desiredOf: () => undefined, zones: () => new Map() }, () => {});
  return [...findings, ...(await witnessFindings(home.site.dir, home.witnesses.required)), ...(await rooms.doctor())];
}
