import { dirname, resolve } from 'node:path';
import { wrongValue } from '@foretoken/core/kit';
import { type ManifestSound, PREPROCESSOR, readPreprocessor, scaledSamples } from '@foretoken/models/internal';
import { folderReader } from '../../readers/folder-reader.js';
import type { CtcImportOptions } from './ctc-options.js';
import type { CtcSignature } from './ctc-signature.js';

type ToldSound = Pick<CtcImportOptions, 'dictionary' | 'sampleRate' | 'normalise' | 'signal'>;

/**
 * What sound a graph hears, as told, or as the preprocessor's config beside graph or dictionary says; undefined where neither does, or
 * where the graph reads something else. Throws `INVALID_ARGUMENT` where both say different things, `UNSUPPORTED_MODEL`.
 */
export async function readSound(
  beside: readonly string[],
  { dims }: CtcSignature,
  { dictionary, sampleRate, normalise, signal }: ToldSound,
): Promise<ManifestSound | undefined> {
  if (dims.length !== 1) {
    refuseTold('sampleRate', sampleRate, 'left out: the graph reads no samples of sound');
    refuseTold('normalise', normalise, 'left out: the graph reads no samples of sound');
    return undefined;
  }
  for (const path of new Set([...beside, ...(typeof dictionary === 'string' ? [dirname(resolve(dictionary))] : [])])) {
    const config = await readPreprocessor(folderReader(path, signal));
    if (config === undefined) continue;
    const sound = scaledSamples(path, config);
    const said = (value: unknown) => `left out, or ${value} as ${PREPROCESSOR} in ${path} says`;
    if (sampleRate !== sound.sampleRate) refuseTold('sampleRate', sampleRate, said(sound.sampleRate));
    if (normalise !== sound.normalised) refuseTold('normalise', normalise, said(sound.normalised));
    return sound;
  }
  if (sampleRate === undefined) refuseTold('normalise', normalise, 'given together with sampleRate');
  return sampleRate === undefined ? undefined : { sampleRate, normalised: normalise ?? false };
}

function refuseTold(option: string, received: unknown, required: string): void {
  if (received !== undefined) throw wrongValue(option, received, required);
}
