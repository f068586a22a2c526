import type { OpenOptions } from '../contract/encoding.js';
import type { AutoregressiveSupport } from '../contract/token-tree.js';
import type { NodeStore } from './node-store.js';
import type { PromptSharing } from './prompt-sharing.js';

/** What a forest over a store is made of. */
export interface StoreForestOptions<Source = never> {
  /** Keeps what nodes need; the forest releases it. */
  readonly store: NodeStore;
  /** Tokens each row must begin with. */
  readonly prefixes: readonly Int32Array[];
  /** Tokens of the vocabulary. */
  readonly vocabularySize: number;
  /** Most tokens of a path, those of the prefix included. */
  readonly maxLength: number;
  /** What the model offers: anything else is refused. */
  readonly supports: AutoregressiveSupport;
  /** Most cells of a forward; default `MAX_FORWARD_CELLS`. Other work of the thread waits as long as a forward takes. */
  readonly maxCells?: number | undefined;
  /**
   * How what prompts have in common is found and read once, before `open` or `join` hands their rows out. Default: nothing is
   * shared. For stores that can `copy`.
   */
  readonly sharing?: PromptSharing | undefined;
  /** Reads the sources of rows that join; without it none can. Throws as `open` of the model does. */
  readonly join?: ((sources: readonly Source[], options: OpenOptions) => Promise<JoiningRows>) | undefined;
}

/** Rows that are about to join a forest. */
export interface JoiningRows {
  /** Tokens that each row begins with. */
  readonly prefixes: readonly Int32Array[];
  /** Hands what was computed of their sources to those who need it, as further rows after the last. */
  admit(): void;
}
