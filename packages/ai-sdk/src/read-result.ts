import { isInt32Array, text as readText, wrongValue } from '@foretoken/core/kit';
import type { InputResult } from '@foretoken/models';

/** What a decode gave. Throws `INVALID_ARGUMENT` where a model of one's own gives something else. */
export function readResult(result: InputResult): InputResult {
  const name = 'What model.decode returns';
  const { text, tokenIds, finishReason, statistics }: Partial<InputResult> = result ?? {};
  readText(`${name} as text`, text);
  readText(`${name} as finishReason`, finishReason);
  if (!isInt32Array(tokenIds)) throw wrongValue(`${name} as tokenIds`, tokenIds, 'an Int32Array');
  if (typeof statistics === 'object' && statistics !== null) return result;
  throw wrongValue(`${name} as statistics`, statistics, 'the counts of a decode');
}
