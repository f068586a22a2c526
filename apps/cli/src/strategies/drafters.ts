import { type Drafter, ForetokenError, type TokenSource } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { copyDrafter, latticeDrafter, ngramDrafter } from '@foretoken/speculative';
import { type DrafterName, findPart } from '../strategy-names.js';
import { requirePart } from './definition.js';

/** A drafter of the folder. Throws `UNSUPPORTED_CAPABILITY`. */
export function createDrafter(name: DrafterName, model: LoadedModel): Drafter<TokenSource> {
  const { vocabulary } = requirePart('speculative', 'autoregressive', model);
  if (name === 'ngram') return ngramDrafter({ vocabulary });
  if (name === 'copy') return copyDrafter({ vocabulary, tokenText: model.tokenizer.tokenText });
  const drafting = model.find('lattice', { lattice: 'ctc', variant: 'draft' }) ?? findPart(model, 'ctc');
  if (drafting === undefined) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      'speculative with the lattice drafter needs a CTC model, which this model folder does not have. Use --drafter copy or ngram.',
      { decoder: 'speculative', capability: 'a lattice model', folder: model.folder },
    );
  }
  return latticeDrafter(model.speculation());
}
