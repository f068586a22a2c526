import {
  decodeUtf8,
  invalidFolder,
  isObject,
  parseJson,
  printableValue,
  quote,
  unsupportedModel,
  type WhisperManifest,
} from '@foretoken/models/internal';
import type { WeightsFolder } from '../../readers/hugging-face/weights-folder.js';

const FILE = 'tokenizer.json';
/** Languages as Whisper names them, such as `<|en|>` and `<|yue|>`. */
const LANGUAGE = /^<\|([a-z]{2,3})\|>$/;
/** Tokens of the models of English alone: one less than others have. Their tokenizer lists all languages, and they know none of them. */
const ENGLISH_ALONE = 51_864;

/** Tokens that tell a Whisper model what to do, and the end token. */
export interface SpeechTokens {
  readonly start: number;
  readonly end: number;
  readonly speech: WhisperManifest['speech'];
}

/** Finds the tokens in the folder's tokenizer. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export function readSpeechTokens(folder: WeightsFolder, vocabularySize: number): SpeechTokens {
  const { path, tokenizer } = folder;
  const bytes = tokenizer.files.get(FILE);
  if (bytes === undefined) {
    throw unsupportedModel(`${path} has no ${FILE}, which Whisper models need.`, {
      folder: path,
      file: FILE,
      required: FILE,
    });
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
      `${FILE} in ${path} has no token ${text}, which Whisper models need. Fetch the tokenizer of this model.`,
      { folder: path, file: FILE, field: 'added_tokens', required: text },
    );
  };
  const [start, end] = [need('<|startoftranscript|>'), need('<|endoftext|>')];
  for (const [field, id] of [
    ['decoder_start_token_id', start],
    ['eos_token_id', end],
  ] as const) {
    for (const [file, content] of [
      ['config.json', folder.config],
      ['generation_config.json', folder.generationConfig],
    ] as const) {
      const found = content?.[field];
      const said: unknown = Array.isArray(found) && found.length === 1 ? found[0] : found;
      if (said === undefined || said === null || said === id) continue;
      throw invalidFolder(
        `${FILE} in ${path} has ${id} where ${file} has ${field} = ${quote(said)}: they are of different models. Fetch both again.`,
        { folder: path, file: FILE, field, received: id, required: printableValue(said) },
      );
    }
  }
  const noTimestampsTokenId = need('<|notimestamps|>');
  const next = noTimestampsTokenId + 1;
  const firstTimestampTokenId = next < vocabularySize ? next : undefined;
  const translate = ids.get('<|translate|>');
  if (!isMultilingual(folder, vocabularySize))
    return { start, end, speech: { noTimestampsTokenId, firstTimestampTokenId } };
  const languages = Object.fromEntries(
    [...ids].flatMap(([text, id]) => {
      const language = LANGUAGE.exec(text)?.[1];
      return language === undefined || id >= vocabularySize ? [] : [[language, id]];
    }),
  );
  const tasks = { transcribeTokenId: need('<|transcribe|>'), translateTokenId: translate };
  return { start, end, speech: { noTimestampsTokenId, firstTimestampTokenId, ...tasks, languages } };
}

function isMultilingual({ generationConfig }: WeightsFolder, vocabularySize: number): boolean {
  const said = generationConfig?.is_multilingual;
  return typeof said === 'boolean' ? said : vocabularySize !== ENGLISH_ALONE;
}
