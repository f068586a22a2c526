import { ForetokenError } from '@foretoken/core';
import { wrongValue } from '@foretoken/core/kit';
import type { ManifestSpeech } from '../folder/speech-schema.js';
import type { SpeechOptions } from './speech-input.js';

/**
 * Tokens that an output begins after: start, language, task, and that no timestamps are wanted. `undefined` stands for a language that is
 * to be found. Throws `INVALID_ARGUMENT`, `UNSUPPORTED_CAPABILITY` for what the model does not know.
 */
export function promptOf(
  startTokenId: number,
  { noTimestampsTokenId, firstTimestampTokenId, transcribeTokenId, translateTokenId, languages }: ManifestSpeech,
  { language, task, timestamps = false }: SpeechOptions,
): readonly (number | undefined)[] {
  if (task !== undefined && task !== 'transcribe' && task !== 'translate') {
    throw wrongValue('task', task, '"transcribe" or "translate"');
  }
  if (timestamps && firstTimestampTokenId === undefined) {
    throw unsupported('timestamps', 'has no tokens for timestamps. Leave them out.');
  }
  const end = timestamps ? [] : [noTimestampsTokenId];
  if (languages === undefined) {
    if (language !== undefined && language !== 'en') {
      throw unsupported('language', `knows English alone; language was ${JSON.stringify(language)}. Use another one.`);
    }
    if (task === 'translate') throw unsupported('task', 'does not translate. Leave out task, or use another one.');
    return [startTokenId, ...end];
  }
  if (language !== undefined && !Object.hasOwn(languages, language)) {
    throw wrongValue('language', language, `one of ${Object.keys(languages).join(', ')}`);
  }
  const taskTokenId = task === 'translate' ? translateTokenId : transcribeTokenId;
  if (taskTokenId === undefined) throw unsupported('task', `has no token for ${task ?? 'transcribe'}.`);
  return [startTokenId, language === undefined ? undefined : languages[language], taskTokenId, ...end];
}

function unsupported(capability: string, what: string): ForetokenError {
  return new ForetokenError('UNSUPPORTED_CAPABILITY', `This model ${what}`, { capability });
}
