import { edit } from './export-refusal.js';

/** The fixture of apps/distill/make_genai_whisper_fixture.py, and its configs. */
export const KIND = 'genai-spectra';
export const CONFIG = 'genai_config.json';
export const PROCESSOR = 'audio_processor_config.json';

/** What is changed of `model` in the config. */
export interface Fields {
  readonly [part: string]: unknown;
  readonly encoder: { readonly inputs: object; readonly outputs: object };
  readonly decoder: { readonly inputs: object; readonly outputs: object };
}

/** Changes fields of `model` in the config. */
export const model =
  (change: (fields: Fields) => unknown) =>
  (folder: string): Promise<void> =>
    edit(folder, CONFIG, (content) => {
      change(content.model as Fields);
      return content;
    });

/** Changes an operation of the audio processor. */
export const operation =
  (at: number, change: (told: Record<string, unknown>) => unknown) =>
  (folder: string): Promise<void> =>
    edit(folder, PROCESSOR, (content) => {
      const { sequence } = content.feature_extraction as { sequence: { operation: Record<string, unknown> }[] };
      change(sequence[at].operation);
      return content;
    });
export const attribute = (at: number, name: string, value: unknown) =>
  operation(at, ({ attrs }) => Object.assign(attrs as object, { [name]: value }));
