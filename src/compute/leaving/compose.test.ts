import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import type { ComputeDesired } from "../../contract/index.ts";
import { imvuIdOf, type Jurisdiction, type ServiceName, sha256Hex } from "../../kernel/index.ts";
import { serviceOfVolume, volumePath } from "./bundle-layout.ts";
import { renderCompose } from "./compose.ts";

const desired: ComputeDesired = {
  imvu: imvuIdOf(7), number: 7, jurisdiction: "EU-GDPR" as Jurisdiction, resolverAddress: "10.64.0.1",
  envelope: { cpuMillis: 1_500, memoryBytes: 512, storageBytes: 1, iops: 1, bandwidthBps: 1, processes: 9, burst: null },
  services: [{ name: "web" as ServiceName, source: { kind: "oci", archive: sha256Hex("x") }, port: 8080, env: { PRICE: `$5 $${"{HOME}"}`, ODD: 'yes: "no" # {a: b}', NUMBER: "007", PORT: "1" } }],
};

test("services as Compose reads them: the same walls, values that nothing expands or retypes", () => {
  const text = renderCompose(desired);
  assert.deepEqual(parse(text), {
    name: "imvu-007",
    services: {
      web: {
        image: "localhost/imvu-007/web:exported",
        environment: { PRICE: `$$5 $$${"{HOME}"}`, ODD: 'yes: "no" # {a: b}', NUMBER: "007", PORT: "8080" },
        expose: ["8080"], volumes: ["web:/data"], read_only: true, tmpfs: ["/tmp", "/run", "/var/tmp"], cap_drop: ["ALL"], security_opt: ["no-new-privileges:true"], restart: "unless-stopped",
      },
    },
    volumes: { web: {} },
  });
  assert.match(text, /^# IMVU-007: load the images \(compute\/images\/web\.oci\.tar\)/);
  assert.match(text, /within 1\.5 cores, 512 bytes of memory and 9 processes/);
});

test("an IMVU without services is a file all the same", () => {
  assert.deepEqual(parse(renderCompose({ ...desired, services: [] })), { name: "imvu-007", services: {}, volumes: {} });
});

test("a volume's file names its service; nothing else does", () => {
  assert.equal(serviceOfVolume(volumePath("web" as ServiceName)), "web");
  for (const path of ["compute/volumes/.tar.zst", "compute/volumes/../x.tar.zst", "compute/volumes/a/b.tar.zst", "compute/volumes/web.tar", "compute/images/web.tar.zst", "compute/volumes/-x.tar.zst", "compute/volumes/$(id).tar.zst"]) assert.equal(serviceOfVolume(path), undefined, path);
});
