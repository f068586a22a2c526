import {
  type AutoregressiveModel,
  type CanvasModel,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type EditModel,
  ForetokenError,
  type LatticeModel,
  type Requirements,
  type TokenSource,
} from '@foretoken/core';
import { assertDecoder, hasMethods, wrongValue } from '@foretoken/core/kit';
import { EXACT, type PartVariant, partLabel } from './model-part.js';
import type { ModelParts } from './model-parts.js';

/** A decoder for one of the parts. */
export type PartDecoder<Source = TokenSource> =
  | Decoder<AutoregressiveModel<Source>>
  | Decoder<CanvasModel<Source>>
  | Decoder<EditModel<Source>>
  | Decoder<LatticeModel<Source>>;

/** A decode by the part that its decoder asked for. */
export type BoundDecode<Source> = (request: DecodeRequest<Source>) => AsyncIterable<DecodeEvent>;

/** Binds a decoder to the part it asks for. Throws `UNSUPPORTED_CAPABILITY` where there is none, `INVALID_ARGUMENT` for no decoder. */
export function bindDecoder<Source>(
  parts: ModelParts<Source>,
  decoder: PartDecoder<Source>,
  variant: PartVariant = EXACT,
): BoundDecode<Source> {
  if (!hasMethods(decoder, 'decode')) throw wrongValue('decoder', decoder, 'a decoder, such as greedy()');
  const { requires } = assertDecoder(decoder);
  const model = partFor(parts, requires, variant);
  if (model === undefined) throw lacks(parts, decoder, variant);
  // `requires` says which kind of model the decoder takes, which types cannot follow through a union.
  return (request) => (decoder as Decoder<typeof model>).decode(model, request as never);
}

function partFor<Source>(parts: ModelParts<Source>, requires: Requirements, variant: PartVariant) {
  if (requires.model !== 'lattice') return parts.find(requires.model, { variant });
  const { kinds } = requires;
  // In the folder's order, whatever the decoder's.
  const wanted = parts.names.find((name) => name.variant === variant && kinds.some((kind) => kind === name.lattice));
  return wanted && parts.find('lattice', { variant, lattice: wanted.lattice });
}

function lacks<Source>(
  parts: ModelParts<Source>,
  { name, requires }: PartDecoder<Source>,
  variant: PartVariant,
): ForetokenError {
  const kinds = requires.model === 'lattice' ? requires.kinds : [undefined];
  const capability = kinds.map((lattice) => partLabel({ kind: requires.model, lattice, variant })).join(' or ');
  const offered = parts.names.map(partLabel);
  return new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `${name} needs a part of the kind ${capability}. ${parts.folder} has: ${offered.join(', ') || 'nothing'}.`,
    { decoder: name, folder: parts.folder, capability, offered },
  );
}
