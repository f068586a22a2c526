import { InvalidPromptError, type LanguageModelV3Prompt } from '@ai-sdk/provider';
import { ForetokenError } from '@foretoken/core';
import { fieldsOf, listOf, type OptionReader, oneOf, text as readText, wrongValue } from '@foretoken/core/kit';

type Message = LanguageModelV3Prompt[number];

const role: OptionReader<Message['role']> = oneOf('system', 'user', 'assistant', 'tool');

/** A part that says its type; texts are read, what is refused later is handed on. */
const part: OptionReader<object> = (name, value) => {
  const fields = fieldsOf(name, value, 'a part of a message, such as { type, text }');
  const type = readText(`${name}.type`, fields.get('type'));
  if (type === '') throw wrongValue(`${name}.type`, type, 'a type, such as text');
  if (type === 'text' || type === 'reasoning') return { type, text: readText(`${name}.text`, fields.get('text')) };
  return { type };
};

const message: OptionReader<Message> = (name, value) => {
  const fields = fieldsOf(name, value, 'a message, { role, content }');
  const who = role(`${name}.role`, fields.get('role'));
  const read: OptionReader<unknown> = who === 'system' ? readText : listOf(part);
  return { role: who, content: read(`${name}.content`, fields.get('content')) } as Message;
};

/** A prompt of the SDK, copied. Throws `InvalidPromptError` that says what is wrong with it. */
export function readPrompt(prompt: unknown): LanguageModelV3Prompt {
  try {
    return [...listOf(message)('prompt', prompt)];
  } catch (error) {
    if (!ForetokenError.isInstance(error)) throw error;
    throw new InvalidPromptError({ prompt, message: error.message, cause: error });
  }
}
