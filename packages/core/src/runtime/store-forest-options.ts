import type { OpenOptions } from '../contract/encoding.js';
import type { AutoregressiveSupport } from '../contract/token-tree.js';
import { wrongValue } from '../kit/checks.js';
import { isCount } from '../kit/model-kinds.js';
import {
  checkOptions,
  fields,
  hasMethods,
  immediate,
  integer,
  listOf,
  type OptionReader,
  type OptionTable,
  tokens,
  withMethods,
} from '../kit/options.js';
import type { NodeStore } from './node-store.js';

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
  readonly sharing?: SharedPrompts | undefined;
  /** Reads the sources of rows that join; without it none can. Throws as `open` of the model does. */
  readonly join?: ((sources: readonly Source[], options: OpenOptions) => Promise<JoiningRows>) | undefined;
}

/** What of prompts is read once. */
export interface SharedPrompts {
  /** Tokens of which all or none are shared. */
  readonly block: number;
  /** Tokens at least that each row reads by itself: the last, which is to be scored, or more; default 1. */
  readonly own?: number | undefined;
}

/** Rows that are about to join a forest. */
export interface JoiningRows {
  /** Tokens that each row begins with. */
  readonly prefixes: readonly Int32Array[];
  /** Hands what was computed of their sources to those who need it, as further rows after the last. */
  admit(): void;
}

const supports: OptionReader<AutoregressiveSupport> = (name, value) => {
  if (isSupport(value)) return value;
  throw wrongValue(name, value, 'what a model supports: outputs, branching, rollback, rows and maxCandidates');
};

function isSupport(value: unknown): value is AutoregressiveSupport {
  try {
    const { outputs, states = [], branching, rollback, rows, maxCandidates } = value as Partial<AutoregressiveSupport>;
    const flags = [branching, rollback].every((one) => typeof one === 'boolean');
    return flags && Array.isArray(outputs) && Array.isArray(states) && isCount(rows) && Number.isInteger(maxCandidates);
  } catch {
    return false;
  }
}

const METHODS = ['extend', 'compact', 'admit', 'release', 'dispose'] as const;
const STORE = withMethods<NodeStore>('a store of nodes', ...METHODS);
const SHARING_STORE = withMethods<NodeStore>(
  'a store of nodes whose copy, if it has one, is a method',
  ...METHODS,
  'copy',
);

const OPTIONS: OptionTable<StoreForestOptions<unknown>> = {
  store: (name, value) => {
    const store = STORE(name, value);
    return store.copy === undefined ? store : SHARING_STORE(name, value);
  },
  prefixes: listOf(tokens(1)),
  vocabularySize: integer(1),
  maxLength: integer(1),
  supports,
  maxCells: integer(1),
  sharing: fields<SharedPrompts>({ block: integer(1), own: integer(1) }, ['block']),
  join: (name, value) => {
    if (typeof value === 'function') return value as NonNullable<StoreForestOptions<unknown>['join']>;
    throw wrongValue(name, value, 'a function that reads the sources of rows');
  },
};

/** A checked copy of what a forest is made of. Throws `INVALID_ARGUMENT`. */
export function forestOptions<Source>(options: StoreForestOptions<Source>): StoreForestOptions<Source> {
  const table = OPTIONS as OptionTable<StoreForestOptions<Source>>;
  const required = ['store', 'prefixes', 'vocabularySize', 'maxLength', 'supports'] as const;
  return checkOptions('StoreForest', options, table, required);
}

const joining = listOf(tokens(1));

/** What reading the sources of new rows gave. Throws `INVALID_ARGUMENT` where that is no rows. */
export function joiningRows(given: JoiningRows, sources: number): JoiningRows {
  if (!hasMethods(given, 'admit')) throw wrongValue('What join gives', given, 'rows that are about to join');
  const prefixes = joining('prefixes, as join gives them,', given.prefixes);
  if (prefixes.length === sources) return { prefixes, admit: () => immediate('What admit gives', given.admit()) };
  throw wrongValue('prefixes, as join gives them,', given.prefixes, `an array of ${sources}, one for each source`);
}
