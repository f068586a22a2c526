import {
  type CanvasModel,
  type DecodeRequest,
  type Decoder,
  type EditModel,
  ForetokenError,
  RowOutput,
  type Vocabulary,
} from '@foretoken/core';

function unsupported(decoder: string, capability: string, remedy: string): ForetokenError {
  return new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `${decoder} needs ${capability}, which this model does not offer. ${remedy}`,
    { decoder, capability },
  );
}

/** Throws `UNSUPPORTED_CAPABILITY` unless the model fills canvases and offers all that the decoder requires. */
export function assertCanvas(
  { name, requires }: Pick<Decoder<never>, 'name' | 'requires'>,
  model: Partial<CanvasModel<never>>,
): void {
  if (requires.model !== 'canvas') return;
  const { supports } = model;
  if (supports?.outputs === undefined || model.maskTokenId === undefined || typeof model.open !== 'function') {
    throw unsupported(name, 'a canvas model', 'Pass a model that fills masked positions.');
  }
  for (const output of requires.outputs) {
    if (!supports.outputs.includes(output)) {
      throw unsupported(name, `the ${output} output`, `It offers: ${supports.outputs.join(', ') || 'none'}.`);
    }
  }
  if (requires.lengths && !supports.lengths) {
    throw unsupported(name, 'predicted lengths', 'Set the option `length`.');
  }
}

/** Throws `UNSUPPORTED_CAPABILITY` unless the model edits canvases. */
export function assertEdit(decoder: string, model: Partial<EditModel<never>>): void {
  if (model.placeholderTokenId === undefined || typeof model.open !== 'function') {
    throw unsupported(decoder, 'an edit model', 'Pass a model that deletes and inserts.');
  }
}

/**
 * Throws `INVALID_ARGUMENT` for an output prefix with a token that no output holds or after which the output is over, and
 * `LENGTH_LIMIT` for one longer than `most`.
 */
export function assertPrefixes(
  request: DecodeRequest<unknown>,
  vocabulary: Vocabulary,
  maskTokenId: number,
  most: number,
): void {
  for (const [row, prefix] of (request.outputPrefixes ?? []).entries()) {
    assertTokens('outputPrefixes', row, prefix, vocabulary, maskTokenId, most);
    const output = new RowOutput(vocabulary.endTokenId, request.maxNewTokens ?? Number.POSITIVE_INFINITY, request);
    for (const [index, tokenId] of prefix.entries()) {
      if (!output.push(tokenId) && index < prefix.length - 1) {
        throw new ForetokenError(
          'INVALID_ARGUMENT',
          `The output prefix of row ${row} has ${prefix.length} tokens, but the output is over after ${output.length} (${output.finishReason}).`,
          { option: 'outputPrefixes', row, received: prefix.length, finishReason: output.finishReason },
        );
      }
    }
  }
}

/** Throws `INVALID_ARGUMENT` for tokens outside the vocabulary or not part of any output, `LENGTH_LIMIT` for too many. */
export function assertTokens(
  option: string,
  row: number,
  tokenIds: Int32Array,
  { size, endTokenId }: Vocabulary,
  maskTokenId: number,
  most: number,
): void {
  if (tokenIds.length > most) {
    throw new ForetokenError(
      'LENGTH_LIMIT',
      `${option} of row ${row} has ${tokenIds.length} tokens, but there is room for at most ${most}.`,
      { option, row, received: tokenIds.length, most },
    );
  }
  for (const tokenId of tokenIds) {
    if (tokenId < 0 || tokenId >= size || tokenId === endTokenId || tokenId === maskTokenId) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `${option} of row ${row} holds token ${tokenId}; it may hold tokens from 0 to ${size - 1}, but neither the end token ${endTokenId} nor the mask ${maskTokenId}.`,
        { option, row, received: tokenId },
      );
    }
  }
}
