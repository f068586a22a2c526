import {
  assertLattice,
  assertRequest,
  type CtcLattice,
  ctcBestPath,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type LatticeModel,
  type Requirements,
  RowOutput,
  type RowResult,
  refuseOutputPrefixes,
  type TokenSource,
} from '@foretoken/core';

const NAME = 'ctc-greedy';
const REQUIRES: Requirements = { model: 'lattice', kinds: ['ctc'], candidates: 1 };

/**
 * One-shot decoding of a CTC model: the best label of every frame, collapsed, after a single forward (best path
 * decoding; Graves et al., 2006, section 3.2; for translation, Libovický and Helcl, 2018).
 *
 * A hypothesis' `score` is the natural-log probability of that alignment, over all frames.
 */
export function ctcGreedy<Source = TokenSource>(): Decoder<LatticeModel<Source>> {
  return {
    name: NAME,
    contractVersion: 1,
    requires: REQUIRES,
    decode: (model, request) => decode(model, request as DecodeRequest<Source>, performance.now()),
  };
}

async function* decode<Source>(
  model: LatticeModel<Source>,
  request: DecodeRequest<Source>,
  startMs: number,
): AsyncGenerator<DecodeEvent, void, undefined> {
  assertRequest(request);
  assertLattice({ name: NAME, requires: REQUIRES }, model);
  refuseOutputPrefixes(NAME, request);
  const { sources, signal, maxNewTokens = Number.POSITIVE_INFINITY } = request;
  const lattices = (await model.emit(sources, signal === undefined ? { k: 1 } : { k: 1, signal })) as CtcLattice[];
  signal?.throwIfAborted();
  const elapsed = (): number => performance.now() - startMs;
  const results: RowResult[] = [];
  let tokens = 0;
  for (const [row, lattice] of lattices.entries()) {
    const path = ctcBestPath(lattice);
    const output = new RowOutput(model.vocabulary.endTokenId, maxNewTokens, request);
    for (const tokenId of path.tokenIds) if (!output.push(tokenId)) break;
    const tokenIds = output.tokenIds();
    const logProbs = path.logProbs.slice(0, tokenIds.length);
    yield { type: 'canvas-revise', row, tokenIds, logProbs, atMs: elapsed() };
    if (tokenIds.length > 0) yield { type: 'token-commit', row, position: 0, tokenIds, atMs: elapsed() };
    const finishReason = output.finishReason ?? 'complete';
    results.push({ row, hypotheses: [{ tokenIds, score: path.score, finishReason }] });
    tokens += tokenIds.length;
  }
  const atMs = elapsed();
  const statistics = {
    forwards: 1,
    draftForwards: 0,
    tokens,
    proposed: 0,
    evaluated: 0,
    accepted: 0,
    totalMs: atMs,
  };
  yield { type: 'decode-end', results, statistics, atMs };
}
