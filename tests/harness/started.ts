import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** What `work` answers, and how many processes this one started and how many connections it made meanwhile, by Node's own word. */
export async function started<T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly processes: number; readonly connections: number }> {
  const seen = { processes: 0, connections: 0 };
  const process = () => {
    seen.processes += 1;
  };
  const connection = () => {
    seen.connections += 1;
  };
  subscribe("child_process", process);
  subscribe("net.client.socket", connection);
  try {
    return { answer: await work(), ...seen };
  } finally {
    unsubscribe("child_process", process);
    unsubscribe("net.client.socket", connection);
  }
}
