import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import type { ManifestLanguages } from '../folder/languages-schema.js';
import { unsupportedModel } from '../folder/refusal.js';
import type { TokenizerFiles } from './tokenizer-files.js';

/** How a model is told of languages. */
export interface LanguageFacts {
  /** The languages as the manifest lists them. */
  readonly manifest: ManifestLanguages;
  /** What outputs begin with, whatever their language. */
  readonly beginning: readonly number[];
  /** Files of the tokenizer that now hold the tokens of languages, too. */
  readonly files?: ReadonlyMap<string, Uint8Array> | undefined;
}

/** What languages are read of. */
export interface LanguageSources {
  /** The folder, as errors name it. */
  readonly path: string;
  readonly tokenizer: TokenizerFiles;
  /** Content of tokenizer_config.json, where there is one. */
  readonly tokenizerConfig: Readonly<Record<string, unknown>> | undefined;
}

/** Kinds of models that are told of languages by tokens. */
const MULTILINGUAL = ['mbart', 'm2m_100'];

/** Whether a model is told of languages by tokens. */
export function isMultilingual(config: Readonly<Record<string, unknown>>): boolean {
  return typeof config.model_type === 'string' && MULTILINGUAL.includes(config.model_type);
}

/** How the tokens of languages are spelled: `en_XX`, `eng_Latn`, `__en__`. */
const CODE = /^(?:__([a-z]{2,3})__|([a-z]{2,3}_(?:[A-Z]{2}|[A-Z][a-z]{3})))$/;

/** The languages of M2M-100 (Fan et al., 2020), in the order of their tokens, which follow those of the vocabulary file. */
const M2M100 =
  'af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu';
/** Its successor of the WMT shared task of 2021. */
const WMT21 = 'en ha is ja cs ru zh de';
const LISTS: Readonly<Record<string, string>> = { m2m100: M2M100, wmt21: WMT21 };

/**
 * Reads which languages a model knows, and where they are said: before the source and as the output's first token, or, where the
 * start token is a language, behind the source and as that. Undefined where the tokenizer has no tokens of languages. Throws
 * `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`.
 */
export function readLanguages(
  folder: LanguageSources,
  vocabularySize: number,
  beginning: readonly number[],
): LanguageFacts | undefined {
  const config = folder.tokenizerConfig ?? {};
  const known = folder.tokenizer.namedTokens(vocabularySize).added;
  const listed = known === undefined ? listedLanguages(folder, config) : undefined;
  const added = known ?? listed?.tokens ?? new Map<string, number>();
  const tokens: Record<string, number> = {};
  for (const [text, id] of added) {
    const found = CODE.exec(text);
    if (found !== null && id < vocabularySize) tokens[found[1] ?? found[2]] = id;
  }
  if (Object.keys(tokens).length === 0) return undefined;
  const codeOf = (tokenId: number | undefined): string | undefined =>
    Object.keys(tokens).find((code) => tokens[code] === tokenId);
  const named = (field: string): string | undefined => {
    const code = config[field];
    return typeof code === 'string' && Object.hasOwn(tokens, code) ? code : undefined;
  };
  const [start, forced] = beginning;
  const written = codeOf(start);
  const source = named('src_lang');
  const files = listed?.files;
  if (written !== undefined) {
    const manifest = { tokens, sourcePlace: 'after', targetPlace: 'start', source, target: written } as const;
    return { manifest, beginning: [start], files };
  }
  const sourcePlace = config.legacy_behaviour === true ? 'after' : 'before';
  const target = codeOf(forced) ?? named('tgt_lang');
  const kept = forced === undefined || codeOf(forced) !== undefined ? [start] : beginning;
  return { manifest: { tokens, sourcePlace, targetPlace: 'first', source, target }, beginning: kept, files };
}

/**
 * The tokens of languages that no file lists: a tokenizer of pieces has them after those of its vocabulary file, in an order that is
 * known by name.
 */
function listedLanguages(
  { path, tokenizer }: LanguageSources,
  config: Readonly<Record<string, unknown>>,
): { readonly tokens: ReadonlyMap<string, number>; readonly files: ReadonlyMap<string, Uint8Array> } | undefined {
  const { names, files } = tokenizer;
  if (typeof names !== 'object' || !('vocabulary' in names)) return undefined;
  const file = names.vocabulary;
  const content = files.get(file);
  if (content === undefined) return undefined;
  const ids = parseJson(decodeUtf8(content, file, { folder: path }), file, { folder: path });
  if (!isObject(ids)) return undefined;
  const name = config.language_codes ?? 'm2m100';
  const list = typeof name === 'string' && Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
  if (list === undefined) {
    const required = Object.keys(LISTS);
    throw unsupportedModel(
      `${path}: tokenizer_config.json has language_codes = ${JSON.stringify(name)}; known lists of languages are ${required.join(', ')}.`,
      { folder: path, file: 'tokenizer_config.json', field: 'language_codes', received: name, required },
    );
  }
  const first = Object.keys(ids).length;
  const tokens = new Map(list.split(' ').map((code, index) => [`__${code}__`, first + index]));
  const whole = new TextEncoder().encode(JSON.stringify({ ...ids, ...Object.fromEntries(tokens) }));
  return { tokens, files: new Map([[file, whole]]) };
}
