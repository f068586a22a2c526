import type { AutoregressiveModel, DecodeEvent, Decoder, RowResult, TokenForest } from '@foretoken/core';

/** Ways to be careless that a decoder of any model can have. */
export type CarelessFault =
  | 'writes into the request'
  | 'takes rows of one source for one'
  | 'is of no use once it was left'
  | 'ranks by one score and says another'
  | 'gives the array of an event again';

/** The laws that every suite of decoders has, which `careless.test.ts` breaks. */
export const COMMON_LAWS: readonly string[] = [
  'leaves the request and its arrays as they were',
  'gives rows of one source the same, in whatever order rows are',
  'decodes as before after a decode that failed, was aborted or was left',
];

/** A decoder behind another, with one such fault. */
export function careless<Model>(inner: Decoder<Model>, fault: CarelessFault): Decoder<Model> {
  let left = false;
  const array = new Int32Array(64);
  return {
    ...inner,
    async *decode(model, request): AsyncGenerator<DecodeEvent> {
      const once = fault === 'takes rows of one source for one';
      const rows = once ? [...new Set(request.sources)] : request.sources;
      if (left) throw new Error('in use');
      left = fault === 'is of no use once it was left';
      for await (const event of inner.decode(model, once ? { ...request, sources: rows } : request)) {
        if (fault === 'writes into the request') request.stopSequences?.[0]?.fill(1);
        if (fault === 'gives the array of an event again' && event.type === 'canvas-revise') {
          array.set(event.tokenIds);
          yield { ...event, tokenIds: array.subarray(0, event.tokenIds.length) };
          continue;
        }
        if (event.type !== 'decode-end') {
          yield event;
          continue;
        }
        left = false;
        const results = request.sources.map((source, row): RowResult => {
          const of = event.results[once ? rows.indexOf(source) : row];
          if (fault !== 'ranks by one score and says another') return { ...of, row };
          const hypotheses = [
            { ...of.best, score: -3 },
            { ...of.best, score: -2 },
          ] as const;
          return { row, best: hypotheses[0], hypotheses };
        });
        yield { ...event, results };
      }
    },
  };
}

/** A decoder whose token log-probabilities are each those of the token before. */
export function shiftedLogProbs<Model>(inner: Decoder<Model>): Decoder<Model> {
  return {
    ...inner,
    async *decode(model, request) {
      for await (const event of inner.decode(model, request)) {
        if (event.type !== 'decode-end') {
          yield event;
          continue;
        }
        const results = event.results.map(({ row, hypotheses }): RowResult => {
          const shifted = hypotheses.map((hypothesis) => {
            const { tokenLogProbs = new Float32Array() } = hypothesis;
            const given = Float32Array.from(tokenLogProbs, (_, at) => tokenLogProbs[Math.max(0, at - 1)]);
            return { ...hypothesis, tokenLogProbs: given };
          });
          return { row, best: shifted[0], hypotheses: shifted };
        });
        yield { ...event, results };
      }
    },
  };
}

/** A decoder that finishes no row before the first forward. */
export function lateToFinish<Source>(
  inner: Decoder<AutoregressiveModel<Source>>,
): Decoder<AutoregressiveModel<Source>> {
  const open = async (model: AutoregressiveModel<Source>, ...given: Parameters<typeof model.open>) => {
    const forest = await model.open(...given);
    let forwards = 0;
    const late: TokenForest<Source> = {
      rows: forest.rows,
      start: (row) => forest.start(row),
      extend(...nodes) {
        forwards++;
        return forest.extend(...nodes);
      },
      retain: (row, leaves) => forest.retain(row, leaves),
      finish(row) {
        if (forwards > 0) forest.finish(row);
      },
      [Symbol.asyncDispose]: () => forest[Symbol.asyncDispose](),
    };
    return late;
  };
  return {
    ...inner,
    decode: (model, request) => inner.decode({ ...model, open: (...given) => open(model, ...given) }, request),
  };
}
