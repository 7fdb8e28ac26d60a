import { connect } from "node:net";

const GREETING_TIMEOUT_MS = 2_000;

/** True when the server at host:port opens the conversation with `greeting`. */
export function greets(host: string, port: number, greeting: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(GREETING_TIMEOUT_MS, () => done(false));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
    socket.once("data", (data) => done(data.toString("latin1").startsWith(greeting)));
  });
}
