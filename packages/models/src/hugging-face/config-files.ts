/** What says of a model of transformers what it is. */
export const CONFIG = 'config.json';
/** What newer releases of transformers say about decoding; older ones say it in config.json. */
export const GENERATION_CONFIG = 'generation_config.json';

/** The configs of a model in the layout of transformers. */
export interface ConfigFiles {
  readonly path: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** The file that `config` is of; default: config.json. */
  readonly file?: string | undefined;
  /** Content of generation_config.json, where there is one. */
  readonly generationConfig?: Readonly<Record<string, unknown>> | undefined;
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
