import { type Drafter, ForetokenError, type TokenSource } from '@foretoken/core';
import type { LoadedModel } from '@foretoken/models';
import { copyDrafter, latticeDrafter, ngramDrafter } from '@foretoken/speculative';
import { type DrafterName, findPart } from '../strategy-names.js';
import { requirePart } from './definition.js';

/** A drafter of the folder. Throws `UNSUPPORTED_CAPABILITY`. */
export function createDrafter(name: DrafterName, model: LoadedModel): Drafter<TokenSource> {
  const { vocabulary } = requirePart('speculative', 'autoregressive', model);
  const own = model.description.ownSourceTokens === true;
  if (name === 'ngram') return ngramDrafter({ vocabulary, lookIn: own ? 'output' : 'output-and-source' });
  if (name === 'copy' && own) {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      'speculative with the copy drafter needs a model whose sources and outputs have the same tokens, but this one has source tokens of its own, or reads no tokens, so no output can copy them. Use --drafter ngram.',
      { decoder: 'speculative', capability: 'sources of the same vocabulary', folder: model.folder },
    );
  }
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
