import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { MANIFEST_BYTES, TOKENIZER_BYTES } from '../folder/manifest.js';
import { invalidFolder, quote, unsupportedModel } from '../folder/refusal.js';
import { PIECE_KIND, readPieceModel } from '../tokenizer/sentencepiece/piece-model.js';
import { CONFIG, type FileReader } from './config-files.js';
import { FAIRSEQ_LANGUAGES } from './fairseq-languages.js';
import { readTokenizerConfig, TOKENIZER_CONFIG } from './tokenizer-config.js';

/** Tokens of fairseq that stand before the pieces; three of them are pieces, too. */
const FIRST = ['<s>', '<pad>', '</s>', '<unk>'];
/** How many pieces stand for them. */
const OWN = 3;
/** Pieces and their tokens lie one apart, for the padding. */
const OFFSET = 1;
const MASK = '<mask>';
/** Which tokenizers a kind of model may have, where no file says which. */
const BY_KIND: Readonly<Record<string, readonly string[]>> = {
  mbart: ['MBartTokenizer', 'MBart50Tokenizer'],
  m2m_100: ['NllbTokenizer'],
};
/** Most tokens behind the last one that only fill a table up. */
const MAX_FILLING = 63;

/** Token ids of a model of fairseq: of its pieces and languages, and of its languages alone. */
export interface FairseqTokens {
  readonly ids: Readonly<Record<string, number>>;
  readonly languages: ReadonlyMap<string, number>;
}

/**
 * The token ids of a SentencePiece model that fairseq was trained with: four tokens of its own, the pieces, then languages, as the
 * configs of the folder name or list them. The mask's token is left out, since no text shows it.
 *
 * Throws `UNSUPPORTED_MODEL` where nothing says which languages those are, `INVALID_MODEL_FOLDER`.
 */
export async function readFairseqTokens(reader: FileReader, file: string): Promise<FairseqTokens> {
  const { path: folder } = reader;
  const { pieces, kinds, unknownTokenId } = readPieceModel(await reader.read(file, TOKENIZER_BYTES), file);
  const first = pieces.slice(0, OWN);
  const sound = unknownTokenId === 0 && kinds[1] === PIECE_KIND.control && kinds[2] === PIECE_KIND.control;
  if (!sound || first[1] !== '<s>' || first[2] !== '</s>') {
    throw unsupportedModel(
      `${folder}: ${file} begins with ${first.map(quote).join(', ')}, but the token ids of such a folder are known only where it begins with "<unk>", "<s>", "</s>". Add tokenizer.json, or vocab.json with the id of each piece.`,
      { folder, file, received: first, required: ['<unk>', '<s>', '</s>'] },
    );
  }
  const config = (await readTokenizerConfig(reader)) ?? {};
  const languages = listedTokens(config, folder) ?? (await knownTokens(reader, config, pieces.length, file));
  const ids: Record<string, number> = Object.fromEntries(FIRST.map((token, id) => [token, id]));
  for (const [index, piece] of pieces.entries()) if (index >= OWN) ids[piece] = index + OFFSET;
  return { ids: { ...ids, ...Object.fromEntries(languages) }, languages };
}

/** The tokens behind the pieces as tokenizer_config.json lists them; undefined where it does not. */
function listedTokens(
  { added_tokens_decoder: listed }: Readonly<Record<string, unknown>>,
  folder: string,
): ReadonlyMap<string, number> | undefined {
  if (!isObject(listed)) return undefined;
  const tokens = new Map<string, number>();
  for (const [id, token] of Object.entries(listed)) {
    const text = isObject(token) ? token.content : undefined;
    if (typeof text !== 'string' || !/^\d{1,9}$/.test(id)) {
      const field = `added_tokens_decoder.${id}`;
      throw invalidFolder(
        `${TOKENIZER_CONFIG} in ${folder}: ${quote(field)} is ${quote(token)}, but it must be a token id with an object that has a content. Fetch the file again.`,
        { folder, file: TOKENIZER_CONFIG, field, received: token, required: 'an object with a content' },
      );
    }
    if (!FIRST.includes(text) && text !== MASK) tokens.set(text, Number(id));
  }
  return tokens.size === 0 ? undefined : tokens;
}

/** The tokens of the languages that the folder's kind of model has. */
async function knownTokens(
  reader: FileReader,
  { tokenizer_class: named }: Readonly<Record<string, unknown>>,
  pieces: number,
  file: string,
): Promise<ReadonlyMap<string, number>> {
  const first = pieces + OFFSET;
  const codes = typeof named === 'string' ? languagesOf(named.replace(/Fast$/, '')) : undefined;
  const found = codes ?? (named === undefined ? await fittingLanguages(reader, first) : undefined);
  if (found !== undefined) return new Map(found.map((code, index) => [code, first + index]));
  const { path: folder } = reader;
  const required = Object.keys(FAIRSEQ_LANGUAGES);
  const received =
    named === undefined ? `no ${TOKENIZER_CONFIG} that names its tokenizer` : `tokenizer_class = ${quote(named)}`;
  throw unsupportedModel(
    `${folder} has ${file} and ${received}, which does not say what token ids its pieces have; known are ${required.join(', ')}. Fetch ${TOKENIZER_CONFIG} and vocab.json of the model, or add tokenizer.json.`,
    { folder, file: TOKENIZER_CONFIG, field: 'tokenizer_class', received: named, required },
  );
}

function languagesOf(tokenizer: string): readonly string[] | undefined {
  return Object.hasOwn(FAIRSEQ_LANGUAGES, tokenizer) ? FAIRSEQ_LANGUAGES[tokenizer] : undefined;
}

/** The languages of the one kind of tokenizer that gives as many tokens as config.json says. */
async function fittingLanguages(reader: FileReader, first: number): Promise<readonly string[] | undefined> {
  const { path: folder } = reader;
  if (!(await reader.has(CONFIG))) return undefined;
  const config = parseJson(decodeUtf8(await reader.read(CONFIG, MANIFEST_BYTES), CONFIG, { folder }), CONFIG, {
    folder,
  });
  if (!isObject(config) || typeof config.model_type !== 'string' || typeof config.vocab_size !== 'number')
    return undefined;
  const size = config.vocab_size;
  // Behind the languages comes the mask.
  const lists = (Object.hasOwn(BY_KIND, config.model_type) ? BY_KIND[config.model_type] : [])
    .map((name) => FAIRSEQ_LANGUAGES[name])
    .filter(({ length }) => size - (first + length + 1) >= 0 && size - (first + length + 1) <= MAX_FILLING);
  // The longest that fits: the shorter one would leave more than a mask behind it.
  return lists.at(-1);
}
