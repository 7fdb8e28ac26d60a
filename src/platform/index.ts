/**
 * Platform: composition – the home on disk, supervised engines, rooms and core put together, schedules, start and stop.
 * The only room that knows all others.
 * Depends on everything above it in the map.
 */
export { backup, type Restored, restore } from "./backup.ts";
export { doctor } from "./doctor.ts";
export { type Downed, down } from "./down.ts";
export { type Home, openHome } from "./home.ts";
export { type RunningPlatform, startPlatform } from "./start.ts";
export { upDetached, type UpOptions, upForeground } from "./up.ts";
