import type { LanguageModel } from '@foretoken/language-models';
import { readNgrams } from '../../drivers/ngrams.js';
import { readShortlist, type Shortlist } from '../../drivers/shortlist.js';
import type { ModelFolder } from '../../folder/model-folder.js';
import type { MarianManifest } from './marian-manifest.js';

/** What lies beside a model's graphs. */
export interface SideFiles {
  readonly shortlist?: Shortlist | undefined;
  readonly languageModel?: LanguageModel | undefined;
}

/** Reads the files beside a model's graphs that its manifest names. Throws `INVALID_MODEL_FOLDER`. */
export async function readSideFiles(
  { path, readBytes }: ModelFolder,
  { ngrams, shortlist, vocabulary, ctc }: MarianManifest,
): Promise<SideFiles> {
  const place = (file: string) => ({ folder: path, file });
  return {
    shortlist:
      shortlist === undefined || ctc === undefined
        ? undefined
        : readShortlist(await readBytes(shortlist), place(shortlist), vocabulary.size, ctc.blankId),
    languageModel: ngrams === undefined ? undefined : readNgrams(await readBytes(ngrams), place(ngrams), vocabulary),
  };
}
