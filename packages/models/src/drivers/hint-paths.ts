import { ForetokenError, type LatticePath } from '@foretoken/core';
import type { OnnxRuntime, Tensor } from '@foretoken/core/runtime';

/** What hints are made of: `upsample` frames for each source position, and tokens of a vocabulary. */
export interface HintLattice {
  readonly upsample: number;
  readonly vocabularySize: number;
}

/** `UNSUPPORTED_CAPABILITY`: a model was given hints that reads none. */
export function unreadHints(): ForetokenError {
  return new ForetokenError('UNSUPPORTED_CAPABILITY', 'This model reads no hints. Leave the option hints out.', {
    capability: 'hints',
  });
}

/**
 * Throws `INVALID_ARGUMENT` unless there is one hint a source, of tokens of the vocabulary that begin one after another in the
 * frames of the source; `lengths` are the sources'.
 */
export function assertHints(
  hints: readonly LatticePath[],
  lengths: Int32Array,
  { upsample, vocabularySize }: HintLattice,
): void {
  const rows = lengths.length;
  if (hints.length !== rows) {
    throw invalid(`must have one path a source, ${rows}, but has ${hints.length}`, {
      received: hints.length,
      required: rows,
    });
  }
  for (const [row, { tokenIds, firstFrames }] of hints.entries()) {
    const refuse = (received: unknown, what: string): never => {
      throw invalid(`of row ${row} ${what}`, { row, received });
    };
    if (tokenIds.length !== firstFrames.length) {
      refuse(firstFrames.length, `has ${tokenIds.length} tokens but ${firstFrames.length} first frames`);
    }
    const token = tokenIds.find((tokenId) => tokenId < 0 || tokenId >= vocabularySize);
    if (token !== undefined) refuse(token, `holds token id ${token}, outside the vocabulary of ${vocabularySize}`);
    const early = firstFrames.findIndex((frame, index) => frame <= (firstFrames[index - 1] ?? -1));
    const frame = firstFrames[early];
    if (early >= 0) refuse(frame, `has token ${early} begin at frame ${frame}, not after the one before`);
    const frames = lengths[row] * upsample;
    const last = firstFrames.at(-1) ?? -1;
    if (last >= frames) refuse(last, `has a token begin at frame ${last}, but its source has ${frames} frames`);
  }
}

/** `hints_token_ids` int32 `[group, frames]`: the token that begins at each frame, or -1. */
export function hintFeed(
  runtime: OnnxRuntime,
  hints: readonly LatticePath[],
  group: readonly number[],
  frames: number,
): Record<'hints_token_ids', Tensor> {
  const begun = new Int32Array(group.length * frames).fill(-1);
  for (const [index, row] of group.entries()) {
    const { tokenIds, firstFrames } = hints[row];
    for (const [token, frame] of firstFrames.entries()) begun[index * frames + frame] = tokenIds[token];
  }
  return { hints_token_ids: new runtime.Tensor('int32', begun, [group.length, frames]) };
}

function invalid(what: string, details: Record<string, unknown>): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `hints ${what}.`, { option: 'hints', ...details });
}
