import {
  InvalidPromptError,
  type LanguageModelV3Message,
  type LanguageModelV3Prompt,
  type SharedV3Warning,
  UnsupportedFunctionalityError,
} from '@ai-sdk/provider';
import { ForetokenError } from '@foretoken/core';
import { flag, isInt32Array, show, wrongValue } from '@foretoken/core/kit';
import type { Chat, ChatMessage, LoadedModel, SourceReading, TextInput } from '@foretoken/models';

/** What a model is given of a prompt. */
export interface PromptInput {
  readonly input: TextInput;
  readonly reading: SourceReading;
  readonly warnings: readonly SharedV3Warning[];
}

/**
 * The conversation where the model has a chat template, else the text of the last user message.
 *
 * Throws `UnsupportedFunctionalityError` for what is no text, `InvalidPromptError` where no user says anything,
 * `UNSUPPORTED_CAPABILITY` where the model reads no texts, and what reading the input throws.
 */
export async function promptInput(
  { processor }: Pick<LoadedModel, 'processor'>,
  prompt: LanguageModelV3Prompt,
): Promise<PromptInput> {
  const warnings: SharedV3Warning[] = [];
  const chat = prompt.map((message): ChatMessage => ({ role: message.role, content: textOf(message, warnings) }));
  const last = chat.findLast(({ role }) => role === 'user');
  if (last === undefined) {
    throw new InvalidPromptError({ prompt, message: 'The prompt has no user message, so there is nothing to read.' });
  }
  if (!isInput(processor, last.content)) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `This model reads no text, but ${show(processor.input).slice(1, -1)}, and the AI SDK gives it texts. Use model.decode.`,
      { capability: 'text' },
    );
  }
  if (isInput(processor, chat)) {
    const reading = await readChat(processor, chat);
    if (reading !== undefined) return { input: chat, reading, warnings };
  }
  if (chat.length > 1) {
    const details = `The model has no chat template: of ${chat.length} messages it reads the last user message alone.`;
    warnings.push({ type: 'unsupported', feature: 'conversation', details });
  }
  return { input: last.content, reading: await readingOf(processor, last.content), warnings };
}

/** Undefined where the model has no chat template. */
async function readChat(processor: LoadedModel['processor'], chat: Chat): Promise<SourceReading | undefined> {
  try {
    return await readingOf(processor, chat);
  } catch (error) {
    const lacking = error instanceof ForetokenError && error.code === 'UNSUPPORTED_CAPABILITY';
    if (lacking && error.details.capability === 'chat') return undefined;
    throw error;
  }
}

function isInput(processor: LoadedModel['processor'], input: TextInput): boolean {
  return flag('What processor.isInput returns', processor.isInput(input));
}

async function readingOf(processor: LoadedModel['processor'], input: TextInput): Promise<SourceReading> {
  const reading: SourceReading | undefined = await processor.read(input);
  if (!isInt32Array(reading?.source)) {
    throw wrongValue('What processor.read returns', reading, 'an object with a source, an Int32Array of token ids');
  }
  return reading;
}

function textOf(message: LanguageModelV3Message, warnings: SharedV3Warning[]): string {
  if (message.role === 'system') return message.content;
  const texts: string[] = [];
  for (const part of message.content) {
    if (part.type === 'text') texts.push(part.text);
    else if (part.type === 'reasoning') {
      warnings.push({ type: 'unsupported', feature: 'reasoning', details: 'Reasoning in the prompt is left out.' });
    } else throw new UnsupportedFunctionalityError({ functionality: `${part.type} in a ${message.role} message` });
  }
  return texts.join('');
}
