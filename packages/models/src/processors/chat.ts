import { ForetokenError } from '@foretoken/core';
import { fieldsOf, text as readText, show, wrongValue } from '@foretoken/core/kit';
import { isObject } from '../folder/json.js';

/** One message of a conversation. */
export interface ChatMessage {
  /** Who says it: `system`, `user`, `assistant`, or what else the model's template knows. */
  readonly role: string;
  /** What was said. */
  readonly content: string;
}

/** A conversation, its oldest message first; the model says the next. */
export type Chat = readonly ChatMessage[];

/** A text, and the languages of source and output by their codes in the model; default: the model's own, where it has some. */
export interface TextInLanguages {
  /** What is to be read. */
  readonly text: string;
  /** What the text is written in. */
  readonly sourceLanguage?: string | undefined;
  /** What the output is to be written in. */
  readonly targetLanguage?: string | undefined;
}

/** What a language model may be given: a text, or a conversation where it has a chat template. */
export type PromptInput = string | Chat;

/** What a text model may be given: a text, with its languages where it knows several, or a conversation where it has a chat template. */
export type TextInput = PromptInput | TextInLanguages;

/** Most characters of a chat template. */
export const MAX_TEMPLATE = 262_144;

/** Whether a value is a conversation, be its messages well-formed or not: a list of objects. */
export function isChat(value: unknown): value is Chat {
  return Array.isArray(value) && value.length > 0 && value.every(isObject);
}

/** The messages of a conversation. Throws `INVALID_ARGUMENT` naming the message and what is wrong with it. */
export function readChat(chat: Chat): Chat {
  return chat.map((message, index) => {
    const name = `message ${index}`;
    const fields = fieldsOf(name, message, 'a message, { role, content }');
    for (const [field, value] of fields) {
      if (field === 'role' || field === 'content') continue;
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${name} has the field ${show(field)}, but a message has role and content only. Leave it out.`,
        { option: `${name}.${String(field)}`, received: value, required: ['role', 'content'] },
      );
    }
    const role = readText(`${name}.role`, fields.get('role'));
    if (role.trim() === '') throw wrongValue(`${name}.role`, role, 'a role, such as user');
    const content: unknown = fields.get('content');
    if (typeof content !== 'string') throw wrongValue(`${name}.content`, content, 'a text');
    return { role, content };
  });
}
