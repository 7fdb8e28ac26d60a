import { connect } from "node:net";

/**
 * A program of its own, run inside an IMVU's namespace: tries each `address:port` of its arguments by TCP and prints
 * what came back, as JSON: `connected`, an errno's name, or `silence`.
 */
const ATTEMPT_TIMEOUT_MS = 400;

function attempt(target: string): Promise<string> {
  const colon = target.lastIndexOf(":");
  return new Promise((resolve) => {
    const socket = connect({ host: target.slice(0, colon), port: Number(target.slice(colon + 1)) });
    const done = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ATTEMPT_TIMEOUT_MS, () => done("silence"));
    socket.on("connect", () => done("connected"));
    socket.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? "error"));
  });
}

const targets = process.argv.slice(2);
const answers = await Promise.all(targets.map(attempt));
process.stdout.write(JSON.stringify(Object.fromEntries(targets.map((target, index) => [target, answers[index]]))));
