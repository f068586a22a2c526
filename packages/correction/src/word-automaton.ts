/** A character of a word. */
const LETTER = /[\p{L}\p{M}\p{N}_]/u;

/** Stands in the automaton for a place where a word may begin: there is no letter before it. */
const BORDER = '';
const ROOT = 0;

interface Node {
  readonly next: Map<string, number>;
  /** Characters of the listed text that leads here. */
  readonly length: number;
  /** The listed entry that ends here, with a plural's ending or without; the longest of several. */
  entry: string | undefined;
  /** The node of the longest listed text that begins later and ends here too. */
  fail: number;
  /** The nearest node that has an entry, of this one and of those that `fail` leads to; `ROOT` for none. */
  found: number;
}

/** How far a text was read: the listed text that it ends with, and whether it ends inside a word. */
export interface WordPlace {
  readonly node: number;
  readonly inWord: boolean;
}

/** Before the first character of a text. */
export const TEXT_START: WordPlace = { node: ROOT, inWord: false };

/** Whether a character belongs to a word. */
export function isLetter(character: string): boolean {
  const unit = character.charCodeAt(0);
  if (unit >= 0x80) return LETTER.test(character);
  return (
    (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f
  );
}

/** A character without its casing; always one. */
export function folded(character: string): string {
  if (character.charCodeAt(0) < 0x80) return character.toLowerCase();
  const upper = one(character.toUpperCase()) ?? character;
  return one(upper.toLowerCase()) ?? upper;
}

function one(text: string): string | undefined {
  return Array.from(text).length === 1 ? text : undefined;
}

/**
 * Finds listed words and phrases in one pass over a text, however many there are (Aho and Corasick, 1975). A listed text begins
 * where there is no letter before it; whoever reads sees to it that it ends where none follows.
 */
export class WordAutomaton {
  readonly #nodes: Node[] = [{ next: new Map(), length: 0, entry: undefined, fail: ROOT, found: ROOT }];

  /** Builds it from entries without casing; yields after each entry and each node. */
  static *of(entries: readonly string[], endings: readonly string[]): Generator<undefined, WordAutomaton, undefined> {
    const automaton = new WordAutomaton();
    for (const entry of entries) {
      const end = automaton.#added(ROOT, entry, false);
      const inWord = isLetter(Array.from(entry).at(-1) ?? '');
      for (const ending of endings) automaton.#name(automaton.#added(end, ending, inWord), entry);
      yield;
    }
    yield* automaton.#link();
    return automaton;
  }

  /** The place after one more character, which is without casing. */
  after({ node, inWord }: WordPlace, character: string, letter: boolean): WordPlace {
    const begun = inWord ? node : this.#follow(node, BORDER);
    return { node: this.#follow(begun, character), inWord: letter };
  }

  /** Characters of the longest listed text, finished or not, that a text ends with. */
  open({ node }: WordPlace): number {
    return this.#nodes[node].length;
  }

  /** Listed entries that end at a place, the longest first, with how many characters they have there. */
  *ending({ node }: WordPlace): Generator<{ readonly entry: string; readonly length: number }, void, undefined> {
    for (let at = this.#nodes[node].found; at !== ROOT; at = this.#nodes[this.#nodes[at].fail].found) {
      const { entry, length } = this.#nodes[at];
      if (entry !== undefined) yield { entry, length };
    }
  }

  #added(from: number, text: string, inWord: boolean): number {
    let node = from;
    for (const character of text) {
      if (!inWord) node = this.#child(node, BORDER, 0);
      node = this.#child(node, character, 1);
      inWord = isLetter(character);
    }
    return node;
  }

  #child(node: number, key: string, characters: number): number {
    const { next, length } = this.#nodes[node];
    let child = next.get(key);
    if (child === undefined) {
      child = this.#nodes.length;
      this.#nodes.push({ next: new Map(), length: length + characters, entry: undefined, fail: ROOT, found: ROOT });
      next.set(key, child);
    }
    return child;
  }

  #name(at: number, entry: string): void {
    const node = this.#nodes[at];
    if (node.entry === undefined || node.entry.length < entry.length) node.entry = entry;
  }

  *#link(): Generator<undefined, void, undefined> {
    const queue = [ROOT];
    for (const at of queue) {
      const node = this.#nodes[at];
      node.found = node.entry === undefined ? this.#nodes[node.fail].found : at;
      for (const [key, child] of node.next) {
        this.#nodes[child].fail = at === ROOT ? ROOT : this.#follow(node.fail, key);
        queue.push(child);
      }
      yield;
    }
  }

  #follow(from: number, key: string): number {
    for (let at = from; ; at = this.#nodes[at].fail) {
      const child = this.#nodes[at].next.get(key);
      if (child !== undefined || at === ROOT) return child ?? ROOT;
    }
  }
}
