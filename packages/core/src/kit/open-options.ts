import type { CanvasOpenOptions } from '../contract/canvas.js';
import type { OpenOptions, SourceEncoding } from '../contract/encoding.js';
import { ForetokenError } from '../contract/errors.js';
import type { EmitOptions, LatticePath } from '../contract/lattice.js';
import type { ForestOptions } from '../contract/token-tree.js';
import { anything, checkOptions, flag, integer, listOf, type OptionTable, withMethods } from './options.js';
import { signal, throwIfAborted } from './request.js';

const OPEN: OptionTable<OpenOptions> = {
  encoding: withMethods<SourceEncoding>('a source encoding, such as encode(sources) of an encoder gives', 'dispose'),
  signal,
};
const FOREST: OptionTable<ForestOptions> = { ...OPEN, joining: flag, sharing: flag };
const CANVAS: OptionTable<CanvasOpenOptions> = { ...OPEN, hints: listOf(anything<LatticePath>) };
const EMIT: OptionTable<EmitOptions> = { ...OPEN, k: integer(1) };

/**
 * What models of every kind check of their options before any compute, each for its own method: a checked copy, every field
 * read once. Throws `INVALID_ARGUMENT` for anything but a plain object, a name that is no option (with the nearest that is),
 * and values of a wrong type; then the signal's reason, where it is aborted already.
 */
export const forestOptions = (options: ForestOptions = {}): ForestOptions => checked('open', options, FOREST);

/** As `forestOptions`, for `join` of a forest. */
export const joinOptions = (options: OpenOptions = {}): OpenOptions => checked('join', options, OPEN);

/** As `forestOptions`, for models of canvases and edits; hints are left for the model to check. */
export const canvasOptions = (options: CanvasOpenOptions = {}): CanvasOpenOptions => checked('open', options, CANVAS);

/** As `forestOptions`, for lattice models. */
export const emitOptions = (options: EmitOptions = {}): EmitOptions => checked('emit', options, EMIT);

function checked<Options extends OpenOptions>(owner: string, options: Options, table: OptionTable<Options>): Options {
  const known = checkOptions(owner, options, table);
  throwIfAborted(known.signal);
  return known;
}

/** Throws `INVALID_ARGUMENT` for an encoding given to a model that has no encoder to share. */
export function refuseEncoding({ encoding }: OpenOptions): void {
  if (encoding === undefined) return;
  throw new ForetokenError('INVALID_ARGUMENT', 'This model encodes sources itself, so no encoding can be of it.', {
    option: 'encoding',
  });
}
