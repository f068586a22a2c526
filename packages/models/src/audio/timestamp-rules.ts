import { ForetokenError, type ScoreProcessor } from '@foretoken/core';
import { checkOptions, fieldsOf, integer, type OptionTable } from '@foretoken/core/kit';
import type { ManifestVocabulary } from '../folder/manifest.js';
import type { ManifestSpeech } from '../folder/speech-schema.js';

/** Bounds of timestamps. */
export interface TimestampRulesOptions {
  /** Latest time of the first timestamp, in steps of 20 ms; default 50, a second. */
  readonly maxFirst?: number | undefined;
}

const OPTIONS: OptionTable<TimestampRulesOptions> = { maxFirst: integer(0, 1500) };
const RULED_OUT = Number.NEGATIVE_INFINITY;

/**
 * The rules by which speech models write timestamps, as a processor for any strategy: an output begins with one; they come in pairs, but for
 * the one at the end; time never goes back; and where all timestamps together are more probable than the best word, one is written
 * (Radford et al., 2022, section 4.5). Give it to the strategy where `timestamps` is asked for.
 *
 * Throws `UNSUPPORTED_CAPABILITY` for a model that has no timestamps, `INVALID_ARGUMENT`.
 */
export function timestampRules(manifest: object, options: TimestampRulesOptions = {}): ScoreProcessor {
  const { maxFirst = 50 } = checkOptions('timestampRules', options, OPTIONS);
  const fields = fieldsOf('manifest', manifest, 'the manifest of a speech model');
  const speech = fields.get('speech') as ManifestSpeech | undefined;
  const first = speech?.firstTimestampTokenId;
  if (speech === undefined || first === undefined) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      'This model has no timestamps, so there are no rules for them.',
      {
        capability: 'timestamps',
      },
    );
  }
  const { endTokenId: end = first } = (fields.get('vocabulary') ?? {}) as Partial<ManifestVocabulary>;
  return (scores, { output }) => {
    scores[speech.noTimestampsTokenId] = RULED_OUT;
    const isTime = (tokenId: number | undefined): boolean => tokenId !== undefined && tokenId >= first;
    const wasTime = isTime(output.at(-1));
    const wasPair = output.length < 2 || isTime(output.at(-2));
    if (wasTime && wasPair) scores.fill(RULED_OUT, first);
    // After words, time stands alone only at the end.
    else if (wasTime) scores.fill(RULED_OUT, 0, end);
    const last = output.findLast(isTime);
    if (last !== undefined) scores.fill(RULED_OUT, first, wasTime && !wasPair ? last : last + 1);
    if (output.length === 0) {
      scores.fill(RULED_OUT, 0, first);
      scores.fill(RULED_OUT, first + maxFirst + 1);
    }
    if (timesWin(scores, first)) scores.fill(RULED_OUT, 0, first);
  };
}

/** Whether all timestamps together are more probable than the best of the other tokens. */
function timesWin(scores: Float32Array, first: number): boolean {
  let best = RULED_OUT;
  for (let tokenId = 0; tokenId < first; tokenId++) best = Math.max(best, scores[tokenId]);
  let highest = RULED_OUT;
  for (let tokenId = first; tokenId < scores.length; tokenId++) highest = Math.max(highest, scores[tokenId]);
  if (highest === RULED_OUT) return false;
  let sum = 0;
  for (let tokenId = first; tokenId < scores.length; tokenId++) sum += Math.exp(scores[tokenId] - highest);
  return highest + Math.log(sum) > best;
}
