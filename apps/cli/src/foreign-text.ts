import { collect, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { findPart } from './strategy-names.js';

/** What tells how well the default model knows a line. */
export interface Acquaintance {
  /** Source tokens a word. */
  readonly tokensPerWord: number;
  /** Mean negative natural-log probability of the tokens of the greedy output. */
  readonly surprise: number;
}

/** Lines that are looked at: the first ones. */
export const LINES_LOOKED_AT = 10;
/** Medians of captions, which the default model was trained on. */
const USUAL: Acquaintance = { tokensPerWord: 1.25, surprise: 0.126 };
/**
 * Captions score 2 or less, half of them 1.6 or less; dictionary definitions and technical prose mostly more than 3. At 3, some
 * 3 % of single captions are taken for foreign, and 84 % of the other sentences; of ten lines together, none and all.
 * `npm run bench -- foreign` measures this.
 */
export const FOREIGN = 3;

/** How strange lines are to the default model, on average. */
export function strangeness(lines: readonly Acquaintance[]): number {
  const each = lines.map(
    ({ tokensPerWord, surprise }) => tokensPerWord / USUAL.tokensPerWord + surprise / (2 * USUAL.surprise),
  );
  return each.reduce((sum, one) => sum + one, 0) / each.length;
}

/** A line and its tokens. */
export interface Known {
  readonly text: string;
  readonly source: TokenSource;
}

/** Decodes lines greedily for the probabilities; undefined where the model does not tell them. */
export async function acquaintanceWith(
  model: LoadedModel,
  lines: readonly Known[],
  signal: AbortSignal | undefined,
): Promise<Acquaintance[] | undefined> {
  const part = findPart(model, 'autoregressive');
  if (part === undefined || !part.supports.outputs.includes('logProbs')) return undefined;
  const sources = lines.map(({ source }) => source);
  const { results } = await collect(greedy({ tokenLogProbs: true }).decode(part, { sources, signal }));
  return results.map(({ best: { tokenLogProbs = new Float32Array() } }, row) => {
    const { text, source } = lines[row];
    return {
      tokensPerWord: source.length / text.trim().split(/\s+/).length,
      surprise: -tokenLogProbs.reduce((sum, logProb) => sum + logProb, 0) / Math.max(1, tokenLogProbs.length),
    };
  });
}

/** What to tell about text that the default model was not made for; undefined where it was. */
export function foreignNote(lines: readonly Acquaintance[]): string | undefined {
  if (lines.length === 0 || strangeness(lines) <= FOREIGN) return undefined;
  const mean = (of: (line: Acquaintance) => number): number =>
    lines.reduce((sum, one) => sum + of(one), 0) / lines.length;
  const tokens = mean(({ tokensPerWord }) => tokensPerWord).toFixed(1);
  const probability = (100 * Math.exp(-mean(({ surprise }) => surprise))).toFixed(0);
  const usual = (100 * Math.exp(-USUAL.surprise)).toFixed(0);
  return [
    'note: The default model translates short English descriptions of pictures. This text is unlike them, so the output may be nonsense.',
    `(${tokens} tokens a word, usual are ${USUAL.tokensPerWord}; output tokens of ${probability} % probability, usual are ${usual} %.)`,
    'Name a model for such text with --model; --quiet hides this note.',
  ].join('\n');
}

/** Looks at the first lines, and says once where they are not what the model was made for. */
export class Stranger {
  readonly #model: LoadedModel;
  readonly #signal: AbortSignal;
  readonly #note: (text: string) => Promise<void>;
  readonly #lines: Known[] = [];
  #judged: boolean;

  constructor(model: LoadedModel, looks: boolean, signal: AbortSignal, note: (text: string) => Promise<void>) {
    this.#model = model;
    this.#judged = !looks;
    this.#signal = signal;
    this.#note = note;
  }

  async meet({ source: text }: { readonly source: string }): Promise<void> {
    if (this.#judged) return;
    this.#lines.push({ text, source: this.#model.tokenizer.encode(text) });
    if (this.#lines.length >= LINES_LOOKED_AT) await this.judge();
  }

  async judge(): Promise<void> {
    if (this.#judged || this.#lines.length === 0) return;
    this.#judged = true;
    const known = await acquaintanceWith(this.#model, this.#lines, this.#signal);
    const said = known && foreignNote(known);
    if (said !== undefined) await this.#note(said);
  }
}
