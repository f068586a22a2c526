import { ForetokenError } from '../contract/errors.js';
import type { CtcLattice, DagLattice } from '../contract/lattice.js';
import { hasMethods, lengthOf } from './options.js';
import { show } from './show.js';

/** What a decode calls of what a model opened. */
const SESSIONS = {
  autoregressive: ['start', 'extend', 'retain', 'finish'],
  canvas: ['fill'],
  edit: ['deletions', 'placeholders', 'fill'],
} as const;

/** What a model opened. Throws `INVALID_ARGUMENT` where that is no session of its kind, so that nothing can be asked of it. */
export function opened<Session extends AsyncDisposable>(kind: keyof typeof SESSIONS, session: Session): Session {
  const methods = SESSIONS[kind];
  if (hasMethods(session, ...methods) && isDisposable(session)) return session;
  const required = [...methods.map((method) => `${method}()`), '[Symbol.asyncDispose]()'].join(', ');
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The ${kind} model opened ${show(session)}; an object with ${required} is required.`,
    { received: session, required },
  );
}

/** The lattices that a model emitted, one for each source. Throws `INVALID_ARGUMENT` where there are others, or other things. */
export function emitted<Lattice>(lattices: readonly Lattice[], sources: number): readonly Lattice[] {
  const length = lengthOf(lattices);
  if (length === sources && Array.from(lattices).every(isLattice)) return lattices;
  const received = length === undefined ? show(lattices) : `${length} of them, or not lattices alone`;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The lattice model emitted ${received}; ${sources} lattices, one for each source, are required.`,
    { received: lattices, required: sources },
  );
}

function isLattice(lattice: unknown): boolean {
  try {
    const { kind, tokenIds, logProbs } = lattice as Partial<CtcLattice | DagLattice>;
    return (kind === 'ctc' || kind === 'dag') && ArrayBuffer.isView(tokenIds) && ArrayBuffer.isView(logProbs);
  } catch {
    return false;
  }
}

function isDisposable(value: AsyncDisposable): boolean {
  try {
    return typeof value[Symbol.asyncDispose] === 'function';
  } catch {
    return false;
  }
}
