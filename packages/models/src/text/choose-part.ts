import {
  type AutoregressiveModel,
  type CanvasModel,
  type Decoder,
  type EditModel,
  ForetokenError,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';

/** Models over text, by what they fill in; a folder has one of them at least. */
export interface ModelParts {
  readonly autoregressive?: AutoregressiveModel<TokenSource> | undefined;
  readonly canvas?: CanvasModel<TokenSource> | undefined;
  readonly edit?: EditModel<TokenSource> | undefined;
  /** One for each kind of lattice. */
  readonly lattices?: readonly LatticeModel<TokenSource>[] | undefined;
}

/** A decoder for one of the parts. */
export type TextDecoder =
  | Decoder<AutoregressiveModel<TokenSource>>
  | Decoder<CanvasModel<TokenSource>>
  | Decoder<EditModel<TokenSource>>
  | Decoder<LatticeModel<TokenSource>>;

/** A decoder with the model it decodes. */
export interface BoundDecoder {
  readonly vocabulary: AutoregressiveModel<TokenSource>['vocabulary'];
  decode(
    request: Parameters<Decoder<AutoregressiveModel<TokenSource>>['decode']>[1],
  ): ReturnType<Decoder<AutoregressiveModel<TokenSource>>['decode']>;
}

/** The part that a decoder asks for. Throws `UNSUPPORTED_CAPABILITY` where there is none, `INVALID_ARGUMENT` for no decoder. */
export function bindDecoder(parts: ModelParts, decoder: TextDecoder): BoundDecoder {
  if (typeof decoder?.decode !== 'function' || decoder.requires === undefined) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `A decoder is required, such as greedy(), but ${decoder === null ? 'null' : typeof decoder} was given.`,
      { option: 'decoder', received: typeof decoder, required: 'a decoder' },
    );
  }
  const { requires } = decoder;
  const part = requires.model === 'lattice' ? latticeOf(parts, requires.kinds) : parts[requires.model];
  if (part === undefined) {
    const wanted = requires.model === 'lattice' ? `${requires.kinds.join(' or ')} lattice` : requires.model;
    const has = offered(parts);
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${decoder.name} needs a model of kind ${wanted}; this folder has: ${has.join(', ')}.`,
      { decoder: decoder.name, capability: wanted, offered: has },
    );
  }
  // `requires` says which kind of model the decoder takes, which types cannot follow through a union.
  const bound = decoder as Decoder<AutoregressiveModel<TokenSource>>;
  const model = part as AutoregressiveModel<TokenSource>;
  return { vocabulary: model.vocabulary, decode: (request) => bound.decode(model, request) };
}

function latticeOf({ lattices = [] }: ModelParts, kinds: readonly string[]): LatticeModel<TokenSource> | undefined {
  return lattices.find(({ supports }) => kinds.includes(supports.kind));
}

/** What a folder can be asked for. */
export function offered({ autoregressive, canvas, edit, lattices = [] }: ModelParts): string[] {
  const kinds = Object.entries({ autoregressive, canvas, edit }).filter(([, part]) => part !== undefined);
  return [...kinds.map(([kind]) => kind), ...lattices.map(({ supports }) => `${supports.kind} lattice`)];
}
