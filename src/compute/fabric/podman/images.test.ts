import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault, sha256Hex } from "../../../kernel/index.ts";
import { requireRegistry } from "./images.ts";

test("an image is taken from a registry by its full name, and never from what others brought here", () => {
  for (const ref of ["docker.io/library/nginx:1.27", "registry.example:5000/a/b", "10.0.0.1:5000/a", `quay.io/a/b@sha256:${sha256Hex("x")}`]) requireRegistry({ kind: "image", ref });
  for (const ref of ["nginx", "nginx:1.27", "library/nginx", "localhost/nexus/oci:1", "localhost:5000/a", `nexus/oci:${sha256Hex("x")}`, `sha256:${sha256Hex("x")}`, sha256Hex("x"), "docker.io/", ""])
    assert.throws(() => requireRegistry({ kind: "image", ref }), (error) => error instanceof Fault && error.code === "IMAGE_LOCAL", ref);
  requireRegistry({ kind: "oci", archive: sha256Hex("x") });
  requireRegistry({ kind: "runtime", runtime: "node", content: sha256Hex("x") });
});
