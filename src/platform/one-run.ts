/** Work that anybody may ask for and that costs: whoever asks while it runs gets the same answer. */
export class OneRun<T> {
  private readonly running = new Map<string, Promise<T>>();

  async of(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.running.get(key);
    if (known) return await known;
    const promise = work().finally(() => this.running.delete(key));
    this.running.set(key, promise);
    return await promise;
  }
}
