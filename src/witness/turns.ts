/** One at a time for each name, in the order of asking; of those that wait there is a bound. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();
  private readonly waiting_max: number;
  private waiting = 0;

  constructor(waiting_max: number) {
    this.waiting_max = waiting_max;
  }

  /** undefined: too many wait already. */
  take<T>(name: string, work: () => Promise<T>): Promise<T> | undefined {
    if (this.waiting >= this.waiting_max) return undefined;
    this.waiting += 1;
    const mine = (this.last.get(name) ?? Promise.resolve()).then(work, work);
    this.last.set(name, mine);
    const leave = () => {
      this.waiting -= 1;
      if (this.last.get(name) === mine) this.last.delete(name);
    };
    mine.then(leave, leave);
    return mine;
  }
}
