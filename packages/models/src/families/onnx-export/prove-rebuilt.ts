import { type AutoregressiveModel, ForetokenError, type Vocabulary } from '@foretoken/core';
import { nodeInBatch } from '@foretoken/core/kit';
import type { ManifestSpectrum } from '../../folder/speech-schema.js';
import type { ExportSource } from './export-encoder.js';
import { joined } from './export-probe.js';

/** Lengths of the sources that both are asked about. */
const SOURCE_LENGTHS = [2, 5, 11];
/** Tokens of each output, half of them behind a cache. */
const TOKENS = 8;
/** Where padding stands, which some models give no position: in the longer sources, and in outputs before a cache and behind one. */
const PADDED = [1, 6];
/** How far logits may lie apart: rounding of another order of the same sums. As a share of their spread where that is above one. */
const TOLERANCE = 1e-4;
/** What a token that is never output may be scored by instead of minus infinity. */
const NEVER = -10_000;
const ROOT = -1;
/** Values of a random spectrum lie so many steps apart. */
const STEPS = 2 ** 16;

type Model = AutoregressiveModel<ExportSource>;

/** Sources that both can read: so many tokens at most, of a vocabulary, or spectra. */
export type ProofSources = { readonly length: number; readonly vocabulary: Vocabulary } | ManifestSpectrum;

/**
 * Throws `UNSUPPORTED_MODEL` unless a model gives what another one gives: the same tokens, lengths and, on random sources and outputs,
 * the same best token and equal logits to 1e-4.
 */
export async function proveRebuilt(rebuilt: Model, untouched: Model, sources: ProofSources): Promise<void> {
  const { vocabulary, maxLength } = untouched;
  same('vocabulary.size', rebuilt.vocabulary.size, vocabulary.size);
  same('vocabulary.endTokenId', rebuilt.vocabulary.endTokenId, vocabulary.endTokenId);
  same('maxLength', rebuilt.maxLength, maxLength);
  const draw = drawer();
  for (const length of SOURCE_LENGTHS) {
    const source =
      'mels' in sources
        ? spectrum(sources, draw)
        : tokens(sources, Math.min(length, maxLength - TOKENS), untouched.encoder !== undefined, draw);
    const output = Int32Array.from({ length: Math.min(TOKENS, maxLength - 4) }, (_, at) =>
      tokenAt(at, vocabulary, draw),
    );
    const [given, required] = [await logitsOf(rebuilt, source, output), await logitsOf(untouched, source, output)];
    for (let at = 0; at < required.length; at += vocabulary.size) {
      compare(given.subarray(at, at + vocabulary.size), required.subarray(at, at + vocabulary.size));
    }
  }
}

/** Random tokens; with an encoder, the end token is the last. */
function tokens(
  sources: Extract<ProofSources, { readonly vocabulary: Vocabulary }>,
  length: number,
  ends: boolean,
  draw: Draw,
): Int32Array {
  const { vocabulary } = sources;
  const last = Math.max(1, Math.min(length, sources.length) - 1);
  const end = ends ? vocabulary.endTokenId : undefined;
  return Int32Array.from({ length: last + 1 }, (_, at) =>
    at === last && end !== undefined ? end : tokenAt(at, vocabulary, draw),
  );
}

function tokenAt(at: number, { size, padTokenId }: Vocabulary, draw: Draw): number {
  const token = draw(size);
  return PADDED.includes(at) ? (padTokenId ?? token) : token;
}

/** Random numbers where those of spectra lie. */
function spectrum({ mels, frames }: ManifestSpectrum, draw: Draw): ExportSource {
  const values = Float32Array.from({ length: mels * frames }, () => draw(STEPS) / (STEPS / 2) - 1);
  return { values, dims: [mels, frames] };
}

/** Logits after each token of a row's beginning and of `output`, the second half of which is asked for when the rest is in the cache. */
async function logitsOf(model: Model, source: ExportSource, output: Int32Array): Promise<Float32Array> {
  await using forest = await model.open([source]);
  const { prefix } = forest.start(0);
  const begun = prefix.length + (output.length >> 1);
  const tokens = Int32Array.from([...prefix, ...output]);
  const parts: Float32Array[] = [];
  let last = ROOT;
  for (const tokenId of [tokens.subarray(0, begun), tokens.subarray(begun)]) {
    const parent = tokenId.map((_, index) => (index === 0 ? last : nodeInBatch(index - 1)));
    const row = new Int32Array(tokenId.length);
    const { logits, firstNode } = await forest.extend({ row, parent, tokenId }, { kind: 'logits' });
    parts.push(logits);
    last = firstNode + tokenId.length - 1;
  }
  return joined(parts[0], parts[1]);
}

function compare(given: Float32Array, required: Float32Array): void {
  const finite = required.filter(Number.isFinite);
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length;
  const spread = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length);
  const max = TOLERANCE * Math.max(1, spread);
  let worst = 0;
  for (const [id, value] of required.entries()) {
    const apart = value === Number.NEGATIVE_INFINITY && given[id] < NEVER ? 0 : Math.abs(given[id] - value);
    // Not a number is as far apart as can be.
    if (!(apart <= worst)) worst = apart;
  }
  if (!(worst <= max)) refuse('logits', `${worst} apart`, `at most ${max} apart`);
  same('best token', best(given), best(required));
}

function best(scores: Float32Array): number {
  return scores.reduce((at, score, id) => (score > scores[at] ? id : at), 0);
}

function same(field: string, received: unknown, required: unknown): void {
  if (received !== required) refuse(field, received, required);
}

function refuse(field: string, received: unknown, required: unknown): never {
  throw new ForetokenError(
    'UNSUPPORTED_MODEL',
    `graphs built anew do not give what the exported ones give: ${field} is ${String(received)}, required: ${String(required)}.`,
    { field, received, required },
  );
}

/** Gives an integer from 0 below a number. */
type Draw = (below: number) => number;

/** Draws the same integers each time (xorshift: Marsaglia, 2003). */
function drawer(): Draw {
  let state = 0x9e37_79b9;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
