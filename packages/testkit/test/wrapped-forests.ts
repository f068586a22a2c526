import type {
  AutoregressiveModel,
  Extension,
  NewNodes,
  OutputRequest,
  TokenForest,
  TokenSource,
} from '@foretoken/core';
import { randomScriptedModel } from '@foretoken/testkit';

type Model = AutoregressiveModel<TokenSource>;

type Forest = TokenForest<TokenSource>;

export const SOURCES = [[5, 2], [3], [6, 6, 1]].map((tokenIds) => Int32Array.from(tokenIds));

export const scripted = (supports: Partial<Model['supports']> = {}): Model =>
  randomScriptedModel({ seed: 3, vocabularySize: 7, maxLength: 30, supports, prefix: [1, 4] });

/** What is wrong with a forest: calls that it answers otherwise than the one behind it. */
export type Fault = (forest: Forest) => Partial<Forest>;

type Extend = (nodes: NewNodes, output: OutputRequest, signal?: AbortSignal) => Promise<Extension>;

export const extending = (extend: (inner: Extend) => Extend): Fault => {
  return (forest) => ({ extend: extend((...input) => forest.extend(...input)) as Forest['extend'] });
};

/** Changes what is said of the scored nodes; the values of the first array are those that are asked about most. */
export const saying = (change: (extension: Extension, nodes: NewNodes) => Extension): Fault =>
  extending((inner) => async (nodes, output, signal) => change(await inner(nodes, output, signal), nodes));

export const shifted = (values: Float32Array, by: number): Float32Array => values.map((value) => value + by);

export const withLogits = (extension: Extension, change: (logits: Float32Array) => Float32Array): Extension =>
  extension.kind === 'logits' ? { ...extension, logits: change(extension.logits) } : extension;

export function faulty(fault: Fault): Model {
  const model = scripted();
  return {
    ...model,
    async open(sources, options) {
      const forest = await model.open(sources, options);
      const own: Forest = {
        get rows() {
          return forest.rows;
        },
        start: (row) => forest.start(row),
        extend: (nodes, output, signal) => forest.extend(nodes, output, signal),
        retain: (row, leaves) => forest.retain(row, leaves),
        finish: (row) => forest.finish(row),
        join: async (joining, given) => forest.join?.(joining, given) ?? 0,
        [Symbol.asyncDispose]: () => forest[Symbol.asyncDispose](),
      };
      // The properties themselves, so that `rows` stays a getter.
      return Object.defineProperties(own, Object.getOwnPropertyDescriptors(fault(forest)));
    },
  };
}
