import type { CtcLattice, DecodeRequest, LatticeModel, SourceEncoding } from '@foretoken/core';
import { emitted, type Yielder } from '@foretoken/core/kit';
import { readCtc } from './read-ctc.js';

export interface EmitCtcOptions {
  /** Candidates of each frame; no more are asked for than the vocabulary has. */
  readonly k: number;
  readonly yielder: Yielder;
  /** Row of the first source, for errors (default 0). */
  readonly firstRow?: number | undefined;
  readonly encoding?: SourceEncoding | undefined;
}

/** Runs the model once for all rows and checks each row's lattice. Throws as `readCtc`, and whatever the model throws. */
export async function emitCtc<Source>(
  model: LatticeModel<Source>,
  { sources, signal }: Pick<DecodeRequest<Source>, 'sources' | 'signal'>,
  { k, yielder, firstRow = 0, encoding }: EmitCtcOptions,
): Promise<readonly CtcLattice[]> {
  const { size } = model.vocabulary;
  const given = await model.emit(sources, { k: Math.min(k, size), encoding, signal });
  signal?.throwIfAborted();
  const lattices = emitted('ctc', given, sources.length);
  for (const [row, lattice] of lattices.entries()) {
    readCtc(lattice, size, firstRow + row);
    if (yielder.due()) await yielder.yield();
  }
  return lattices;
}
