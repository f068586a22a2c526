import type { Yielder } from '@foretoken/core/kit';
import { readNamedTokens, type TokenizerFiles } from '@foretoken/models/internal';
import { type ChatFiles, TEMPLATE_TOKENS } from '../chat-template.js';
import type { GgufFields } from './gguf-fields.js';
import { BYTE_PAIRS, CUTS, SCORED_PAIRS } from './gguf-names.js';

const FILE = 'tokenizer.json';
/** Numbers of ggml for the kinds of tokens. */
export const KIND = { unknown: 2, control: 3, userDefined: 4, byte: 6 } as const;
/** Longest token of which merges are made from scores. */
const MAX_SCORED_TOKEN = 256;
/** Tokens or merges that are worked on before other work may have its turn. */
const ITEMS = 1024;

/** The vocabulary of a GGUF file. */
interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: readonly number[];
}

/** The tokenizer of a GGUF file, as a tokenizer.json. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`, the signal's reason. */
export async function ggufTokenizer(
  fields: GgufFields,
  vocabularySize: number,
  pace: Yielder,
): Promise<TokenizerFiles> {
  const vocabulary = await readVocabulary(fields, vocabularySize, pace);
  const model = fields.text('tokenizer.ggml.model');
  const { settings, pairs } =
    model === BYTE_PAIRS
      ? await bytePairs(fields, vocabulary, pace)
      : model === SCORED_PAIRS
        ? await scoredPairs(fields, vocabulary, pace)
        : fields.unsupported('tokenizer.ggml.model', model, `${BYTE_PAIRS}, ${SCORED_PAIRS}`);
  const json = await jsonOf(settings, vocabulary.tokens, pairs, pace);
  return {
    names: FILE,
    files: new Map([[FILE, new TextEncoder().encode(json)]]),
    namedTokens: (size) => readNamedTokens(json, size, fields.place.folder, fields.place.file),
  };
}

/** What a tokenizer.json says beside its tokens and merges, and the merges in their order. */
interface PairsTokenizer {
  readonly settings: { readonly model: object } & Readonly<Record<string, unknown>>;
  readonly pairs: readonly (readonly string[])[];
}

/** A tokenizer.json, written piece by piece, since hundreds of thousands of tokens and merges take long. */
async function jsonOf(
  settings: PairsTokenizer['settings'],
  tokens: readonly string[],
  pairs: PairsTokenizer['pairs'],
  pace: Yielder,
): Promise<string> {
  const pieces = async (count: number, piece: (index: number) => string): Promise<string> => {
    const written: string[] = [];
    for (let index = 0; index < count; index++) {
      written.push(piece(index));
      if (index % ITEMS === 0 && pace.due()) await pace.yield();
    }
    return written.join(',');
  };
  const vocab = await pieces(tokens.length, (id) => `${JSON.stringify(tokens[id])}:${id}`);
  const merges = await pieces(pairs.length, (index) => JSON.stringify(pairs[index]));
  const { model, ...others } = settings;
  const begin = JSON.stringify(others).slice(0, -1);
  return `${begin},"model":${JSON.stringify(model).slice(0, -1)},"vocab":{${vocab}},"merges":[${merges}]}}`;
}

/** The chat template of a file, undefined without one. Throws `INVALID_MODEL_FOLDER`. */
export function ggufChat(fields: GgufFields): ChatFiles | undefined {
  const template = fields.text('tokenizer.chat_template');
  if (template === undefined) return undefined;
  const names = { bos_token: 'bos', eos_token: 'eos', pad_token: 'padding', unk_token: 'unknown' };
  const tokens = TEMPLATE_TOKENS.flatMap((name): [string, string][] => {
    const token = namedToken(fields, names[name]);
    return token === undefined ? [] : [[name, token]];
  });
  return { template, tokens: Object.fromEntries(tokens) };
}

/** The text of a token that a field names; undefined where none is named. Throws `INVALID_MODEL_FOLDER`. */
function namedToken(fields: GgufFields, name: string): string | undefined {
  const key = `tokenizer.ggml.${name}_token_id`;
  if (!fields.has(key)) return undefined;
  const tokens = fields.texts('tokenizer.ggml.tokens') ?? [];
  return tokens[fields.integer(key, 0, Math.max(0, tokens.length - 1))];
}

async function readVocabulary(fields: GgufFields, size: number, pace: Yielder): Promise<Vocabulary> {
  const key = 'tokenizer.ggml.tokens';
  const tokens = fields.texts(key);
  if (tokens === undefined || tokens.length < 2 || tokens.length > size) {
    return fields.refuse(key, tokens && `${tokens.length} tokens`, `a list of 2 to ${size} tokens, the model's rows`);
  }
  const seen = new Set<string>();
  for (const token of tokens) {
    seen.add(token);
    if (seen.size % ITEMS === 0 && pace.due()) await pace.yield();
  }
  if (seen.size !== tokens.length) fields.refuse(key, 'a token twice', 'a list of different tokens');
  const kinds = fields.numbers('tokenizer.ggml.token_type') ?? tokens.map(() => 1);
  if (kinds.length !== tokens.length) {
    fields.refuse('tokenizer.ggml.token_type', `${kinds.length} kinds`, `a kind for each of ${tokens.length} tokens`);
  }
  return { tokens, kinds };
}

/** Byte-level byte pairs. */
async function bytePairs(fields: GgufFields, vocabulary: Vocabulary, pace: Yielder): Promise<PairsTokenizer> {
  const key = 'tokenizer.ggml.pre';
  const pre = fields.text(key);
  const found = pre !== undefined && Object.hasOwn(CUTS, pre) ? CUTS[pre] : undefined;
  if (found === undefined) return fields.unsupported(key, pre, Object.keys(CUTS).join(', '));
  const merges = fields.texts('tokenizer.ggml.merges');
  if (merges === undefined) return fields.refuse('tokenizer.ggml.merges', merges, 'a list of texts');
  const pairs: string[][] = [];
  for (const [index, merge] of merges.entries()) {
    // A part may begin with the blank between them only in theory: bytes are spelled without blanks.
    const at = merge.indexOf(' ', 1);
    if (at < 0) fields.refuse(`tokenizer.ggml.merges[${index}]`, merge, 'two parts with a blank between them');
    pairs.push([merge.slice(0, at), merge.slice(at + 1)]);
    if (index % ITEMS === 0 && pace.due()) await pace.yield();
  }
  const settings = {
    ...heading(fields, vocabulary, found.starts ?? false),
    normalizer: found.normalizer ?? null,
    pre_tokenizer: found.cut,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: pairsModel({ ignore_merges: found.whole ?? false }),
  };
  return { settings, pairs };
}

/** The byte pairs of SentencePiece, whose merges are ranked by the scores of what they make. */
async function scoredPairs(fields: GgufFields, vocabulary: Vocabulary, pace: Yielder): Promise<PairsTokenizer> {
  const { tokens, kinds } = vocabulary;
  const key = 'tokenizer.ggml.scores';
  const scores = fields.numbers(key);
  if (scores === undefined || scores.length !== tokens.length) {
    return fields.refuse(key, scores && `${scores.length} scores`, `a score for each of ${tokens.length} tokens`);
  }
  const wrong = scores.findIndex((score) => Number.isNaN(score));
  if (wrong >= 0) fields.refuse(`${key}[${wrong}]`, 'NaN', 'a number');
  const prefixed = fields.flag('tokenizer.ggml.add_space_prefix', true);
  const unknown = tokens.find((_, id) => kinds[id] === KIND.unknown) ?? namedToken(fields, 'unknown');
  const settings = {
    ...heading(fields, vocabulary, true),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(prefixed ? [{ type: 'Prepend', prepend: '\u2581' }] : []),
        { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefixed ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
      ],
    },
    model: pairsModel({ unk_token: unknown ?? null, fuse_unk: true, byte_fallback: kinds.includes(KIND.byte) }),
  };
  return { settings, pairs: await mergesOf(fields, vocabulary, scores, pace) };
}

/** Every two tokens that make a third, in the order of its score, as SentencePiece joins them. */
async function mergesOf(
  fields: GgufFields,
  { tokens, kinds }: Vocabulary,
  scores: readonly number[],
  pace: Yielder,
): Promise<string[][]> {
  const idOf = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    idOf.set(token, id);
    if (id % ITEMS === 0 && pace.due()) await pace.yield();
  }
  const made: { readonly parts: string[]; readonly score: number; readonly left: number; readonly right: number }[] =
    [];
  for (const [id, token] of tokens.entries()) {
    if (kinds[id] !== 1 && kinds[id] !== KIND.userDefined) continue;
    if (token.length > MAX_SCORED_TOKEN) {
      fields.refuse(`tokenizer.ggml.tokens[${id}]`, token, `a token of at most ${MAX_SCORED_TOKEN} characters`);
    }
    for (let at = 1; at < token.length; at++) {
      const [left, right] = [idOf.get(token.slice(0, at)), idOf.get(token.slice(at))];
      if (left === undefined || right === undefined) continue;
      made.push({ parts: [tokens[left], tokens[right]], score: scores[id], left: scores[left], right: scores[right] });
    }
    if (pace.due()) await pace.yield();
  }
  made.sort((a, b) => b.score - a.score || b.left - a.left || b.right - a.right);
  return made.map(({ parts }) => parts);
}

/** What a model of byte pairs says beside its tokens and merges. */
function pairsModel(settings: object): object {
  return {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...settings,
  };
}

/** What both kinds have: added tokens, and the tokens that are put around a text. */
function heading(fields: GgufFields, { tokens, kinds }: Vocabulary, startsByDefault: boolean): object {
  const added = tokens.flatMap((content, id) => {
    const special = kinds[id] === KIND.control || kinds[id] === KIND.unknown;
    if (!special && kinds[id] !== KIND.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
  const around = (name: string, key: string, byDefault: boolean): string[] => {
    if (!fields.flag(key, byDefault)) return [];
    const token = namedToken(fields, name);
    return token === undefined ? fields.refuse(`tokenizer.ggml.${name}_token_id`, undefined, 'a token') : [token];
  };
  const hasStart = startsByDefault && fields.has('tokenizer.ggml.bos_token_id');
  const starts = around('bos', 'tokenizer.ggml.add_bos_token', hasStart);
  const ends = around('eos', 'tokenizer.ggml.add_eos_token', false);
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const used = [...new Set([...starts, ...ends])];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    post_processor: {
      type: 'TemplateProcessing',
      single: [...starts.map(special), { Sequence: { id: 'A', type_id: 0 } }, ...ends.map(special)],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: Object.fromEntries(
        used.map((token) => [token, { id: token, ids: [tokens.indexOf(token)], tokens: [token] }]),
      ),
    },
  };
}
