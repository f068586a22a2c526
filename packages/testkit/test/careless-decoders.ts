import type { AutoregressiveModel, DecodeEvent, Decoder, OptionalField, RowResult, TokenForest } from '@foretoken/core';

/** Ways to be careless that a decoder of any model can have. */
export type CarelessFault =
  | 'writes into the request'
  | 'takes rows of one source for one'
  | 'is of no use once it was left'
  | 'ranks by one score and says another'
  | 'gives the array of an event again'
  | 'passes over what it cannot use'
  | 'decodes the request that came last'
  | 'gives plain lists of tokens'
  | 'ends for a reason of its own'
  | 'tells of something that no event is'
  | 'counts drafts where there are none'
  | 'aligns tokens to frames before those of the token before';

/** The laws that every suite of decoders has, which `careless.test.ts` breaks. */
export const COMMON_LAWS: readonly string[] = [
  'leaves the request and its arrays as they were',
  'gives rows of one source the same, in whatever order rows are',
  'decodes as before after a decode that failed, was aborted or was left',
  'refuses of a request what it does not accept, before any compute',
  'gives at least minNewTokens, and no more than lengths, where it accepts them',
  'serves two decodes of different sources at once',
];

/** The law that the suites of canvases and edits have beside those. */
export const BEGINS = 'begins with initial outputs, or refuses them';

/** A decoder that passes over some of the request. */
export function passingOver<Model>(inner: Decoder<Model>, ...fields: readonly OptionalField[]): Decoder<Model> {
  const none = Object.fromEntries(fields.map((field) => [field, undefined]));
  return { ...inner, decode: (model, request) => inner.decode(model, { ...request, ...none }) };
}

/** A decoder that takes the length of the first row for all rows. */
export function oneLength<Model>(inner: Decoder<Model>): Decoder<Model> {
  const first = (lengths: number | readonly number[] | undefined) =>
    Array.isArray(lengths) ? lengths.map(() => Number(lengths[0])) : lengths;
  return { ...inner, decode: (model, request) => inner.decode(model, { ...request, lengths: first(request.lengths) }) };
}

/** A decoder behind another that changes its events. */
function telling<Model>(inner: Decoder<Model>, change: (event: DecodeEvent) => readonly DecodeEvent[]): Decoder<Model> {
  return {
    ...inner,
    async *decode(model, request) {
      for await (const event of inner.decode(model, request)) yield* change(event);
    },
  };
}

const FIELDS: readonly OptionalField[] = ['minNewTokens', 'lengths', 'outputPrefixes', 'initialOutputs'];

/** Faults that need no more than another decoder. */
function simple<Model>(inner: Decoder<Model>, fault: CarelessFault): Decoder<Model> | undefined {
  const { accepts = [] } = inner;
  switch (fault) {
    case 'passes over what it cannot use':
      return passingOver(inner, ...FIELDS.filter((field) => !accepts.includes(field)));
    case 'gives plain lists of tokens':
      return telling(inner, (event) =>
        event.type === 'token-commit' ? [{ ...event, tokenIds: [...event.tokenIds] as never }] : [event],
      );
    case 'ends for a reason of its own':
      return telling(inner, (event) => {
        if (event.type !== 'decode-end') return [event];
        const results = event.results.map(({ row, best }): RowResult => {
          const other = { ...best, finishReason: 'eos' as never };
          return { row, best: other, hypotheses: [other] };
        });
        return [{ ...event, results }];
      });
    case 'tells of something that no event is':
      return telling(inner, (event) =>
        event.type === 'decode-end' ? [{ type: 'progress', atMs: event.atMs } as never, event] : [event],
      );
    case 'counts drafts where there are none':
      return telling(inner, (event) => {
        if (event.type !== 'decode-end') return [event];
        const speculation = { draftForwards: 0, proposed: 0, evaluated: 0, accepted: 0 };
        return [{ ...event, statistics: { ...event.statistics, speculation } }];
      });
    case 'aligns tokens to frames before those of the token before':
      return telling(inner, (event) => {
        if (event.type !== 'decode-end') return [event];
        const results = event.results.map(({ row, best }): RowResult => {
          const firstFrames = Int32Array.from(best.tokenIds, (_, token) => token);
          const logProbs = new Float32Array(firstFrames.length);
          const lastFrames = firstFrames.map((frame) => frame + 1);
          const aligned = { ...best, alignment: { firstFrames, lastFrames, logProbs } };
          return { row, best: aligned, hypotheses: [aligned] };
        });
        return [{ ...event, results }];
      });
    default:
      return undefined;
  }
}

/** A decoder behind another, with one such fault. */
export function careless<Model>(inner: Decoder<Model>, fault: CarelessFault): Decoder<Model> {
  const other = simple(inner, fault);
  if (other !== undefined) return other;
  let left = false;
  let latest: Parameters<typeof inner.decode>[1] | undefined;
  const array = new Int32Array(64);
  return {
    ...inner,
    async *decode(model, given): AsyncGenerator<DecodeEvent> {
      let request = given;
      if (fault === 'decodes the request that came last') {
        latest = given;
        await Promise.resolve();
        request = latest;
      }
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
