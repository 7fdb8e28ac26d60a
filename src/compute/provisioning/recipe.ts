import { canonicalJson, type Sha256, sha256Hex } from "../../kernel/index.ts";

/** What base images are made of. The recipe's digest is part of an image's name: another recipe is another image. */
export type Runtime = "static" | "node" | "python";

export interface Recipe {
  readonly runtime: Runtime;
  /** Debian packages whose files, and whose dependencies' files, go in; empty: the machine's own busybox alone. */
  readonly packages: readonly string[];
  readonly suite: string;
  readonly env: readonly string[];
  /** Grows when what is done with the packages changes. */
  readonly revision: number;
  /** Version of what is copied from this machine. */
  readonly copied: string;
}

const REVISION = 1;
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export function recipeOf(runtime: Runtime, machine: { readonly suite: string; readonly busybox: string; readonly node: string }): Recipe {
  const { suite } = machine;
  switch (runtime) {
    case "static":
      return { runtime, packages: [], suite, env: [PATH], revision: REVISION, copied: machine.busybox };
    case "node":
      // The binary is the one this platform runs on; libstdc++ brings the C library with it.
      return { runtime, packages: ["libstdc++6", "busybox-static"], suite, env: [PATH, "NODE_ENV=production"], revision: REVISION, copied: machine.node };
    case "python":
      return { runtime, packages: ["python3", "busybox-static"], suite, env: [PATH, "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"], revision: REVISION, copied: "" };
  }
}

export function recipeDigest(recipe: Recipe): Sha256 {
  return sha256Hex(canonicalJson({ ...recipe, packages: [...recipe.packages], env: [...recipe.env] }));
}

/** `localhost` is no registry: such a name is never looked for outside. */
export function baseImageName(recipe: Recipe): string {
  return `localhost/nexus/${recipe.runtime}:${recipeDigest(recipe).slice(0, 16)}`;
}

/** Of an unpacked Debian tree these never go into an image: not needed to run, or different on each day. */
const LEFT_OUT = [
  /^dev\//, /^tmp\//, /^proc\//, /^sys\//, /^run\//, /^etc\/(apt|dpkg|cron\.daily|fstab$|hostname$|resolv\.conf$|machine-id$)/,
  /^var\/(cache|lib\/apt|lib\/dpkg|log)\//, /^usr\/share\/(man|locale|info|lintian|gdb|gcc|pixmaps|bug|initramfs-tools)\//,
  // Licences stay: whoever passes an image on must pass them on.
  /^usr\/share\/doc\/(?![^/]+\/copyright$)./, /\/__pycache__\//,
  /^usr\/lib\/x86_64-linux-gnu\/(perl|gconv)\//, /^usr\/lib\/python3[^/]*\/(test|idlelib|lib2to3|ensurepip|pydoc_data)\//,
];

export function isLeftOut(path: string): boolean {
  return LEFT_OUT.some((rule) => rule.test(path));
}
