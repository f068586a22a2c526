import { ForetokenError } from '../contract/errors.js';
import type { Lattice } from '../contract/lattice.js';
import { lengthOf } from './options.js';
import { show } from './show.js';

/** A lattice whose `kind` is this. */
export type LatticeOfKind<Kind extends Lattice['kind']> = Extract<Lattice, { readonly kind: Kind }>;

/** The arrays of a lattice of each kind. */
const ARRAYS = {
  ctc: ['tokenIds', 'logProbs', 'blankLogProbs'],
  dag: ['tokenIds', 'logProbs', 'transitions'],
} as const;

/** Whether a value has the arrays of a lattice of this kind; their sizes and scores are not looked at. It never throws. */
export function isLattice<Kind extends Lattice['kind']>(kind: Kind, value: unknown): value is LatticeOfKind<Kind> {
  return faultOf(kind, value) === undefined;
}

/**
 * The lattices of this kind that a model emitted, one for each source; their sizes and scores are not looked at.
 *
 * Throws `INVALID_ARGUMENT` where there are others, or other things.
 */
export function emitted<Kind extends Lattice['kind']>(
  kind: Kind,
  lattices: readonly Lattice[],
  sources: number,
): readonly LatticeOfKind<Kind>[] {
  const length = lengthOf(lattices);
  const given = length === sources ? Array.from(lattices) : [];
  if (length === sources && given.every((lattice) => isLattice(kind, lattice))) return given;
  const source = given.findIndex((lattice) => !isLattice(kind, lattice));
  const several = length === undefined ? show(lattices) : `${length} of them`;
  const received = source === -1 ? several : `${faultOf(kind, given[source])} for source ${source}`;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The lattice model emitted ${received}; ${sources} ${kind} lattices, one for each source, are required.`,
    { received: lattices, required: sources },
  );
}

/** What a value is that is no lattice of this kind; `undefined` for one that is. */
function faultOf(kind: Lattice['kind'], value: unknown): string | undefined {
  try {
    const fields = value as Readonly<Record<string, unknown>>;
    if (fields.kind !== 'ctc' && fields.kind !== 'dag') return show(value);
    if (fields.kind !== kind) return `a ${fields.kind} lattice`;
    const missing = ARRAYS[kind].find((name) => !ArrayBuffer.isView(fields[name]));
    return missing && `a ${kind} lattice with ${show(fields[missing])} as ${missing}`;
  } catch {
    return show(value);
  }
}
