import type { CanvasModel } from './canvas.js';
import type { DecodeRequest, Decoder } from './decoder.js';
import { ForetokenError } from './errors.js';
import type { LatticeModel } from './lattice.js';
import type { AutoregressiveModel } from './token-tree.js';
import type { Vocabulary } from './vocabulary.js';

function unsupported(decoder: string, capability: string, remedy: string): ForetokenError {
  return new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `${decoder} needs ${capability}, which this model does not offer. ${remedy}`,
    { decoder, capability },
  );
}

/** Throws `UNSUPPORTED_CAPABILITY` unless the model is autoregressive and offers all that the decoder requires. */
export function assertAutoregressive(
  decoder: Pick<Decoder<never>, 'name' | 'requires'>,
  model: Partial<AutoregressiveModel<never>>,
): void {
  const { name, requires } = decoder;
  const supports = model.supports;
  if (requires.model !== 'autoregressive') return;
  if (supports === undefined || supports.outputs === undefined || typeof model.open !== 'function') {
    throw unsupported(name, 'an autoregressive model', 'Pass a model that scores the next token.');
  }
  for (const output of requires.outputs) {
    if (!supports.outputs.includes(output)) {
      throw unsupported(name, `the ${output} output`, `It offers: ${supports.outputs.join(', ') || 'none'}.`);
    }
  }
  const withStates = supports.states ?? [];
  const without =
    requires.states === true ? requires.outputs.find((output) => !withStates.includes(output)) : undefined;
  if (without !== undefined) {
    throw unsupported(
      name,
      `hidden states beside the ${without} output`,
      `It offers them with: ${withStates.join(', ') || 'none'}.`,
    );
  }
  if (requires.branching && !supports.branching) {
    throw unsupported(name, 'branching', 'Use a strategy or a draft that stays on one chain.');
  }
  if (requires.rollback && !supports.rollback) {
    throw unsupported(name, 'rollback', 'Use a strategy that never takes a token back.');
  }
}

/** Throws `UNSUPPORTED_CAPABILITY` unless the model emits lattices of a kind and breadth that the decoder requires. */
export function assertLattice(
  decoder: Pick<Decoder<never>, 'name' | 'requires'>,
  model: Partial<LatticeModel<never>>,
): void {
  const { name, requires } = decoder;
  if (requires.model !== 'lattice') return;
  const supports = model.supports;
  if (supports === undefined || typeof model.emit !== 'function') {
    throw unsupported(name, 'a lattice model', 'Pass a model that emits a CTC or DAG lattice.');
  }
  if (!requires.kinds.includes(supports.kind)) {
    throw unsupported(name, `a ${requires.kinds.join(' or ')} lattice`, `It emits: ${supports.kind}.`);
  }
  if (supports.maxCandidates < requires.candidates) {
    throw unsupported(
      name,
      `${requires.candidates} candidates a frame`,
      `It returns at most ${supports.maxCandidates}.`,
    );
  }
}

/** Throws `UNSUPPORTED_CAPABILITY` unless the model fills canvases and offers all that the decoder requires. */
export function assertCanvas(
  { name, requires }: Pick<Decoder<never>, 'name' | 'requires'>,
  model: Partial<CanvasModel<never>>,
): void {
  if (requires.model !== 'canvas') return;
  const { supports } = model;
  if (supports?.outputs === undefined || model.maskTokenId === undefined || typeof model.open !== 'function') {
    throw unsupported(name, 'a canvas model', 'Pass a model that fills masked positions.');
  }
  for (const output of requires.outputs) {
    if (!supports.outputs.includes(output)) {
      throw unsupported(name, `the ${output} output`, `It offers: ${supports.outputs.join(', ') || 'none'}.`);
    }
  }
  if (requires.lengths && !supports.lengths) {
    throw unsupported(name, 'predicted lengths', 'Set the option `length`.');
  }
}

/**
 * Throws `INVALID_ARGUMENT` for tokens of one row that lie outside the vocabulary or that no output holds, the end token and
 * the mask, and `LENGTH_LIMIT` for more than `most`.
 */
export function assertOutputTokens(
  option: string,
  row: number,
  tokenIds: Int32Array,
  { size, endTokenId }: Vocabulary,
  maskTokenId: number,
  most: number,
): void {
  if (tokenIds.length > most) {
    throw new ForetokenError(
      'LENGTH_LIMIT',
      `${option} of row ${row} has ${tokenIds.length} tokens, but there is room for at most ${most}.`,
      { option, row, received: tokenIds.length, most },
    );
  }
  for (const tokenId of tokenIds) {
    if (tokenId < 0 || tokenId >= size || tokenId === endTokenId || tokenId === maskTokenId) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${option} of row ${row} holds token ${tokenId}; it may hold tokens from 0 to ${size - 1}, but neither the end token ${endTokenId} nor the mask ${maskTokenId}.`,
        { option, row, received: tokenId },
      );
    }
  }
}

/** Throws `INVALID_ARGUMENT` unless `value` is an integer in `[least, most]`. */
export function assertInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `${name} must be an integer from ${least} to ${most}, but was ${String(value)}.`,
      { option: name, received: value, least, most },
    );
  }
}

/** Validates what all strategies share. Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE` (zero rows) or the abort reason. */
export function assertRequest(request: DecodeRequest<unknown>): void {
  request.signal?.throwIfAborted();
  if (!Array.isArray(request.sources) || request.sources.length === 0) {
    throw new ForetokenError('EMPTY_SOURCE', 'The request has no sources; at least one row is required.', {
      option: 'sources',
    });
  }
  if (request.maxNewTokens !== undefined) {
    assertInteger('maxNewTokens', request.maxNewTokens, 1, Number.MAX_SAFE_INTEGER);
  }
  if (request.seed !== undefined) assertInteger('seed', request.seed, 0, 0xffffffff);
  for (const sequence of request.stopSequences ?? []) {
    if (sequence.length === 0) {
      throw new ForetokenError('INVALID_ARGUMENT', 'A stop sequence is empty; it needs at least one token.', {
        option: 'stopSequences',
      });
    }
  }
  const { stopStrings, outputPrefixes, sources } = request;
  if (stopStrings !== undefined && (stopStrings.strings.includes('') || typeof stopStrings.textOf !== 'function')) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      'stopStrings needs strings of at least one character each, and textOf to turn tokens into text.',
      { option: 'stopStrings', received: stopStrings.strings },
    );
  }
  if (outputPrefixes !== undefined && outputPrefixes.length !== sources.length) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `outputPrefixes must have one entry a source, ${sources.length}, but has ${outputPrefixes.length}.`,
      { option: 'outputPrefixes', received: outputPrefixes.length, required: sources.length },
    );
  }
}

/** Throws `UNSUPPORTED_CAPABILITY` where a request forces how outputs begin and the strategy cannot start inside one. */
export function refuseOutputPrefixes(decoder: string, request: DecodeRequest<unknown>): void {
  if (request.outputPrefixes?.some(({ length }) => length > 0)) {
    throw unsupported(decoder, 'to start inside an output', 'Decode with greedy, sampling or beam search.');
  }
}

/** Throws `INVALID_ARGUMENT` unless `value` is a number in `[least, most]`, the borders included unless `open`. */
export function assertNumber(name: string, value: number, least: number, most: number, open = false): void {
  const inside = open ? value > least && value < most : value >= least && value <= most;
  if (typeof value !== 'number' || !inside) {
    const range = open ? `above ${least} and below ${most}` : `from ${least} to ${most}`;
    throw new ForetokenError('INVALID_ARGUMENT', `${name} must be a number ${range}, but was ${String(value)}.`, {
      option: name,
      received: value,
      least,
      most,
    });
  }
}

/** Throws `INVALID_ARGUMENT` unless the model given as `option` has token ids of this vocabulary. */
export function assertVocabulary(option: string, received: Vocabulary, { size, endTokenId }: Vocabulary): void {
  if (received.size === size && received.endTokenId === endTokenId) return;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${option} has ${received.size} tokens and the end token ${received.endTokenId}, but ${size} and ${endTokenId} are required.`,
    { option, received: received.size, required: size },
  );
}
