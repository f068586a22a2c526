import { ForetokenError } from '@foretoken/core';
import { checkOptions, type OptionTable, text as readText, tokenList, withMethods } from '@foretoken/core/kit';
import { type Chat, isChat, type PromptInput, readChat } from './chat.js';
import type { Processor } from './processor.js';
import { type Coding, checkedCoding, textOutput } from './text-processor.js';

export interface PromptOptions {
  /** Tokens beside the vocabulary's end token that end outputs. */
  readonly stopTokenIds?: readonly number[] | undefined;
  /** Turns a conversation into a prompt; without it conversations are refused. */
  readonly template?: { text(chat: Chat): string } | undefined;
}

const PROMPT_OPTIONS: OptionTable<PromptOptions> = {
  stopTokenIds: tokenList,
  template: withMethods('a chat template', 'text'),
};

/**
 * For decoder-only models: a text is a prompt, and the output is what follows it; of a conversation, the next message. What a user
 * writes is read as the tokenizer reads it, so text that spells a special token becomes that token.
 *
 * Throws `INVALID_ARGUMENT` for what is no tokenizer.
 */
export function promptProcessor(tokenizer: Coding, options: PromptOptions = {}): Processor<PromptInput> {
  const coding = checkedCoding(tokenizer);
  const { encode, countUnknown } = coding;
  const { stopTokenIds, template } = checkOptions('promptProcessor', options, PROMPT_OPTIONS);
  const textOf = (chat: Chat): string => {
    if (template !== undefined) return readText('What the chat template returns', template.text(readChat(chat)));
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      'This model has no chat template, so it takes no conversation. Give it a text, or import a model that was trained to chat.',
      { capability: 'chat' },
    );
  };
  return {
    ...textOutput(coding),
    input: 'a text, or a conversation: a list of { role, content }',
    isInput: (value): value is PromptInput => typeof value === 'string' || isChat(value),
    stopTokenIds,
    read: (input) => {
      // A template says itself which tokens come before and after.
      const source = isChat(input) ? encode(textOf(input), 'part') : encode(input, 'prompt');
      return { source, unknownTokens: countUnknown(source) };
    },
  };
}
