import { MAX_TEMPLATE } from './chat.js';
import type { TemplateTokens } from './chat-template.js';

/** What the model says in the conversation that is tried: no template has a reason to alter it. */
const SAID = 'Yes';

/** What a chat template writes after the model's message, as it was trained to end it; undefined for a template that cannot be used. */
export async function textAfterTurn(template: string, tokens: TemplateTokens): Promise<string | undefined> {
  if (template.length > MAX_TEMPLATE) return undefined;
  const { ChatTemplate } = await import('./chat-template.js');
  let text: string;
  try {
    const chat = [
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: SAID },
    ];
    text = new ChatTemplate(template, tokens, (cause) => new Error('no template', { cause })).text(chat, false);
  } catch {
    // Whoever gives a conversation is told why.
    return undefined;
  }
  const at = text.lastIndexOf(SAID);
  return at < 0 ? undefined : text.slice(at + SAID.length);
}
