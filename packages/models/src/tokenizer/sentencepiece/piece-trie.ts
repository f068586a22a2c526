const NO_NODE = -1;
const NO_VALUE = -1;

/**
 * A trie of texts over UTF-16 code units, in three flat arrays: an open-addressed table of edges and a value a node.
 *
 * Every search begins at node 0. Texts that are well formed begin and end between characters, so what it finds in a well-formed
 * text does too.
 */
export class PieceTrie {
  #nodes: Int32Array = new Int32Array(1024).fill(NO_NODE);
  #units: Uint16Array = new Uint16Array(1024);
  #targets: Int32Array = new Int32Array(1024);
  #values: Int32Array = new Int32Array(1024).fill(NO_VALUE);
  #count = 1;

  /** Adds a text; the value of one that is there already is replaced. Values are 0 or more. */
  add(text: string, value: number): void {
    let node = 0;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      const next = this.next(node, unit);
      node = next === NO_NODE ? this.#grow(node, unit) : next;
    }
    this.#values[node] = value;
  }

  /** The node after one more code unit, or -1 where no text goes on so. */
  next(node: number, unit: number): number {
    const mask = this.#nodes.length - 1;
    for (let slot = hash(node, unit) & mask; this.#nodes[slot] !== NO_NODE; slot = (slot + 1) & mask) {
      if (this.#nodes[slot] === node && this.#units[slot] === unit) return this.#targets[slot];
    }
    return NO_NODE;
  }

  /** The value of the text that ends at a node, or -1 where none ends. */
  value(node: number): number {
    return this.#values[node];
  }

  /** Length in code units of the longest text that `text` has at `start`; 0 where there is none. */
  longest(text: string, start: number): number {
    let found = 0;
    let node = 0;
    for (let at = start; at < text.length; at++) {
      node = this.next(node, text.charCodeAt(at));
      if (node === NO_NODE) break;
      if (this.value(node) !== NO_VALUE) found = at + 1 - start;
    }
    return found;
  }

  #grow(node: number, unit: number): number {
    // A node but the first has one edge to it.
    if (this.#count * 2 >= this.#nodes.length) this.#widen();
    const target = this.#count++;
    this.#put(node, unit, target);
    return target;
  }

  #put(node: number, unit: number, target: number): void {
    const mask = this.#nodes.length - 1;
    let slot = hash(node, unit) & mask;
    while (this.#nodes[slot] !== NO_NODE) slot = (slot + 1) & mask;
    this.#nodes[slot] = node;
    this.#units[slot] = unit;
    this.#targets[slot] = target;
  }

  #widen(): void {
    const [nodes, units, targets, values] = [this.#nodes, this.#units, this.#targets, this.#values];
    const size = nodes.length * 2;
    this.#nodes = new Int32Array(size).fill(NO_NODE);
    this.#units = new Uint16Array(size);
    this.#targets = new Int32Array(size);
    this.#values = new Int32Array(size).fill(NO_VALUE);
    this.#values.set(values);
    for (let slot = 0; slot < nodes.length; slot++) {
      const node = nodes[slot];
      if (node !== NO_NODE) this.#put(node, units[slot], targets[slot]);
    }
  }
}

function hash(node: number, unit: number): number {
  const mixed = Math.imul(node, 0x9e37_79b1) ^ Math.imul(unit + 1, 0x85eb_ca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
