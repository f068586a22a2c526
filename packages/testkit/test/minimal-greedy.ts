import type {
  AutoregressiveModel,
  DecodeEndEvent,
  DecodeEvent,
  DecodeRequest,
  Decoder,
  Hypothesis,
  RowResult,
  RowStart,
  TokenForest,
  TokenSource,
} from '@foretoken/core';
import {
  assertAccepted,
  assertAutoregressive,
  assertRequest,
  NodeBatch,
  nodeIdOf,
  outputLimit,
  ROOT,
  RowOutput,
  rowCuts,
  rowResult,
  type StopConditions,
  Yielder,
} from '@foretoken/core/kit';

type Model = AutoregressiveModel<TokenSource>;

/** Ways to get a minimal greedy decoder wrong. */
export type GreedyFault =
  | 'none'
  | 'ignores the limit'
  | 'limits all rows as the first'
  | 'ignores stop sequences'
  | 'ignores stop strings'
  | 'ignores output prefixes'
  | 'keeps the end token'
  | 'leaks its forest'
  | 'computes after an abort'
  | 'keeps the thread to itself'
  | 'sees an abort one forward late'
  | 'skips validation'
  | 'opens before checking the model'
  | 'lets rows influence one another'
  | 'never finishes a row'
  | 'never finishes a row and goes on feeding it'
  | 'swallows a failed forward'
  | 'obeys stop sequences in row 0 only'
  | 'obeys stop strings in row 0 only'
  | 'finds stop strings at the borders of tokens only'
  | 'returns nothing where there is a limit'
  | 'reports length for the end token'
  | 'reports a time that is none'
  | 'reports drafts that it never made'
  | 'ranks another hypothesis best'
  | 'counts too few forwards'
  | 'forgets a commit'
  | 'reads again what is cached'
  | 'takes what is cached for the whole prompt'
  | 'shares state between decodes';

const requires = { model: 'autoregressive', outputs: ['argmax'], branching: false, rollback: false } as const;

/** Greedy decoding in a few lines, with one fault planted. */
export function minimalGreedy(fault: GreedyFault): Decoder<Model> {
  let shared: number[][] = [];
  return {
    name: 'minimal',
    requires,
    async *decode(model: Model, request: DecodeRequest<TokenSource>): AsyncGenerator<DecodeEvent> {
      if (fault !== 'skips validation') assertRequest(request);
      if (fault !== 'ignores output prefixes') assertAccepted({ name: 'minimal', requires }, request);
      if (fault !== 'opens before checking the model') assertAutoregressive({ name: 'minimal', requires }, model);
      const forest = await model.open(request.sources);
      try {
        yield* run(forest, model, request);
      } finally {
        if (fault !== 'leaks its forest') await forest[Symbol.asyncDispose]();
      }
    },
  };

  async function* run(
    forest: TokenForest,
    model: Model,
    request: DecodeRequest<TokenSource>,
  ): AsyncGenerator<DecodeEvent> {
    const end = fault === 'keeps the end token' ? -1 : model.vocabulary.endTokenId;
    const starts = request.sources.map((_, row) => forest.start(row));
    const outputs = request.sources.map(
      (_, row) => new RowOutput(end, limitOf(row, starts[row], model, request), stopsOf(row, request)),
    );
    const restarts = fault === 'reads again what is cached';
    const last = starts.map(({ node }) => (restarts ? ROOT : node));
    const next = starts.map(({ prefix, cached }) => [...prefix.subarray(restarts ? 0 : cached)]);
    if (fault === 'takes what is cached for the whole prompt') {
      for (const [row, { prefix, cached }] of starts.entries()) if (cached > 0) next[row] = [...prefix.subarray(-1)];
    }
    const nodes = new NodeBatch();
    if (fault === 'shares state between decodes') shared = next;
    const feed = fault === 'shares state between decodes' ? () => shared : () => next;
    const yielder = new Yielder(request.signal);
    let forwards = 0;
    let aborted = false;
    const started = performance.now();
    const atMs = (): number => performance.now() - started;
    for (;;) {
      const rows = [...outputs.keys()].filter(
        (row) => outputs[row]?.finishReason === undefined || fault === 'never finishes a row and goes on feeding it',
      );
      if (outputs.every(({ finishReason }) => finishReason !== undefined)) break;
      if (fault === 'returns nothing where there is a limit' && request.maxNewTokens !== undefined) break;
      const late = fault === 'sees an abort one forward late' && forwards > 0 && !aborted;
      aborted = request.signal?.aborted === true;
      if (fault !== 'computes after an abort' && !late) request.signal?.throwIfAborted();
      nodes.clear();
      const ends = rows.map((row) => nodes.addChain(row, last[row], feed()[row], 'last'));
      const extended = forest.extend(nodes, { kind: 'argmax' });
      const extension = await (fault === 'swallows a failed forward' ? extended.catch(() => undefined) : extended);
      if (extension === undefined) break;
      const { firstNode, tokenIds } = extension;
      forwards++;
      for (const [index, row] of rows.entries()) {
        const output = outputs[row];
        const wrong = fault === 'lets rows influence one another' && rows.length > 2 && index === 0 && forwards === 2;
        const chosen = tokenIds[wrong ? 1 : index];
        last[row] = nodeIdOf(ends[index], firstNode);
        feed()[row] = [chosen];
        const position = output.length;
        output.push(chosen);
        if (output.length > position && !(fault === 'forgets a commit' && position === 2)) {
          yield { type: 'token-commit', row, position, tokenIds: Int32Array.of(chosen), atMs: atMs() };
        }
        if (output.finishReason !== undefined && !fault.startsWith('never finishes a row')) forest.finish(row);
        if (fault !== 'keeps the thread to itself' && yielder.due()) await yielder.yield();
      }
    }
    yield { type: 'decode-end', ...resultsOf(outputs, forwards, atMs()), atMs: atMs() };
  }

  function limitOf(row: number, { prefix }: RowStart, model: Model, request: DecodeRequest<TokenSource>): number {
    if (fault === 'ignores the limit') return model.maxLength;
    return outputLimit(
      model.maxLength,
      prefix.length,
      rowCuts(request, fault === 'limits all rows as the first' ? 0 : row),
    );
  }

  function stopsOf(row: number, { stopSequences = [], stopStrings }: DecodeRequest<TokenSource>): StopConditions {
    const first = row === 0;
    const sequences =
      fault === 'ignores stop sequences' || (fault === 'obeys stop sequences in row 0 only' && !first)
        ? []
        : stopSequences;
    const strings =
      fault === 'ignores stop strings' || (fault === 'obeys stop strings in row 0 only' && !first)
        ? undefined
        : stopStrings;
    if (strings === undefined) return { stopSequences: sequences };
    // A string that ends inside a token is not found where the text must end with it.
    const borders = {
      strings: ['$'],
      textOf: (tokenIds: Int32Array) => {
        const text = strings.textOf(tokenIds);
        return strings.strings.some((string) => text.endsWith(string)) ? '$' : '';
      },
    };
    return {
      stopSequences: sequences,
      stopStrings: fault === 'finds stop strings at the borders of tokens only' ? borders : strings,
    };
  }

  function resultsOf(
    outputs: readonly RowOutput[],
    forwards: number,
    totalMs: number,
  ): Pick<DecodeEndEvent, 'results' | 'statistics'> {
    const hypotheses = outputs.map((output): Hypothesis => {
      const found = output.hypothesis();
      const ended = fault === 'reports length for the end token' && found.finishReason === 'end-token';
      return ended ? { ...found, finishReason: 'length' } : found;
    });
    const results = hypotheses.map((hypothesis, row): RowResult => {
      const result = rowResult(row, [hypothesis]);
      return fault === 'ranks another hypothesis best' ? { ...result, best: { ...hypothesis } } : result;
    });
    const statistics = {
      forwards: fault === 'counts too few forwards' ? forwards - 1 : forwards,
      tokens: outputs.reduce((sum, { length }) => sum + length, 0),
      totalMs: fault === 'reports a time that is none' ? Number.NaN : totalMs,
      speculation:
        fault === 'reports drafts that it never made'
          ? { draftForwards: 1, proposed: 3, evaluated: 3, accepted: 1 }
          : undefined,
    };
    return { results, statistics };
  }
}
