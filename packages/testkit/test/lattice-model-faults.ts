import type { LatticeModel, TokenSource } from '@foretoken/core';
import { ENCODING, type Fault, OPTIONS } from './model-fault.js';

type LatticeOf = LatticeModel<TokenSource>;
type Lattices = Awaited<ReturnType<LatticeOf['emit']>>;

const REFUSES_EMIT = 'refuses sources that are none, and computes nothing for a signal that was aborted';

const emitting =
  (emit: (inner: LatticeOf['emit']) => LatticeOf['emit']) =>
  (model: LatticeOf): LatticeOf => ({ ...model, emit: emit((...given) => model.emit(...given)) });

const saying = (change: (lattices: Lattices, sources: readonly TokenSource[]) => Lattices) =>
  emitting((inner) => async (sources, options) => change(await inner(sources, options), sources));

/** Changes the log-probabilities of every lattice, whose arrays are its own. */
const scoring = (change: (logProb: number, cell: number, rows: number) => number) =>
  saying((lattices) => {
    for (const { logProbs } of lattices) {
      for (const [cell, value] of logProbs.entries()) logProbs[cell] = change(value, cell, lattices.length);
    }
    return lattices;
  });

const IN_ORDER = 'gives each source a lattice of the kind it says, in their order';
const RANKED = 'ranks candidates best first, and knows what comes after what';
const ASKED = 'gives as many candidates as it is asked for, the best of all, and no more than it has';
const AGAIN = 'gives arrays away, and the same again, to two at once too';

export const LATTICE_FAULTS: readonly Fault<LatticeOf>[] = [
  {
    fault: 'gives two rows of one source the same arrays',
    law: AGAIN,
    plant: saying((lattices, sources) => lattices.map((_, row) => lattices[sources.indexOf(sources[row])])),
  },
  { fault: 'lets rows influence one another', law: IN_ORDER, plant: scoring((value, _, rows) => value - rows) },
  { fault: 'gives lattices in reverse', law: IN_ORDER, plant: saying((lattices) => lattices.reverse()) },
  {
    fault: 'gives lattices of another kind',
    law: IN_ORDER,
    plant: (model) => ({ ...model, supports: { ...model.supports, kind: 'dag' } }),
  },
  {
    fault: 'begins with a token that there is not',
    law: IN_ORDER,
    plant: (model) => ({ ...model, startTokenId: model.vocabulary.size }),
  },
  { fault: 'gives probabilities in the place of logarithms', law: RANKED, plant: scoring(Math.exp) },
  {
    fault: 'gives a list of token ids',
    law: RANKED,
    plant: saying((lattices) => lattices.map((lattice) => ({ ...lattice, tokenIds: [...lattice.tokenIds] as never }))),
  },
  { fault: 'ranks nothing', law: RANKED, plant: scoring((_, cell) => -5 + (cell % 3)) },
  {
    fault: 'has another score of the blank among the candidates',
    law: RANKED,
    plant: saying((lattices) => {
      for (const lattice of lattices) if (lattice.kind === 'ctc') lattice.blankLogProbs.fill(-0.5);
      return lattices;
    }),
  },
  {
    fault: 'always gives all candidates',
    law: ASKED,
    plant: emitting((inner) => (sources, options) => inner(sources, { ...options, k: 99 })),
  },
  {
    fault: 'takes any k',
    law: ASKED,
    plant: emitting(
      (inner) => (sources, options) => inner(sources, { ...options, k: Math.max(1, Math.floor(options?.k || 1)) }),
    ),
  },
  {
    fault: 'gives the same arrays again',
    law: AGAIN,
    plant: emitting((inner) => {
      const kept = new Map<string, Lattices>();
      return async (sources, options) => {
        const key = `${options?.k} ${sources.map((source) => [...source].join(' ')).join('; ')}`;
        const lattices = kept.get(key) ?? (await inner(sources, options));
        kept.set(key, lattices);
        return lattices;
      };
    }),
  },
  {
    fault: 'looks at no option that it does not know',
    law: OPTIONS,
    plant: emitting((inner) => async (sources, options) => {
      const { k, encoding, signal } = options ?? {};
      return inner(sources, { k, encoding, signal });
    }),
  },
  {
    fault: 'looks at no encoding',
    law: ENCODING,
    plant: emitting((inner) => (sources, options) => inner(sources, { ...options, encoding: undefined })),
  },
  {
    fault: 'takes no sources for no lattices',
    law: REFUSES_EMIT,
    plant: emitting((inner) => async (sources, options) => (sources.length === 0 ? [] : inner(sources, options))),
  },
  {
    fault: 'does not look at the signal',
    law: REFUSES_EMIT,
    plant: emitting((inner) => (sources, options) => inner(sources, { ...options, signal: undefined })),
  },
];
