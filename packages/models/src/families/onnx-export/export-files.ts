import { ForetokenError } from '@foretoken/core';
import { EXPORT_PRECISIONS, type ExportPrecisions, PRECISION_SUFFIXES } from '../../folder/export-precisions.js';
import { invalidFolder } from '../../folder/refusal.js';
import type { ModelIo } from '../../io/model-io.js';
import { hasFile } from './has-file.js';

/** The graphs of an export that belong together. */
export interface ExportFiles {
  readonly precision: string;
  readonly encoder?: string | undefined;
  readonly decoder: string;
  readonly decoderWithPast?: string | undefined;
}

/** Optimum writes graphs beside the config, transformers.js has them in a folder. */
const PLACES = ['', 'onnx/'];
/** ONNX; where there is none, ONNX Runtime's own format. */
const ENDINGS = ['.onnx', '.ort'];

interface Place {
  readonly folder: string;
  readonly ending: string;
}

/**
 * The graphs of a folder in the layouts of Optimum and transformers.js, in ONNX or ONNX Runtime's own format; `undefined` where there are none. What is not asked for is
 * `fp32`, or the only precision that there is.
 *
 * Throws `INVALID_MODEL_FOLDER` for parts without their other parts, `INVALID_ARGUMENT` for a precision that is not there or was
 * not chosen.
 */
export async function findExport(
  io: ModelIo,
  wanted: ExportPrecisions | undefined,
  signal: AbortSignal | undefined,
): Promise<ExportFiles | undefined> {
  const has = (file: string): Promise<boolean> => hasFile(io, file, signal);
  const there: PartialFiles[] = [];
  for (const ending of ENDINGS) {
    const places = PLACES.map((folder) => ({ folder, ending }));
    for (const place of wanted === undefined ? [] : places) {
      const found = await filesOf(place, wanted, has);
      if (found !== undefined) return complete(found, io);
    }
    for (const place of places) {
      for (const precision of EXPORT_PRECISIONS) {
        const found = await filesOf(place, precision, has);
        if (found === undefined) continue;
        if (wanted === undefined && precision === 'fp32') return complete(found, io);
        there.push(found);
      }
    }
    if (wanted === undefined && there.length > 0) break;
  }
  if (there.length === 0) return undefined;
  if (wanted === undefined && there.length === 1) return complete(there[0], io);
  const names = there.map(({ precision }) => precision);
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    wanted === undefined
      ? `${io.folder} holds graphs in several precisions, but not in fp32: ${names.join(', ')}. Choose one of them by the option precision.`
      : `${io.folder} holds no graphs in the precision ${labelOf(wanted)}. It holds: ${names.join(', ')}.`,
    { option: 'precision', received: wanted, required: names, folder: io.folder },
  );
}

type PartialFiles = Omit<ExportFiles, 'decoder'> & {
  readonly decoder?: string | undefined;
  readonly place: Place;
  readonly suffix: string;
};

async function filesOf(
  place: Place,
  wanted: ExportPrecisions | undefined = 'fp32',
  has: (file: string) => Promise<boolean>,
): Promise<PartialFiles | undefined> {
  const { encoder: ofEncoder, decoder: ofDecoder } =
    typeof wanted === 'string' ? { encoder: wanted, decoder: wanted } : wanted;
  const suffix = PRECISION_SUFFIXES[ofDecoder];
  const file = (name: string, own: string = suffix): string => `${place.folder}${name}${own}${place.ending}`;
  // A name without suffix says nothing of a converted graph, which may have been quantised before.
  const precision = wanted === 'fp32' && place.ending !== ENDINGS[0] ? 'as-built' : labelOf(wanted);
  const found = { precision, place, suffix };
  const encoderFile = file('encoder_model', PRECISION_SUFFIXES[ofEncoder]);
  const encoder = (await has(encoderFile)) ? encoderFile : undefined;
  if (encoder === undefined && (await has(file('model')))) return { ...found, decoder: file('model') };
  if (await has(file('decoder_model_merged'))) return { ...found, encoder, decoder: file('decoder_model_merged') };
  const withPast = file('decoder_with_past_model');
  if (await has(file('decoder_model'))) {
    const decoderWithPast = (await has(withPast)) ? withPast : undefined;
    return { ...found, encoder, decoder: file('decoder_model'), decoderWithPast };
  }
  return encoder === undefined ? undefined : { ...found, encoder };
}

function complete({ decoder, place, suffix, ...files }: PartialFiles, { folder }: ModelIo): ExportFiles {
  if (decoder !== undefined) return { ...files, decoder };
  const name = (part: string): string => `${place.folder}${part}${suffix}${place.ending}`;
  const required = `${name('decoder_model_merged')}, or ${name('decoder_model')} and ${name('decoder_with_past_model')}`;
  throw invalidFolder(`${folder} holds ${files.encoder}, but no decoder. Fetch ${required}.`, {
    folder,
    file: name('decoder_model_merged'),
    received: 'missing',
    required,
  });
}

function labelOf(precision: ExportPrecisions): string {
  if (typeof precision === 'string') return precision;
  const { encoder, decoder } = precision;
  return encoder === decoder ? decoder : `${encoder}.${decoder}`;
}
