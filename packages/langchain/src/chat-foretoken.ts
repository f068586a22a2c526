import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BaseChatModelParams,
  type LangSmithParams,
} from '@langchain/core/language_models/chat_models';
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import type { ForetokenCallOptions } from './call-options.js';
import { readMessages } from './messages.js';
import {
  type CallResult,
  constructorFields,
  type ForetokenFields,
  ownFields,
  TextCalls,
  type Usage,
} from './text-calls.js';

/** Options of a call of `ChatForetoken`. */
export type ChatForetokenCallOptions = BaseChatModelCallOptions & ForetokenCallOptions;

/** What `ChatForetoken` is made of. */
export type ChatForetokenFields = ForetokenFields & BaseChatModelParams;

/**
 * A loaded model as a chat model of LangChain, for chains, streams and whatever else takes one.
 *
 * A model with a chat template reads the whole conversation; any other reads the one human message that it is given.
 * Options that would change nothing are refused with `UNSUPPORTED_CAPABILITY` before any compute.
 */
export class ChatForetoken extends BaseChatModel<ChatForetokenCallOptions> {
  readonly #calls: TextCalls;
  /** Tells models apart in caches, which are told of no decoder's settings. */
  readonly #identity: string = crypto.randomUUID();

  static override lc_name(): string {
    return 'ChatForetoken';
  }

  /** Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` where outputs are no text. */
  constructor(fields: ChatForetokenFields) {
    super(constructorFields('ChatForetoken', fields));
    this.#calls = new TextCalls('ChatForetoken', ownFields(fields));
  }

  /** Throws what `model.decode` throws, or the signal's reason. */
  override async _generate(messages: BaseMessage[], given: this['ParsedCallOptions']): Promise<ChatResult> {
    const options = this.#calls.options(given);
    options.signal?.throwIfAborted();
    const { text, usage, metadata } = await this.#calls.complete(
      await readMessages(this.#calls.model, messages),
      options,
    );
    const message = withUsage(new AIMessage({ content: text, response_metadata: { ...metadata } }), usage);
    return { generations: [{ text, message }], llmOutput: { tokenUsage: tokenUsage(usage) } };
  }

  /** Decodes a conversation and gives its answer in pieces of text; called by `stream` of LangChain. */
  override async *_streamResponseChunks(
    messages: BaseMessage[],
    given: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const options = this.#calls.options(given);
    options.signal?.throwIfAborted();
    for await (const part of this.#calls.stream(await readMessages(this.#calls.model, messages), options)) {
      const chunk = typeof part === 'string' ? chunkOf(part) : chunkOf('', part);
      yield chunk;
      if (typeof part === 'string')
        await runManager?.handleLLMNewToken(part, undefined, undefined, undefined, undefined, { chunk });
    }
  }

  /** What traces of LangSmith say of a call: the model's name and the settings that it was given. */
  override getLsParams(options: this['ParsedCallOptions']): LangSmithParams {
    const { temperature, maxTokens, stop } = options;
    const params: LangSmithParams = {
      ls_provider: 'foretoken',
      ls_model_name: this.#calls.modelId,
      ls_model_type: 'chat',
    };
    if (temperature !== undefined) params.ls_temperature = temperature;
    if (maxTokens !== undefined) params.ls_max_tokens = maxTokens;
    if (stop !== undefined) params.ls_stop = stop;
    return params;
  }

  override _identifyingParams(): Record<string, unknown> {
    return { model_name: this.#calls.modelId, instance: this.#identity };
  }

  /** The name of this integration among LangChain's. */
  override _llmType(): string {
    return 'foretoken';
  }
}

/** A piece of text, or what is said of the whole at its end. */
function chunkOf(text: string, result?: CallResult): ChatGenerationChunk {
  const message = new AIMessageChunk({ content: text, response_metadata: { ...result?.metadata } });
  return new ChatGenerationChunk({ text, message: result === undefined ? message : withUsage(message, result.usage) });
}

/** LangChain's types of messages leave no room for the usage where optional fields are exact, so it is not given to constructors. */
function withUsage<Message extends AIMessage | AIMessageChunk>(message: Message, usage: Usage): Message {
  return Object.assign(message, { usage_metadata: { ...usage } });
}

/** The same counts, under the names of an `LLMResult`. */
function tokenUsage({ input_tokens, output_tokens, total_tokens }: Usage): Readonly<Record<string, number>> {
  return { promptTokens: input_tokens, completionTokens: output_tokens, totalTokens: total_tokens };
}
