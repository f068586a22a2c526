import type { AutoregressiveModel, DecodeRequest, Decoder, TokenSource } from '@foretoken/core';
import assert from './assert.js';
import { eventsOf } from './laws.js';
import { type RecordingModel, recording } from './recording.js';
import type { ScriptedModelOptions } from './scripted-model.js';

type Autoregressive = AutoregressiveModel<TokenSource>;

/** What of a scripted model the law chooses. */
export type PromptOptions = Partial<Pick<ScriptedModelOptions, 'prefix' | 'cached' | 'maxLength'>>;

/** Longer than the blocks that prompts are shared in. */
const PROMPT = Array.from({ length: 20 }, (_, at) => 1 + (at % 5));
const CACHED = [1, 17, PROMPT.length - 1];
const MAX_LENGTH = PROMPT.length + 20;

/** A prompt that is cached in part is read from there on, and changes nothing else. */
export async function assertCachedPrompt(
  createDecoder: (model: Autoregressive) => Decoder<Autoregressive>,
  modelOf: (prompt: PromptOptions) => Autoregressive,
  request: DecodeRequest<TokenSource>,
): Promise<void> {
  const decode = async (cached: number) => {
    const model = recording(modelOf({ prefix: PROMPT, cached, maxLength: MAX_LENGTH }));
    const decoder = createDecoder(model);
    const events = await eventsOf(decoder.decode(model, request));
    const end = events.at(-1);
    assert.ok(end?.type === 'decode-end', 'the last event is decode-end');
    const { totalMs: _, ...counts } = end.statistics;
    return { results: end.results, counts, read: tokensRead(model), decoder };
  };
  const whole = await decode(0);
  for (const cached of CACHED) {
    const shared = await decode(cached);
    assert.deepEqual(shared.results, whole.results, `outputs where ${cached} tokens of the prompt are cached`);
    assert.deepEqual(shared.counts, whole.counts, `counts where ${cached} tokens of the prompt are cached`);
    const { requires } = shared.decoder;
    // Hidden states of the prompt are given to who reads it.
    const readsAll = requires.model === 'autoregressive' && requires.states === true;
    const spared = readsAll ? 0 : cached * request.sources.length;
    assert.equal(shared.read, whole.read - spared, `tokens read where ${cached} of the prompt are cached`);
  }
}

function tokensRead({ calls }: RecordingModel<TokenSource>): number {
  return calls.reduce((sum, call) => sum + (call.call === 'extend' ? call.tokenIds.length : 0), 0);
}
