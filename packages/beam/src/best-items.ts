/** The best of many items, best first; among equals the one that was added first. It never holds many more than asked for. */
export class BestItems<Item> {
  readonly #count: number;
  readonly #priorityOf: (item: Item) => number;
  #items: Item[] = [];
  /** What an item must surpass, once there are enough. */
  #bound: number | undefined;

  /** Keeps `count` items, the higher priorities. */
  constructor(count: number, priorityOf: (item: Item) => number) {
    this.#count = count;
    this.#priorityOf = priorityOf;
  }

  /** Whether an item of this priority could be kept, as things stand. */
  admits(priority: number): boolean {
    return this.#bound === undefined || priority > this.#bound;
  }

  add(item: Item): void {
    if (!this.admits(this.#priorityOf(item))) return;
    this.#items.push(item);
    // Sorting now and then costs less than keeping order all the time.
    if (this.#items.length >= 2 * this.#count) this.#bound = this.#priorityOf(this.best()[this.#count - 1]);
  }

  best(): readonly Item[] {
    // The sort is stable, and those that were kept before came before.
    this.#items.sort((a, b) => this.#priorityOf(b) - this.#priorityOf(a));
    this.#items.length = Math.min(this.#items.length, this.#count);
    return this.#items;
  }
}
