import { stringify } from "yaml";
import type { ComputeDesired, Service } from "../../contract/index.ts";
import { imagePath } from "./bundle-layout.ts";

/** The name under which an exported image is loaded elsewhere. */
export function exportedImageName(desired: Pick<ComputeDesired, "imvu">, service: Pick<Service, "name">): string {
  return `localhost/${desired.imvu.toLowerCase()}/${service.name}:exported`;
}

/** The services and their walls in the Compose specification's words; the images are loaded from the bundle first. Pure. */
export function renderCompose(desired: ComputeDesired): string {
  const { envelope, services } = desired;
  const text = stringify({
    name: desired.imvu.toLowerCase(),
    services: Object.fromEntries(
      services.map((service) => [
        service.name,
        {
          image: exportedImageName(desired, service),
          // A dollar sign would be expanded.
          environment: Object.fromEntries(Object.entries({ ...service.env, PORT: String(service.port) }).map(([key, value]) => [key, value.replaceAll("$", "$$$$")])),
          expose: [String(service.port)],
          volumes: [`${service.name}:/data`],
          read_only: true,
          tmpfs: ["/tmp", "/run", "/var/tmp"],
          cap_drop: ["ALL"],
          security_opt: ["no-new-privileges:true"],
          restart: "unless-stopped",
        },
      ]),
    ),
    volumes: Object.fromEntries(services.map((service) => [service.name, {}])),
  });
  const cores = envelope.cpuMillis / 1_000;
  return [
    `# ${desired.imvu}: load the images (${services.map((service) => imagePath(service.name)).join(", ") || "there are none"}), unpack the volumes, then: podman-compose up`,
    `# All services together ran within ${cores} cores, ${envelope.memoryBytes} bytes of memory and ${envelope.processes} processes.`,
    text,
  ].join("\n");
}
