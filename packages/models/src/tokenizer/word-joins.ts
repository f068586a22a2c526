import type { Settings } from './exact-cuts.js';
import type { Join } from './exact-joins.js';

/** As `exactJoin`, of the decoders whose tokens are words and their parts: few folders have one. */
export function wordJoin(settings: Settings): Join | undefined {
  const { type, cleanup } = settings;
  const cleaned = cleanup === false ? (text: string) => text : cleanedUp;
  switch (type) {
    case 'CTC': {
      const { pad_token: pad = '<pad>', word_delimiter_token: delimiter = '|' } = settings;
      return (tokens) =>
        tokens.flatMap((token, at) => {
          if (token === tokens[at - 1]) return [];
          const text = cleaned(replaced(token, String(pad), ''));
          const spaced = cleanup === false ? text : replaced(text, String(delimiter), ' ');
          return spaced === '' ? [] : [spaced];
        });
    }
    case 'BPEDecoder': {
      const suffix = String(settings.suffix ?? '</w>');
      return (tokens) => tokens.map((token, at) => replaced(token, suffix, at === tokens.length - 1 ? '' : ' '));
    }
    case 'WordPiece': {
      const prefix = String(settings.prefix ?? '##');
      return (tokens) =>
        tokens.map((token, at) => {
          if (at === 0) return cleaned(token);
          return cleaned(token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`);
        });
    }
    case 'Strip': {
      const { content, start = 0, stop = 0 } = settings;
      return (tokens) =>
        tokens.map((token) => {
          const signs = [...token];
          let [begin, end] = [0, signs.length];
          while (begin < Number(start) && signs[begin] === content) begin++;
          while (signs.length - end < Number(stop) && end > begin && signs[end - 1] === content) end--;
          return signs.slice(begin, end).join('');
        });
    }
    default:
      return undefined;
  }
}

/** An empty text is found around every character. */
const replaced = (text: string, searched: string, content: string): string =>
  searched === '' ? text.replace(/(?:)/gu, content) : text.replaceAll(searched, () => content);

/** What is written apart in tokens and together in English, one after the other. */
const TOGETHER = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;

const cleanedUp = (text: string): string =>
  TOGETHER.reduce((before, [apart, together]) => before.replaceAll(apart, together), text);
