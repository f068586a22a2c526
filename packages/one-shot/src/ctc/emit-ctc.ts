import {
  type CtcLattice,
  type DecodeRequest,
  ForetokenError,
  type LatticeModel,
  type SourceEncoding,
} from '@foretoken/core';
import { readCtc } from './read-ctc.js';

/** Runs the model once for all rows and checks each row's lattice. Throws as `readCtc`, and whatever the model throws. */
export async function emitCtc<Source>(
  model: LatticeModel<Source>,
  { sources, signal }: DecodeRequest<Source>,
  k: number,
  encoding?: SourceEncoding,
): Promise<CtcLattice[]> {
  const lattices = await model.emit(sources, {
    k,
    ...(encoding === undefined ? {} : { encoding }),
    ...(signal === undefined ? {} : { signal }),
  });
  signal?.throwIfAborted();
  if (lattices.length !== sources.length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `The model emitted ${lattices.length} lattices for ${sources.length} sources; one each is required.`,
      { received: lattices.length, required: sources.length },
    );
  }
  return lattices.map((lattice, row) => readCtc(lattice as CtcLattice, model.vocabulary.size, row));
}
