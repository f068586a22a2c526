import type { LanguageModel } from '@foretoken/language-models';
import type { ModelFolder } from '../folder/read-folder.js';
import { readNgrams } from './ngrams.js';
import { readShortlist, type Shortlist } from './shortlist.js';

/** What lies beside a model's graphs. */
export interface SideFiles {
  readonly shortlist?: Shortlist;
  readonly languageModel?: LanguageModel;
}

/** Reads the files beside a model's graphs that its manifest names. Throws `INVALID_MODEL_FOLDER`. */
export async function readSideFiles({ manifest, path, readBytes }: ModelFolder): Promise<SideFiles> {
  if (manifest.family !== 'marian') return {};
  const { ngrams, shortlist, vocabulary, ctc } = manifest;
  const place = (file: string) => ({ folder: path, file });
  return {
    ...(shortlist === undefined || ctc === undefined
      ? {}
      : { shortlist: readShortlist(await readBytes(shortlist), place(shortlist), vocabulary.size, ctc.blankId) }),
    ...(ngrams === undefined ? {} : { languageModel: readNgrams(await readBytes(ngrams), place(ngrams), vocabulary) }),
  };
}
