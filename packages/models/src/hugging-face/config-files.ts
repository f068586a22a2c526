/** What says of a model of transformers what it is. */
export const CONFIG = 'config.json';
/** What newer releases of transformers say about decoding; older ones say it in config.json. */
export const GENERATION_CONFIG = 'generation_config.json';

/** Where a field of a config is said: the file, where it is another, and what that calls it. */
export interface FieldOrigin {
  /** Another file than that of the config. */
  readonly file?: string | undefined;
  /** The field, key or variable there. */
  readonly field: string;
}

/** The configs of a model in the layout of transformers. */
export interface ConfigFiles {
  /** The folder, as errors name it. */
  readonly path: string;
  /** What config.json says, or would say. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The file that `config` is of; default: config.json. */
  readonly file?: string | undefined;
  /** What other formats call fields of `config`; those that are not here are called so there, too. */
  readonly origins?: Readonly<Record<string, FieldOrigin>> | undefined;
  /** Content of generation_config.json, where there is one. */
  readonly generationConfig?: Readonly<Record<string, unknown>> | undefined;
}

/** The file that says a field of `config`, and what it calls it: what errors name. A part of a field, `a.b`, is of the field where it has no name of its own. */
export function originOf(
  { file = CONFIG, origins = {} }: Pick<ConfigFiles, 'file' | 'origins'>,
  field: string,
): { readonly file: string; readonly field: string } {
  for (const name of [field, field.split('.')[0]]) {
    if (Object.hasOwn(origins, name)) return { file: origins[name].file ?? file, field: origins[name].field };
  }
  return { file, field };
}

/** What reads the files of such a folder. */
export interface FileReader {
  /** The folder, as errors name it. */
  readonly path: string;
  /** Whether the folder has a file of that name. */
  has(file: string): Promise<boolean>;
  /** Content of a file of at most `maxBytes` bytes. Throws `INVALID_MODEL_FOLDER`. */
  read(file: string, maxBytes: number): Promise<Uint8Array>;
}
