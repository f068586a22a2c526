import { ForetokenError } from '@foretoken/core';
import type { HubFile } from './list-hub-files.js';

/** The precision of an export's graphs as transformers.js calls it, such as `q8`; or one each for `encoder` and `decoder`. */
export type HubPrecision = string | { readonly encoder: string; readonly decoder: string };

/** Exporters write graphs beside the config, or in this folder. */
const PLACES = ['', 'onnx/'];
/** ONNX; where there is none, ONNX Runtime's own format. */
const ENDINGS = ['.onnx', '.ort'];
const DECODER = /^(?:onnx\/)?(?:decoder_model_merged|decoder_model|model)(_[a-z0-9]+)?(\.onnx|\.ort)$/;

/** What both precisions of a model are called together. */
export function precisionName(precision: HubPrecision): string {
  if (typeof precision === 'string') return precision;
  const { encoder, decoder } = precision;
  return encoder === decoder ? decoder : `${encoder}.${decoder}`;
}

/**
 * The graphs of an export in the precision that is wanted; where none is wanted in fp32, or in the only one there is. `undefined` where
 * nothing is wanted and there are no graphs. Throws `INVALID_ARGUMENT`.
 */
export function exportFiles(
  files: readonly HubFile[],
  repository: string,
  wanted: HubPrecision | undefined,
): readonly string[] | undefined {
  const paths = files.map(({ path }) => path);
  const named = ENDINGS.map((ending) => ({ ending, precisions: precisionsOf(paths, ending) }));
  for (const { ending, precisions } of named) {
    const graphs = graphsOf(paths, wanted ?? defaultOf(precisions), ending);
    if (graphs !== undefined) return graphs;
    // As a folder is opened: without a choice, other formats count only where there is no ONNX.
    if (wanted === undefined && precisions.length > 0) break;
  }
  const there = [...new Set(named.flatMap(({ precisions }) => precisions))];
  if (wanted === undefined && there.length === 0) return undefined;
  const words =
    there.length === 0
      ? 'no graphs of an ONNX export'
      : `graphs of an ONNX export in ${there.join(', ')}, and not all of them in ${precisionName(wanted ?? 'fp32')}`;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${repository} on the hub holds ${words}. ${there.length === 0 ? 'Leave out the option precision.' : 'Choose one by the option precision.'}`,
    { option: 'precision', received: wanted, required: there, repository },
  );
}

/** The precision that is taken where none is wanted. */
function defaultOf(precisions: readonly string[]): string {
  return precisions.includes('fp32') || precisions.length !== 1 ? 'fp32' : precisions[0];
}

/** The precisions in which there is a decoder that has its encoder, where there is one. */
function precisionsOf(paths: readonly string[], ending: string): readonly string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const [, suffix, own] = DECODER.exec(path) ?? [null, null];
    if (suffix !== null && own === ending)
      found.add(suffix === undefined ? 'fp32' : suffix === '_quantized' ? 'q8' : suffix.slice(1));
  }
  return [...found].filter((precision) => graphsOf(paths, precision, ending) !== undefined).sort();
}

/** The graphs in a precision, as Optimum and transformers.js name them; `undefined` where one is missing. */
function graphsOf(paths: readonly string[], precision: HubPrecision, ending: string): readonly string[] | undefined {
  const has = (path: string): boolean => paths.includes(path);
  const [ofEncoder, ofDecoder] =
    typeof precision === 'string' ? [precision, precision] : [precision.encoder, precision.decoder];
  for (const place of PLACES) {
    const file = (name: string, of: string): string => `${place}${name}${suffixOf(of)}${ending}`;
    const encoder = file('encoder_model', ofEncoder);
    const decoders = ['decoder_model_merged', 'decoder_model decoder_with_past_model'].map((names) =>
      names.split(' ').map((name) => file(name, ofDecoder)),
    );
    const decoder = decoders.find((graphs) => graphs.every(has));
    // A decoder whose encoder is there in other precisions is no model without one.
    const reads = paths.some((path) => path.startsWith(`${place}encoder_model`) && path.endsWith(ending));
    if (reads) {
      if (has(encoder) && decoder !== undefined) return [encoder, ...decoder];
    } else if (has(file('model', ofDecoder))) return [file('model', ofDecoder)];
    else if (decoder !== undefined) return decoder;
  }
  return undefined;
}

function suffixOf(precision: string): string {
  return precision === 'fp32' ? '' : precision === 'q8' ? '_quantized' : `_${precision}`;
}
