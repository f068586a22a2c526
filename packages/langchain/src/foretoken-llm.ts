import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import { BaseLLM, type BaseLLMCallOptions, type BaseLLMParams } from '@langchain/core/language_models/llms';
import { GenerationChunk, type LLMResult } from '@langchain/core/outputs';
import type { ForetokenCallOptions } from './call-options.js';
import {
  type CallResult,
  constructorFields,
  type ForetokenFields,
  ownFields,
  readPrompt,
  TextCalls,
} from './text-calls.js';

/** Options of a call of `ForetokenLLM`. */
export type ForetokenLLMCallOptions = BaseLLMCallOptions & ForetokenCallOptions;

/** What `ForetokenLLM` is made of. */
export type ForetokenLLMFields = ForetokenFields & BaseLLMParams;

/**
 * A loaded model as a language model of LangChain: a text in, a text out, without a chat template. Several prompts of one call of
 * `generate` are decoded together.
 */
export class ForetokenLLM extends BaseLLM<ForetokenLLMCallOptions> {
  readonly #calls: TextCalls;
  /** Tells models apart in caches, which are told of no decoder's settings. */
  readonly #identity: string = crypto.randomUUID();

  static override lc_name(): string {
    return 'ForetokenLLM';
  }

  /** Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` where outputs are no text. */
  constructor(fields: ForetokenLLMFields) {
    super(constructorFields('ForetokenLLM', fields));
    this.#calls = new TextCalls('ForetokenLLM', ownFields(fields));
  }

  /** Throws what `model.decode` throws, or the signal's reason. */
  override async _generate(prompts: string[], given: this['ParsedCallOptions']): Promise<LLMResult> {
    const options = this.#calls.options(given);
    options.signal?.throwIfAborted();
    const inputs = await Promise.all(prompts.map((prompt) => readPrompt(this.#calls.model, prompt)));
    const results = await this.#calls.completeAll(inputs, options);
    const sum = (count: (result: CallResult) => number): number => results.reduce((all, one) => all + count(one), 0);
    return {
      generations: results.map(({ text, metadata }) => [{ text, generationInfo: { ...metadata } }]),
      llmOutput: {
        tokenUsage: {
          promptTokens: sum(({ usage }) => usage.input_tokens),
          completionTokens: sum(({ usage }) => usage.output_tokens),
          totalTokens: sum(({ usage }) => usage.total_tokens),
        },
      },
    };
  }

  /** Decodes a text and gives the output in pieces; called by `stream` of LangChain. */
  override async *_streamResponseChunks(
    prompt: string,
    given: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<GenerationChunk> {
    const options = this.#calls.options(given);
    options.signal?.throwIfAborted();
    for await (const part of this.#calls.stream(await readPrompt(this.#calls.model, prompt), options)) {
      if (typeof part === 'string') {
        const chunk = new GenerationChunk({ text: part });
        yield chunk;
        await runManager?.handleLLMNewToken(part, undefined, undefined, undefined, undefined, { chunk });
      } else yield new GenerationChunk({ text: '', generationInfo: { ...part.metadata, usage_metadata: part.usage } });
    }
  }

  override _identifyingParams(): Record<string, unknown> {
    return { model_name: this.#calls.modelId, instance: this.#identity };
  }

  override _llmType(): string {
    return 'foretoken';
  }
}
