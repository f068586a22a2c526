import type { JSX } from 'preact';
import type { TokenFate } from '../trace/steps.js';

export interface TokenProps {
  readonly text: string;
  /** Not there yet; its room is kept, so that nothing moves when it comes. */
  readonly hidden?: boolean | undefined;
  readonly fate?: TokenFate | 'masked' | 'kept' | 'new' | 'again' | 'deleted' | undefined;
  readonly logProb?: number | undefined;
}

/** Natural-log probability as a share. */
export function percent(logProb: number): string {
  return `${Math.round(Math.exp(logProb) * 100)} %`;
}

/** A token as text; its shape and colour say what became of it, the bar below it how sure the model was. */
export function Token({ text, hidden = false, fate = 'own', logProb }: TokenProps): JSX.Element {
  const known = logProb !== undefined && !Number.isNaN(logProb);
  const words = known ? `${text.trim()}: probability ${percent(logProb)}` : undefined;
  return (
    <span
      class={`ft-token ft-${fate}${hidden ? ' ft-hidden' : ''}${/^\s/.test(text) ? ' ft-begins' : ''}`}
      aria-hidden={hidden}
      title={words}
    >
      {fate === 'masked' && text.trim() === '' ? NOTHING : visible(text)}
      {known && <span class="ft-sure" style={{ width: `${Math.exp(logProb) * 100}%` }} />}
    </span>
  );
}

export interface TokensProps {
  readonly tokens: readonly TokenProps[];
}

/** Tokens in a row; lines break between words only. */
export function Tokens({ tokens }: TokensProps): JSX.Element {
  const words: TokenProps[][] = [];
  for (const token of tokens) {
    const word = words.at(-1);
    if (word === undefined || /^\s/.test(token.text) || token.fate === 'masked') words.push([token]);
    else word.push(token);
  }
  return (
    <>
      {words.map((word, place) => (
        <span key={place} class="ft-word">
          {word.map((token, index) => (
            <Token key={index} {...token} />
          ))}
        </span>
      ))}
    </>
  );
}

/** Room for what is not decided. */
const NOTHING = '\u00a0\u00a0';

/** Text whose blanks and line breaks can be seen where there is nothing else. */
export function visible(text: string): string {
  const words = text.trim();
  if (words !== '') return words;
  return text.includes('\n') ? '\u21b5' : '\u00b7';
}
