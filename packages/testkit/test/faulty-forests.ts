import type { Extension, NewNodes, OutputRequest, TokenForest, TokenSource } from '@foretoken/core';
import { extending, type Fault, SOURCES, saying, shifted, withLogits } from './wrapped-forests.js';

type Forest = TokenForest<TokenSource>;

const WHOLE = 'scores a node as reading its whole path does, whatever grew, branched, was taken back or ended';
const KINDS = 'gives in each kind of output what it gives in the others';
const SCORED = 'scores the nodes that were asked for, in their order, and no others';
const REFUSES = 'refuses bad nodes by code, and adds none of them';
const FINISHED = 'forgets a finished row, and gives its ids to nobody';
const RUNNING = 'lets nothing change rows while a call is running, and ends it with DISPOSED';
const ABORTED = 'computes nothing for a signal that was aborted';
const OPTIONS = 'refuses options that it does not have, and values of a wrong type';
const JOINS = 'lets rows join and leave without a bit of difference to the others, or refuses to';
const OWN = 'gives arrays away, and reads those it is given during the call only';
const sumOf = (values: Int32Array): number => values.reduce((sum, value) => sum + value, 0);

export const FAULTS: readonly (readonly [name: string, law: string, fault: Fault])[] = [
  [
    'gives the array of an extension again',
    OWN,
    (forest) => {
      const arrays = new Map<number, Float32Array>();
      return saying((extension) =>
        withLogits(extension, (logits) => {
          const kept = arrays.get(logits.length) ?? logits;
          kept.set(logits);
          arrays.set(logits.length, kept);
          return kept;
        }),
      )(forest);
    },
  ],
  [
    'reads new nodes once more in the next call',
    OWN,
    (forest) => {
      let before: { readonly tokenId: Int32Array; readonly sum: number } | undefined;
      return extending((inner) => async (nodes, output, signal) => {
        const extension = await inner(nodes, output, signal);
        const changed = before === undefined ? 0 : sumOf(before.tokenId) - before.sum;
        before = { tokenId: nodes.tokenId, sum: sumOf(nodes.tokenId) };
        return withLogits(extension, (logits) => shifted(logits, 0.001 * changed));
      })(forest);
    },
  ],
  [
    'hands out the prefix that it begins with',
    OWN,
    (forest) => {
      const starts = new Map<number, ReturnType<Forest['start']>>();
      return {
        start(row) {
          const start = starts.get(row) ?? forest.start(row);
          if (forest.start(row).cached === start.cached) starts.set(row, start);
          return start;
        },
      };
    },
  ],
  [
    'remembers what was taken back',
    WHOLE,
    (forest) => {
      let taken = 0;
      return {
        retain(row, leaves) {
          taken++;
          forest.retain(row, leaves);
        },
        extend: (async (nodes: NewNodes, output: OutputRequest) =>
          withLogits(await forest.extend(nodes, output), (logits) =>
            shifted(logits, 0.001 * taken),
          )) as Forest['extend'],
      };
    },
  ],
  [
    'keeps the path to the last of several leaves alone',
    WHOLE,
    (forest) => ({ retain: (row, leaves) => forest.retain(row, leaves.slice(-1)) }),
  ],
  [
    'lets the rows of a forward influence one another',
    WHOLE,
    saying((extension, { row }) => withLogits(extension, (logits) => shifted(logits, new Set(row).size - 1))),
  ],
  ['says another kind than it gives', KINDS, saying((extension) => ({ ...extension, kind: 'topK' }) as Extension)],
  [
    'lists the worst candidate first',
    KINDS,
    saying((extension) =>
      extension.kind === 'topK' ? { ...extension, tokenIds: extension.tokenIds.slice().reverse() } : extension,
    ),
  ],
  [
    'gives unnormalised log-probabilities',
    KINDS,
    saying((extension) =>
      extension.kind === 'logProbs' ? { ...extension, logProbs: shifted(extension.logProbs, 1) } : extension,
    ),
  ],
  [
    'takes another token for the best',
    KINDS,
    saying((extension) =>
      extension.kind === 'argmax'
        ? { ...extension, tokenIds: extension.tokenIds.map((tokenId) => (tokenId + 1) % 7) }
        : extension,
    ),
  ],
  [
    'reports another score of the best token than it has',
    KINDS,
    saying((extension) =>
      extension.kind === 'argmax'
        ? { ...extension, scores: new Float32Array(extension.tokenIds.length).fill(-77) }
        : extension,
    ),
  ],
  [
    'scores every node',
    SCORED,
    extending(
      (inner) =>
        ({ row, parent, tokenId }, output, signal) =>
          inner({ row, parent, tokenId }, output, signal),
    ),
  ],
  [
    'gives the scores in the order of the rows',
    SCORED,
    saying((extension, { row, scored }) =>
      withLogits(extension, (logits) => {
        const rows = [...row].filter((_, index) => scored?.[index] !== 0);
        const order = rows.map((_, index) => index).sort((a, b) => rows[a] - rows[b] || a - b);
        return Float32Array.from(order.flatMap((index) => [...logits.subarray(index * 7, index * 7 + 7)]));
      }),
    ),
  ],
  [
    'takes token ids modulo the vocabulary',
    REFUSES,
    extending((inner) => (nodes, output, signal) => {
      return inner({ ...nodes, tokenId: nodes.tokenId.map((tokenId) => (tokenId + 7) % 7) }, output, signal);
    }),
  ],
  [
    'adds the nodes before the one it refuses',
    REFUSES,
    extending((inner) => async (nodes, output, signal) => {
      try {
        return await inner(nodes, output, signal);
      } catch (error) {
        const { row, parent, tokenId } = nodes;
        const good = { row: row.slice(0, 2), parent: parent.slice(0, 2), tokenId: tokenId.slice(0, 2) };
        if (tokenId.length > 2) await inner(good, output, signal);
        throw error;
      }
    }),
  ],
  ['keeps finished rows', FINISHED, () => ({ finish() {} })],
  [
    'gives rows other numbers when one is finished',
    FINISHED,
    (forest) => {
      let finished = 0;
      return {
        finish(row) {
          finished++;
          forest.finish(row);
        },
        get rows() {
          return forest.rows - finished;
        },
      };
    },
  ],
  [
    'takes back nodes under a forward',
    RUNNING,
    (forest) => ({
      retain(row, leaves) {
        try {
          forest.retain(row, leaves);
        } catch (error) {
          if ((error as { code?: string }).code !== 'INVALID_ARGUMENT') throw error;
        }
      },
    }),
  ],
  ['goes on when it is disposed of', RUNNING, () => ({ async [Symbol.asyncDispose]() {} })],
  [
    'takes an output request for what is known of it',
    OPTIONS,
    extending((inner) => (nodes, output, signal) => inner(nodes, { kind: output.kind, k: 3 } as OutputRequest, signal)),
  ],
  [
    'takes no number of candidates for one',
    OPTIONS,
    extending(
      (inner) => (nodes, output, signal) =>
        inner(nodes, output.kind === 'topK' ? { ...output, k: output.k ?? 1 } : output, signal),
    ),
  ],
  ['does not look at the signal', ABORTED, extending((inner) => (nodes, output) => inner(nodes, output))],
  [
    'lets rows join that were not announced',
    JOINS,
    () => ({
      join: async () => 1,
    }),
  ],
  [
    'changes a bit of the others when a row joins',
    JOINS,
    (forest) => ({
      extend: (async (nodes: NewNodes, output: OutputRequest) =>
        withLogits(await forest.extend(nodes, output), (logits) =>
          forest.rows > 2 ? logits.map((value) => value * (1 + 2e-7)) : logits,
        )) as Forest['extend'],
    }),
  ],
  [
    'adds a row for a source that it refuses',
    JOINS,
    (forest) => {
      let refused = 0;
      return {
        get rows() {
          return forest.rows + refused;
        },
        async join(sources) {
          try {
            return (await forest.join?.(sources)) ?? 0;
          } catch (error) {
            refused++;
            throw error;
          }
        },
      };
    },
  ],
  [
    'begins with what is cached though sharing is refused',
    OPTIONS,
    (forest) => ({ start: (row) => ({ ...forest.start(row), cached: 1, node: 0 }) }),
  ],
  [
    'gives a row that joins the source of another',
    JOINS,
    (forest) => ({ join: async () => (await forest.join?.([SOURCES[0] as TokenSource])) ?? 0 }),
  ],
];
