import { ForetokenError } from '@foretoken/core';
import type { HubFile } from './list-hub-files.js';

const GGUF = /\.gguf$/i;
/** One of several files of a model, and what is no language model: these are not read. */
const NOT_WHOLE = /-\d{5}-of-\d{5}\.gguf$|(^|\/)mmproj/i;
/** What files are named after, such as Q4_K_M, F16 or IQ2_XS, at the end of their names. */
const QUANTISATION = /(?:^|[-._])((?:I?Q|TQ|B?F)\d+(?:_[A-Z0-9]+)*)\.gguf$/i;

/**
 * The GGUF file in the quantisation that is wanted, or the only one where none is; `undefined` where nothing is wanted and there is
 * none. Throws `INVALID_ARGUMENT`.
 */
export function ggufFile(
  files: readonly HubFile[],
  repository: string,
  wanted: string | undefined,
): string | undefined {
  const all = files.map(({ path }) => path).filter((path) => GGUF.test(path));
  const whole = all.filter((path) => !NOT_WHOLE.test(path));
  const found =
    wanted === undefined ? whole : whole.filter((path) => quantisationOf(path)?.toUpperCase() === wanted.toUpperCase());
  if (found.length === 1) return found[0];
  if (wanted === undefined && all.length === 0) return undefined;
  const names = [...new Set(whole.flatMap((path) => quantisationOf(path) ?? []))].sort();
  const details = { option: 'quantisation', received: wanted, required: names, repository, files: all.slice(0, 50) };
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `${repository} on the hub holds ${words(all, whole, found, names, wanted)}`,
    details,
  );
}

function quantisationOf(path: string): string | undefined {
  return QUANTISATION.exec(path)?.[1];
}

/** Why no file is the one. */
function words(
  all: readonly string[],
  whole: readonly string[],
  found: readonly string[],
  names: readonly string[],
  wanted: string | undefined,
): string {
  if (all.length === 0) return 'no GGUF file. Leave out the option quantisation.';
  if (whole.length === 0) {
    return `${all[0]}, but a model in one GGUF file is required. Join its parts with llama-gguf-split --merge, and import the file.`;
  }
  if (wanted !== undefined && found.length > 1) {
    return `${found.length} GGUF files in ${wanted}: ${found.join(', ')}. Download the one you mean, and import it by its path.`;
  }
  const choose =
    names.length === 0
      ? 'Download one, and import it by its path.'
      : 'Import it, and choose one by the option quantisation.';
  if (wanted === undefined)
    return `${whole.length} GGUF files: ${(names.length > 0 ? names : whole).join(', ')}. ${choose}`;
  return `no GGUF file in ${wanted}, but ${(names.length > 0 ? names : whole).join(', ')}. ${choose}`;
}
