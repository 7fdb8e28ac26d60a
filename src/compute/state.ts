/** What the engine, the kernel and the file system say of one IMVU's compute. Type aliases, because only those are Json to the compiler. */

export type EnvelopeReading = {
  readonly cpuMillis: number | null;
  readonly memoryBytes: number | null;
  readonly processes: number | null;
  /** Of the volume's own device; null while that has no limit, or there is no volume. */
  readonly readIops: number | null;
  readonly writeIops: number | null;
  /** CPU time that may be carried over from one period into the next, in microseconds; null where the kernel cannot. */
  readonly burstUs: number | null;
};

export type VolumeReading = {
  readonly mounted: boolean;
  /** What the file system inside offers when it is mounted, else the image's length. */
  readonly sizeBytes: number;
  readonly usedBytes: number;
  /** `major:minor` of the loop device; null when not attached. */
  readonly device: string | null;
  /** A restore was interrupted between two names. */
  readonly unsettled: boolean;
};

export type ServiceReading = {
  readonly imvu: string;
  readonly name: string;
  readonly container: string;
  /** The engine's word: `running`, `exited`, `created`, … */
  readonly state: string;
  readonly exitCode: number;
  readonly pid: number;
  readonly image: string;
  /** RFC 3339; null when it never started. */
  readonly startedAt: string | null;
  /** SHA-256 of what is deployed: content or archive; an image's reference otherwise. */
  readonly content: string;
  /** The tag it was made with. */
  readonly jurisdiction: string;
  /** Digest of everything the container was made from. */
  readonly spec: string;
  /** Canonical JSON of the order it was made from: what an undo makes it again from. */
  readonly order: string;
};

export type ComputeState = {
  readonly number: number;
  readonly envelope: EnvelopeReading | null;
  readonly volume: VolumeReading | null;
  readonly services: readonly ServiceReading[];
  /** Content digests unpacked on the volume. */
  readonly contents: readonly string[];
  /** Services that have data on the volume, running or not. */
  readonly data: readonly string[];
  /** Images of ours the engine holds, by name. */
  readonly images: readonly string[];
};
