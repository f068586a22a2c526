import type { DraftContext, LatticeModel, TokenSource, Vocabulary } from '@foretoken/core';
import {
  assertTokenSources,
  CtcPrefixScorer,
  ctcBestPath,
  emitted,
  isOfKind,
  lengthOf,
  type OptionReader,
  tokens,
  wrongValue,
  Yielder,
} from '@foretoken/core/kit';

/** Who says what an output will mostly copy: a function, or a CTC model that writes it in one forward. */
export type CopiedFrom<Source> =
  | ((source: Source, row: number, context: DraftContext) => Int32Array | Promise<Int32Array>)
  | LatticeModel<Source>;

/** A text to copy from. */
export interface WrittenText {
  readonly tokenIds: Int32Array;
  /** How sure the writer was of each token, where it says so; `[tokens]`. */
  readonly probabilities?: Float32Array | undefined;
}

/** Reads the option `from`. Which lattice models will do, `copyDrafter` says. */
export const copiedFrom: OptionReader<CopiedFrom<unknown>> = (name, value) => {
  if (typeof value === 'function' || isOfKind('lattice', value)) return value as CopiedFrom<unknown>;
  throw wrongValue(name, value, 'a function or a CTC model');
};

/** What each output may copy, without tokens that no draft holds; an entry a source. */
export async function writtenTexts<Source>(
  sources: readonly Source[],
  vocabulary: Vocabulary,
  from: CopiedFrom<Source> | undefined,
  context: DraftContext,
): Promise<WrittenText[]> {
  if (lengthOf(sources) === undefined) throw wrongValue('sources', sources, 'an array of sources');
  if (from !== undefined && typeof from !== 'function') return bestPaths(sources, vocabulary, from, context);
  if (from === undefined) assertTokenSources(sources, { vocabularySize: vocabulary.size, min: 0 });
  const texts =
    from === undefined
      ? (sources as readonly TokenSource[])
      : await Promise.all(sources.map((source, row) => from(source, row, context)));
  return texts.map((given, row) => {
    const tokenIds = tokens()('What from returns', given);
    return { tokenIds: Int32Array.from(drafted(tokenIds, row, vocabulary), (at) => tokenIds[at]) };
  });
}

/** Places of a text whose tokens may be drafted: not those that end outputs or fill batches. */
function drafted(tokenIds: Int32Array, row: number, { size, endTokenId, padTokenId }: Vocabulary): number[] {
  const strange = tokenIds.find((tokenId) => tokenId < 0 || tokenId >= size);
  if (strange !== undefined) throw wrongValue(`A token that from gives for source ${row}`, strange, `below ${size}`);
  return Array.from(tokenIds.keys()).filter((at) => tokenIds[at] !== endTokenId && tokenIds[at] !== padTokenId);
}

/** What a CTC model writes. Throws as `CtcPrefixScorer` does for lattices that are none. */
async function bestPaths<Source>(
  sources: readonly Source[],
  vocabulary: Vocabulary,
  model: LatticeModel<Source>,
  { encoding, signal }: DraftContext,
): Promise<WrittenText[]> {
  const lattices = emitted('ctc', await model.emit(sources, { encoding, signal, k: 1 }), sources.length);
  const yielder = new Yielder(signal);
  const texts: WrittenText[] = [];
  for (const lattice of lattices) {
    // It checks the lattice's scores.
    new CtcPrefixScorer(lattice, vocabulary.size, texts.length);
    const { tokenIds, logProbs } = ctcBestPath(lattice);
    const kept = drafted(tokenIds, texts.length, vocabulary);
    texts.push({
      tokenIds: Int32Array.from(kept, (at) => tokenIds[at]),
      probabilities: Float32Array.from(kept, (at) => Math.exp(logProbs[at])),
    });
    if (yielder.due()) await yielder.yield();
  }
  return texts;
}
