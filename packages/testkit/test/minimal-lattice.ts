import type {
  CtcLattice,
  DecodeEvent,
  DecodeRequest,
  Decoder,
  Hypothesis,
  LatticeModel,
  RowResult,
  SourceEncoding,
  TokenSource,
} from '@foretoken/core';
import {
  assertAccepted,
  assertLattice,
  assertRequest,
  cutOutput,
  decodeEnd,
  type RowCuts,
  rowCuts,
  rowResult,
  Yielder,
} from '@foretoken/core/kit';

/** Ways to get a minimal lattice decoder wrong. */
export type LatticeFault =
  | 'none'
  | 'ignores the limit'
  | 'limits all rows as the first'
  | 'ignores stops'
  | 'obeys stops in row 0 only'
  | 'lets rows influence one another'
  | 'shares state between decodes'
  | 'asks the model for each row'
  | 'counts too many forwards'
  | 'shows something else than it commits'
  | 'leaks its encoding'
  | 'leaks its encoding where the model fails'
  | 'swallows a failure of the model'
  | 'goes on after an abort while the model is asked'
  | 'never lets others have a turn'
  | 'skips validation'
  | 'takes any lattice';

const requires = { model: 'lattice', kinds: ['ctc'], candidates: 1 } as const;

/** The best path of a CTC lattice in a few lines, with one fault planted. */
export function minimalLattice(fault: LatticeFault): Decoder<LatticeModel<TokenSource>> {
  let shared = 0;
  return {
    name: 'minimal',
    requires,
    async *decode(model, request): AsyncGenerator<DecodeEvent> {
      if (fault !== 'skips validation') {
        assertRequest(request);
        assertAccepted({ name: 'minimal', requires }, request);
      }
      if (fault !== 'takes any lattice') assertLattice({ name: 'minimal', requires }, model);
      const { sources, signal } = request;
      const encoding = await model.encoder?.encode(sources);
      let failed = true;
      try {
        const lattices = await emit(model, sources, encoding);
        failed = false;
        if (fault !== 'goes on after an abort while the model is asked') signal?.throwIfAborted();
        yield* run(lattices, model.vocabulary.endTokenId, request);
      } finally {
        const leaks =
          fault === 'leaks its encoding' || (failed && fault === 'leaks its encoding where the model fails');
        if (!leaks) encoding?.dispose();
      }
    },
  };

  async function emit(
    model: LatticeModel<TokenSource>,
    sources: readonly TokenSource[],
    encoding: SourceEncoding | undefined,
  ): Promise<CtcLattice[]> {
    const open = encoding === undefined ? {} : { encoding };
    try {
      if (fault !== 'asks the model for each row') return (await model.emit(sources, open)) as CtcLattice[];
      const all = await Promise.all(sources.map((source) => model.emit([source], open)));
      return all.flat() as CtcLattice[];
    } catch (error) {
      if (fault === 'swallows a failure of the model') return [];
      throw error;
    }
  }

  async function* run(
    lattices: readonly CtcLattice[],
    endTokenId: number | undefined,
    request: DecodeRequest<TokenSource>,
  ): AsyncGenerator<DecodeEvent> {
    const began = performance.now();
    const yielder = new Yielder(request.signal);
    const results: RowResult[] = [];
    for (const [row, lattice] of lattices.entries()) {
      if (fault !== 'never lets others have a turn' && yielder.due()) await yielder.yield();
      if (fault === 'shares state between decodes') shared++;
      if (fault === 'shares state between decodes') await Promise.resolve();
      const skipped = fault === 'lets rows influence one another' && row === 2 ? 1 : shared % 2;
      const path = pathOf(lattice).slice(skipped);
      const found: Hypothesis = { ...cutOutput(path, endTokenId, cutsOf(row, request)) };
      const { tokenIds } = found;
      const shown = fault === 'shows something else than it commits' ? tokenIds.slice(1) : tokenIds;
      const atMs = performance.now() - began;
      yield { type: 'canvas-revise', row, tokenIds: shown, atMs };
      if (tokenIds.length > 0) yield { type: 'token-commit', row, position: 0, tokenIds, atMs };
      results.push(rowResult(row, [found]));
    }
    yield decodeEnd(results, began, { forwards: fault === 'counts too many forwards' ? 2 : 1 });
  }

  function cutsOf(row: number, request: DecodeRequest<TokenSource>): RowCuts {
    const { maxNewTokens, stopSequences, stopStrings } = rowCuts(
      request,
      fault === 'limits all rows as the first' ? 0 : row,
    );
    const ignores = fault === 'ignores stops' || (fault === 'obeys stops in row 0 only' && row > 0);
    return {
      maxNewTokens: fault === 'ignores the limit' ? undefined : maxNewTokens,
      stopSequences: ignores ? undefined : stopSequences,
      stopStrings: ignores ? undefined : stopStrings,
    };
  }
}

/** The best label of each frame, equal neighbours and blanks left out. */
function pathOf({ tokenIds, k, blankId }: CtcLattice): number[] {
  const best = Array.from({ length: tokenIds.length / k }, (_, frame) => tokenIds[frame * k]);
  return best.filter((label, frame) => label !== blankId && label !== best[frame - 1]);
}
