import {
  decodeUtf8,
  type FileReader,
  GENERATION_CONFIG,
  invalidFolder,
  isObject,
  MANIFEST_BYTES,
  parseJson,
  quote,
} from '@foretoken/models/internal';

/** Content of a JSON file that holds one object. Throws `INVALID_MODEL_FOLDER`. */
export async function readObject(reader: FileReader, file: string): Promise<Readonly<Record<string, unknown>>> {
  const { path: folder } = reader;
  const content = parseJson(decodeUtf8(await reader.read(file, MANIFEST_BYTES), file, { folder }), file, { folder });
  if (isObject(content)) return content;
  throw invalidFolder(
    `${file} in ${folder} is ${quote(content)}, but it must be a JSON object. Fetch or correct the file.`,
    { folder, file, field: 'the whole file', received: content, required: 'an object' },
  );
}

/** Content of generation_config.json, where there is one. Throws `INVALID_MODEL_FOLDER`. */
export async function readGenerationConfig(reader: FileReader): Promise<Readonly<Record<string, unknown>> | undefined> {
  return (await reader.has(GENERATION_CONFIG)) ? readObject(reader, GENERATION_CONFIG) : undefined;
}
