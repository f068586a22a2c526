import {
  decodeUtf8,
  type FileReader,
  invalidFolder,
  parseJson,
  quote,
  TOKENIZER_BYTES,
  unsupportedModel,
} from '@foretoken/models/internal';

/** A list of tokens, whose places are their ids, and the file that has it. */
export interface Vocabulary {
  readonly file: string;
  readonly tokens: readonly string[];
}

/** The tokens of sources and of outputs; one object where they are the same. */
export interface Vocabularies {
  readonly source: Vocabulary;
  readonly target: Vocabulary;
}

/** As CTranslate2 4 writes them, and as older releases do. */
const ENDINGS = ['.json', '.txt'];

/** Reads the vocabularies of an encoder-decoder: `shared_vocabulary`, or `source_vocabulary` and `target_vocabulary`. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readVocabularies(reader: FileReader): Promise<Vocabularies> {
  const shared = await readVocabulary(reader, 'shared_vocabulary');
  if (shared !== undefined) return { source: shared, target: shared };
  const source = await readVocabulary(reader, 'source_vocabulary');
  const target = await readVocabulary(reader, 'target_vocabulary');
  if (source !== undefined && target !== undefined) return { source, target };
  const required = 'shared_vocabulary.json, or source_vocabulary.json and target_vocabulary.json';
  throw unsupportedModel(
    `${reader.path} lacks ${required} (or the same with .txt), which say what its token ids are. Fetch the missing files.`,
    {
      folder: reader.path,
      file: `${source !== undefined ? 'target' : target !== undefined ? 'source' : 'shared'}_vocabulary.json`,
      required,
    },
  );
}

/** Reads the vocabulary of a language model, `vocabulary.json` or `.txt`. Throws `INVALID_MODEL_FOLDER`, `UNSUPPORTED_MODEL`. */
export async function readOnlyVocabulary(reader: FileReader): Promise<Vocabulary> {
  const vocabulary = await readVocabulary(reader, 'vocabulary');
  if (vocabulary !== undefined) return vocabulary;
  const file = 'vocabulary.json';
  throw unsupportedModel(
    `${reader.path} lacks ${file} (or vocabulary.txt), which says what its token ids are. Fetch the missing file.`,
    { folder: reader.path, file, required: file },
  );
}

async function readVocabulary(reader: FileReader, name: string): Promise<Vocabulary | undefined> {
  for (const ending of ENDINGS) {
    const file = `${name}${ending}`;
    if (!(await reader.has(file))) continue;
    const text = decodeUtf8(await reader.read(file, TOKENIZER_BYTES), file, { folder: reader.path });
    const tokens = ending === '.json' ? listed(text, file, reader.path) : lines(text);
    assertOnce(tokens, file, reader.path);
    return { file, tokens };
  }
  return undefined;
}

function lines(text: string): readonly string[] {
  const all = text.split('\n');
  // The last line ends, too.
  const own = all.at(-1) === '' ? all.slice(0, -1) : all;
  // As Windows ends lines.
  return own.every((line) => line.endsWith('\r')) ? own.map((line) => line.slice(0, -1)) : own;
}

function listed(text: string, file: string, folder: string): readonly string[] {
  const content = parseJson(text, file, { folder });
  const isList = Array.isArray(content);
  const at = isList ? content.findIndex((token) => typeof token !== 'string') : -1;
  if (isList && at < 0) return content;
  const [field, received]: readonly [string, unknown] = isList
    ? [String(at), content[at]]
    : ['the whole file', content];
  throw invalidFolder(
    `${file} in ${folder}: ${field} is ${quote(received)}, but the file must be a list of texts. Fetch or convert the model again.`,
    { folder, file, field, received, required: 'a list of texts' },
  );
}

/** A token that is there twice would have two ids. */
function assertOnce(tokens: readonly string[], file: string, folder: string): void {
  const seen = new Set<string>();
  for (const [at, token] of tokens.entries()) {
    if (seen.has(token)) {
      throw invalidFolder(
        `${file} in ${folder}: ${quote(token)} is there twice, the second time as number ${at}. Fetch or convert the model again.`,
        { folder, file, field: String(at), received: token, required: 'each token once' },
      );
    }
    seen.add(token);
  }
}
