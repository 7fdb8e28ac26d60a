/**
 * Supervision: engines as processes – their groups, readiness, restarts with backoff, ordered stop, and what a
 * killed supervisor left behind.
 * Depends on kernel and contract; knows no engine by name.
 */
export type { EngineView } from "./engine.ts";
export { cgroup2Mount } from "./engine-group.ts";
export { isAlive, markOf, parseMark, type ProcessMark } from "./process-mark.ts";
export { endEngineGroups, enginesAlive, type RunningEngines, superviseEngines } from "./supervise.ts";
