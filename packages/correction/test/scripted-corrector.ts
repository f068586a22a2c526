import { type AutoregressiveModel, ForetokenError, type LatticeModel, type TokenSource } from '@foretoken/core';
import { scriptedModel } from '@foretoken/testkit';
import type { CorrectionModel } from '../src/index.js';

const END = 256;
const utf8 = new TextDecoder();

export interface ScriptedCorrectorOptions {
  /** Tokens of a source that are too many; default 512. */
  readonly sourceLength?: number;
  /** Tokens that an output has at most; default twice as many. */
  readonly maxLength?: number;
  /** Logit of the token that the model chooses at a place of its output; all others have 0. Default 12. */
  readonly sureness?: (output: string) => number;
  /** Told of every text that the model reads. */
  readonly onText?: (text: string) => void;
}

/** A model over bytes that corrects as a function says. */
export function scriptedCorrector(
  correct: (text: string) => string,
  {
    sourceLength = 512,
    maxLength = 2 * sourceLength,
    sureness = () => 12,
    onText = () => {},
  }: ScriptedCorrectorOptions = {},
): CorrectionModel & { readonly autoregressive: AutoregressiveModel<TokenSource> } {
  const targets = new WeakMap<TokenSource, Buffer>();
  const decode = (tokenIds: ArrayLike<number>): string =>
    utf8.decode(Uint8Array.from(Array.from(tokenIds).filter((tokenId) => tokenId < END)));
  const targetOf = (source: TokenSource): Buffer => {
    const target = targets.get(source) ?? Buffer.from(correct(decode(source)));
    targets.set(source, target);
    return target;
  };
  const score = (source: TokenSource, output: readonly number[]): Float32Array => {
    const target = targetOf(source);
    const logits = new Float32Array(END + 1);
    // Where a rule made it say something else, it goes on after that.
    logits[target[output.length] ?? END] = sureness(decode(output));
    return logits;
  };
  const autoregressive = scriptedModel({
    vocabularySize: END + 1,
    endTokenId: END,
    score,
    maxLength,
  });
  return {
    autoregressive,
    part: () => autoregressive,
    tokenizer: {
      encode: (text) => {
        onText(text);
        const bytes = Buffer.from(text);
        if (bytes.length >= sourceLength) throw new ForetokenError('SOURCE_TOO_LONG', 'Too long.');
        return Int32Array.of(...bytes, END);
      },
      decode,
      tokenText: (tokenId) => (tokenId < END ? String.fromCharCode(tokenId) : ''),
    },
  };
}

/** A CTC model over the same bytes: a frame a byte, and a blank one between. `sureness` is each byte's probability. */
export function scriptedLattice(
  correct: (text: string) => string,
  sureness: (output: string) => number = () => 0.99,
): LatticeModel<TokenSource> {
  return {
    vocabulary: { size: END + 1, endTokenId: END },
    supports: { kind: 'ctc', maxCandidates: 1 },
    emit: async (sources) =>
      sources.map((source) => {
        const target = Buffer.from(correct(utf8.decode(Uint8Array.from(source.slice(0, -1)))));
        const frames = 2 * target.length;
        const said = Array.from({ length: frames }, (_, frame) => frame % 2 === 0);
        const logProbs = said.map((speaks, frame) =>
          speaks ? Math.log(sureness(utf8.decode(target.subarray(0, frame / 2)))) : -9,
        );
        return {
          kind: 'ctc',
          frames,
          k: 1,
          blankId: END,
          tokenIds: Int32Array.from(said, (speaks, frame) => (speaks ? target[frame / 2] : 0)),
          logProbs: Float32Array.from(logProbs),
          blankLogProbs: Float32Array.from(said, (speaks) => (speaks ? -9 : -0.001)),
        } as const;
      }),
  };
}

/** What a corrector of this kind of text does: a few words, a capital at the beginning, a full stop at the end. */
export function simpleCorrection(text: string): string {
  const words = text
    .replace(/\bteh\b/g, 'the')
    .replace(/\bwrold\b/g, 'world')
    .replace(/\balot\b/g, 'a lot');
  const begun = words.replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
  return /[\p{L}\p{N}]$/u.test(begun) ? `${begun}.` : begun;
}
