import { ForetokenError } from '@foretoken/core';
import { show } from '@foretoken/core/kit';
import type { Chat, LoadedModel, SourceReading, TextInput } from '@foretoken/models';
import { AIMessage, AIMessageChunk, type BaseMessage, ChatMessage } from '@langchain/core/messages';

/** What a model is given, and what it reads of it. */
export interface ReadInput {
  readonly input: TextInput;
  readonly reading: SourceReading;
}

/** What LangChain's messages are called in chat templates. */
const ROLES: Readonly<Record<string, string>> = { human: 'user', ai: 'assistant', system: 'system' };

/**
 * The conversation where the model has a chat template; else the text of the one message that there is.
 *
 * Throws `UNSUPPORTED_CAPABILITY` for what is no text, and for several messages where there is no template; and what reading the
 * input throws.
 */
export async function readMessages(
  { processor, folder }: Pick<LoadedModel, 'processor' | 'folder'>,
  messages: readonly BaseMessage[],
): Promise<ReadInput> {
  const chat = messages.map((message) => ({ role: roleOf(message), content: textOf(message) }));
  const [first] = chat;
  if (first === undefined) {
    throw new ForetokenError('EMPTY_SOURCE', 'There are no messages, so there is nothing to read. Give one at least.');
  }
  if (processor.isInput(chat)) {
    const reading = await readChat(processor, chat);
    if (reading !== undefined) return { input: chat, reading };
  }
  if (chat.length > 1 || first.role !== 'user') {
    const roles = chat.map(({ role }) => role);
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${folder} has no chat template, so it reads a single message of a user, but got: ${roles.join(', ')}. Put all that it shall read into one human message.`,
      { capability: 'chat', received: roles },
    );
  }
  return { input: first.content, reading: await processor.read(first.content) };
}

/** Undefined where the model has no chat template. */
async function readChat(processor: LoadedModel['processor'], chat: Chat): Promise<SourceReading | undefined> {
  try {
    return await processor.read(chat);
  } catch (error) {
    const lacking = error instanceof ForetokenError && error.code === 'UNSUPPORTED_CAPABILITY';
    if (lacking && error.details.capability === 'chat') return undefined;
    throw error;
  }
}

function roleOf(message: BaseMessage): string {
  if (ChatMessage.isInstance(message)) return message.role;
  const role = ROLES[message.type];
  if (role !== undefined) return role;
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `A message of the type ${message.type} cannot be read: the model is told of no tools and calls none. Leave it out.`,
    { capability: message.type },
  );
}

function textOf(message: BaseMessage): string {
  const calls = AIMessage.isInstance(message) || AIMessageChunk.isInstance(message) ? (message.tool_calls ?? []) : [];
  if (calls.length > 0) throw noText(message, 'tool calls');
  const { content } = message;
  if (typeof content === 'string') return content;
  return content
    .map((block) => {
      if (block.type === 'text' && typeof block.text === 'string') return block.text;
      throw noText(message, `a block of the type ${show(block.type)}`);
    })
    .join('');
}

function noText({ type }: BaseMessage, what: string): ForetokenError {
  return new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `A message of the type ${type} holds ${what}, but the model reads text only. Leave it out.`,
    { capability: 'text', received: what },
  );
}
