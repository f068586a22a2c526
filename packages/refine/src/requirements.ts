import { type EditModel, ForetokenError } from '@foretoken/core';

/** Throws `UNSUPPORTED_CAPABILITY` unless the model edits canvases. */
export function assertEdit(decoder: string, model: Partial<EditModel<never>>): void {
  if (model.placeholderTokenId === undefined || typeof model.open !== 'function') {
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${decoder} needs an edit model, which this model does not offer. Pass a model that deletes and inserts.`,
      { decoder, capability: 'an edit model' },
    );
  }
}
