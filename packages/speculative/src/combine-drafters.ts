import type {
  DraftContext,
  Drafter,
  DraftingCosts,
  DraftLimit,
  DraftRequest,
  DraftSession,
  DraftTree,
  Vocabulary,
} from '@foretoken/core';
import { assertVocabulary, listOf } from '@foretoken/core/kit';
import { assertDraft } from './draft-tree.js';
import { DraftTrie } from './draft-trie.js';
import { GuardedDrafts, drafter as readDrafter } from './guarded-drafts.js';

/** What a node is taken for whose drafter does not say how probable it is. */
const UNKNOWN_PROBABILITY = 0.75;
/** Of drafters that take any. */
const ANY_VOCABULARY: Vocabulary = { size: 2 ** 31 };

/**
 * Several drafters as one: their drafts are merged into one tree, most probable nodes first; where they agree nodes are joined,
 * where they do not, each has a branch. A target without branching follows the most probable path.
 *
 * Throws `INVALID_ARGUMENT`, also for drafters of different vocabularies; drafts throw `INVALID_DRAFT` where one of the drafters
 * breaks its contract, and what a drafter throws on purpose.
 */
export function combineDrafters<Source>(drafters: readonly Drafter<Source>[]): Drafter<Source> {
  const all = listOf(readDrafter, 1)('drafters', drafters) as readonly Drafter<Source>[];
  const vocabulary = commonVocabulary(all);
  // An encoding is of one encoder; drafters of another encode for themselves.
  const encoder = all.find((drafter) => drafter.encoder !== undefined)?.encoder;
  return {
    name: all.map(({ name }) => name).join(' and '),
    vocabulary,
    encoder,
    get costs() {
      return sumOfCosts(all);
    },
    async open(sources, { encoding, ...context }) {
      const contextOf = (drafter: Drafter<Source>): DraftContext =>
        encoding !== undefined && drafter.encoder === encoder ? { ...context, encoding } : context;
      const openings = all.map((drafter) => GuardedDrafts.open(drafter, sources, contextOf(drafter)));
      const settled = await Promise.allSettled(openings);
      const opened = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const failed = settled.find((result) => result.status === 'rejected');
      if (failed !== undefined) {
        // What went wrong first is what the caller should hear of.
        await Promise.allSettled(opened.map((session) => session[Symbol.asyncDispose]()));
        throw failed.reason;
      }
      const names = all.map(({ name }) => name);
      return new CombinedSession(opened, names, vocabulary ?? ANY_VOCABULARY);
    },
  };
}

/** The vocabulary of all drafters that have one. Throws `INVALID_ARGUMENT`. */
function commonVocabulary(drafters: readonly Drafter<never>[]): Vocabulary | undefined {
  const [first, ...others] = drafters.flatMap(({ vocabulary }) => vocabulary ?? []);
  if (first !== undefined) for (const other of others) assertVocabulary('drafters', other, first);
  return first;
}

/** Absent until one was measured. */
function sumOfCosts(drafters: readonly Drafter<never>[]): DraftingCosts | undefined {
  const known = drafters.flatMap(({ costs }) => costs ?? []);
  if (known.length === 0) return undefined;
  return {
    open: known.reduce((sum, { open }) => sum + open, 0),
    propose: known.reduce((sum, { propose }) => sum + propose, 0),
  };
}

class CombinedSession implements DraftSession {
  readonly #sessions: readonly GuardedDrafts[];
  readonly #names: readonly string[];
  readonly #vocabulary: Vocabulary;

  constructor(sessions: readonly GuardedDrafts[], names: readonly string[], vocabulary: Vocabulary) {
    this.#sessions = sessions;
    this.#names = names;
    this.#vocabulary = vocabulary;
  }

  get forwards(): number {
    return this.#sessions.reduce((sum, { forwards }) => sum + forwards, 0);
  }

  async propose(requests: readonly DraftRequest[]): Promise<DraftTree[]> {
    const proposals = await Promise.all(this.#sessions.map((session) => session.propose(requests)));
    return requests.map(({ limit }, index) => {
      const drafts = proposals.map((proposal) => proposal[index]);
      for (const [at, draft] of drafts.entries()) {
        assertDraft(draft, limit, this.#vocabulary, this.#names[at]);
      }
      return merged(drafts, limit);
    });
  }

  /** Answers once all have been told, so that a failure is heard of. */
  async finish(row: number): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.finish(row)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const released = await Promise.allSettled(this.#sessions.map((session) => session[Symbol.asyncDispose]()));
    for (const result of released) if (result.status === 'rejected') throw result.reason;
  }
}

/** One tree of several, the first one's nodes before equally probable ones of the others. */
function merged(drafts: readonly DraftTree[], limit: DraftLimit): DraftTree {
  const trie = new DraftTrie();
  for (const { tokenIds, parents, probabilities } of drafts) {
    const nodes = new Int32Array(tokenIds.length);
    const paths = new Float64Array(tokenIds.length);
    for (const [node, tokenId] of tokenIds.entries()) {
      const parent = parents[node];
      const above = parent < 0 ? 1 : paths[parent];
      const path = above * (probabilities?.[node] ?? UNKNOWN_PROBABILITY);
      paths[node] = path;
      nodes[node] = trie.add(parent < 0 ? -1 : nodes[parent], tokenId, path, Math.max);
    }
  }
  return trie.best(limit);
}
