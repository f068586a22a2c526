import { type OptionReader, withMethods } from '../contract/options.js';
import type { NgramModel } from './ngram-model.js';

/** Reads an n-gram model, also one that another copy of this package made. */
export const ngramModel: OptionReader<NgramModel> = withMethods('an NgramModel', 'after', 'probability');
