import { decodeUtf8, isObject, parseJson } from '../folder/json.js';
import { invalidFolder, printableValue, quote, unsupportedModel } from '../folder/refusal.js';
import type { ManifestSpeech } from '../folder/speech-schema.js';
import { type ConfigFiles, GENERATION_CONFIG, originOf } from './config-files.js';
import type { TokenizerFiles } from './tokenizer-files.js';

const FILE = 'tokenizer.json';
/** Languages as tokenizers name them, such as `<|en|>` and `<|yue|>`. */
const LANGUAGE = /^<\|([a-z]{2,3})\|>$/;
/** Tokens of the models of English alone: one less than others have. Their tokenizer lists all languages, and they know none of them. */
const ENGLISH_ALONE = 51_864;

/** The configs of a speech model, and its tokenizer, where it has one. */
export interface SpeechFolder extends ConfigFiles {
  readonly tokenizer: Pick<TokenizerFiles, 'files' | 'namedTokens'> | undefined;
}

/** Tokens that tell a speech model what to do, and the end token. */
export interface SpeechTokens {
  /** The token that outputs begin with. */
  readonly start: number;
  /** The token that ends an output. */
  readonly end: number;
  /** Those that come after the start token. */
  readonly speech: ManifestSpeech;
}

/** Finds the tokens in the folder's tokenizer. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readSpeechTokens(folder: SpeechFolder, vocabularySize: number): SpeechTokens {
  const { path, tokenizer } = folder;
  const bytes = tokenizer?.files.get(FILE);
  if (tokenizer === undefined || bytes === undefined) {
    throw unsupportedModel(
      `${path} has no ${FILE}, which says by which tokens this model is told what to do. Fetch it, or write it with AutoTokenizer.from_pretrained(folder).save_pretrained(folder) of transformers.`,
      {
        folder: path,
        file: FILE,
        required: FILE,
      },
    );
  }
  // Checked as a tokenizer, so its added tokens are what they must be.
  tokenizer.namedTokens(vocabularySize);
  const content = parseJson(decodeUtf8(bytes, FILE, { folder: path }), FILE, { folder: path });
  const { added_tokens: added } = (isObject(content) ? content : {}) as {
    readonly added_tokens?: readonly { readonly id: number; readonly content: string }[] | undefined;
  };
  const ids = new Map(added?.map(({ id, content: text }) => [text, id]));
  const need = (text: string): number => {
    const id = ids.get(text);
    if (id !== undefined) return id;
    throw invalidFolder(
      `${FILE} in ${path} has no token ${text}, by which such models are told what to do. Fetch the tokenizer of this model.`,
      { folder: path, file: FILE, field: 'added_tokens', required: text },
    );
  };
  const [start, end] = [need('<|startoftranscript|>'), need('<|endoftext|>')];
  for (const [field, id] of [
    ['decoder_start_token_id', start],
    ['eos_token_id', end],
  ] as const) {
    for (const [place, content] of [
      [originOf(folder, field), folder.config],
      [{ file: GENERATION_CONFIG, field }, folder.generationConfig],
    ] as const) {
      const found = content?.[field];
      assertSame(path, place.file, place.field, id, Array.isArray(found) && found.length === 1 ? found[0] : found);
    }
  }
  const noTimestampsTokenId = need('<|notimestamps|>');
  assertSame(
    path,
    GENERATION_CONFIG,
    'no_timestamps_token_id',
    noTimestampsTokenId,
    folder.generationConfig?.no_timestamps_token_id,
  );
  const next = noTimestampsTokenId + 1;
  const firstTimestampTokenId = next < vocabularySize ? next : undefined;
  const translate = ids.get('<|translate|>');
  if (!isMultilingual(folder, vocabularySize))
    return { start, end, speech: { noTimestampsTokenId, firstTimestampTokenId } };
  const told = new Set<string>();
  for (const [text, said] of Object.entries(Object(folder.generationConfig?.lang_to_id))) {
    const id = ids.get(text);
    if (id === undefined) continue;
    assertSame(path, GENERATION_CONFIG, `lang_to_id[${quote(text)}]`, id, said);
    told.add(text);
  }
  for (const [task, said] of Object.entries(Object(folder.generationConfig?.task_to_id))) {
    const id = ids.get(`<|${task}|>`);
    if (id !== undefined) assertSame(path, GENERATION_CONFIG, `task_to_id[${quote(task)}]`, id, said);
  }
  const languages = Object.fromEntries(
    [...ids].flatMap(([text, id]) => {
      const language = LANGUAGE.exec(text)?.[1];
      if (language === undefined || id >= vocabularySize) return [];
      // As in transformers, a model that lists its languages knows no others.
      return told.size > 0 && !told.has(text) ? [] : [[language, id]];
    }),
  );
  // Its config may say that it knows languages.
  if (Object.keys(languages).length === 0) need('<|en|>');
  const tasks = { transcribeTokenId: need('<|transcribe|>'), translateTokenId: translate };
  return { start, end, speech: { noTimestampsTokenId, firstTimestampTokenId, ...tasks, languages } };
}

/** Refuses a token that a config says has another id, as tokenizers of other models have it. */
function assertSame(folder: string, file: string, field: string, id: number, said: unknown): void {
  if (said === undefined || said === null || said === id) return;
  throw invalidFolder(
    `${FILE} in ${folder} has ${id} where ${file} has ${field} = ${quote(said)}: they are of different models. Fetch both again.`,
    { folder, file: FILE, field, received: id, required: printableValue(said) },
  );
}

function isMultilingual({ generationConfig }: SpeechFolder, vocabularySize: number): boolean {
  const said = generationConfig?.is_multilingual;
  return typeof said === 'boolean' ? said : vocabularySize !== ENGLISH_ALONE;
}
