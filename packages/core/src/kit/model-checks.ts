import type { Decoder, Requirements } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { Vocabulary } from '../contract/vocabulary.js';
import { assertInteger, wrongValue } from './checks.js';
import { article, describedModel, type Fields, isCount, isOfKind, KINDS, type ModelKind } from './model-kinds.js';
import type { OptionReader } from './options.js';
import { show } from './show.js';

/** What is checked of a decoder. */
export type NamedRequirements = Pick<Decoder<never>, 'name' | 'requires' | 'accepts'>;

const REMEDIES: Readonly<Record<ModelKind, string>> = {
  autoregressive: 'Pass a model that scores the next token.',
  canvas: 'Pass a model that fills masked positions.',
  lattice: 'Pass a model that emits a CTC or DAG lattice.',
  edit: 'Pass a model that deletes and inserts.',
};

/**
 * Throws `UNSUPPORTED_CAPABILITY` unless the model is of the kind that the decoder requires and offers all of it, and
 * `INVALID_ARGUMENT` for a vocabulary that is none.
 */
export function assertModel(decoder: NamedRequirements, model: unknown): void {
  const { name, requires } = assertDecoder(decoder);
  const wanted = requires.model;
  if (!isOfKind(wanted, model)) {
    const capability = `${article(wanted)} ${wanted} model`;
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${name} needs ${capability}, but got ${describedModel(model, wanted)}. ${REMEDIES[wanted]}`,
      { decoder: name, capability },
    );
  }
  const { supports } = model as { readonly supports?: Fields | undefined };
  const { size } = vocabulary('model.vocabulary', (model as { readonly vocabulary?: unknown }).vocabulary);
  assertSpecialTokens(model as Fields, wanted, size);
  const lacks = (capability: string, remedy: string): ForetokenError => unsupported(name, capability, remedy);
  const assertCandidates = (count: number, each: string): void => {
    if ((supports?.maxCandidates as number) >= count) return;
    throw lacks(`${count} candidates ${each}`, `It returns at most ${show(supports?.maxCandidates)}.`);
  };
  if ('outputs' in requires) {
    const offered = supports?.outputs as readonly unknown[];
    for (const output of requires.outputs) {
      if (offered.includes(output)) continue;
      throw lacks(`the ${output} output`, `It offers: ${offered.map(String).join(', ') || 'none'}.`);
    }
  }
  switch (requires.model) {
    case 'autoregressive': {
      const withStates = (supports?.states ?? []) as readonly unknown[];
      const without = requires.states === true && requires.outputs.find((output) => !withStates.includes(output));
      if (without) {
        const offered = withStates.map(String).join(', ') || 'none';
        throw lacks(`hidden states beside the ${without} output`, `It offers them with: ${offered}.`);
      }
      if (requires.branching && supports?.branching !== true) {
        throw lacks('branching', 'Use a strategy or a draft that stays on one chain.');
      }
      if (requires.rollback && supports?.rollback !== true) {
        throw lacks('rollback', 'Use a strategy that never takes a token back.');
      }
      return;
    }
    case 'canvas':
      if (requires.lengths && supports?.lengths !== true)
        throw lacks('predicted lengths', 'Set the option `length`, or `lengths` of the request.');
      assertCandidates(Math.min(requires.candidates, size), 'a position');
      return;
    case 'edit':
      if ((model as { readonly vocabulary: Vocabulary }).vocabulary.endTokenId === undefined) {
        throw lacks(
          'an end token, which stands at the end of every canvas',
          'Use a strategy on another kind of model.',
        );
      }
      assertCandidates(Math.min(requires.candidates, size), 'a position');
      return;
    case 'lattice':
      if (!requires.kinds.some((kind) => kind === supports?.kind)) {
        throw lacks(`a ${requires.kinds.join(' or ')} lattice`, `It emits: ${String(supports?.kind)}.`);
      }
      assertCandidates(Math.min(requires.candidates, size), 'a frame');
  }
}

/** Tokens that a model of a kind names beside its vocabulary. */
const SPECIAL_TOKENS: Readonly<Record<ModelKind, readonly string[]>> = {
  autoregressive: [],
  canvas: ['maskTokenId'],
  lattice: ['startTokenId'],
  edit: ['placeholderTokenId', 'startTokenId'],
};

/** What stands around the text of an edited canvas. */
const BOUNDARIES = 2;

/**
 * Throws `INVALID_ARGUMENT` for a special token that the vocabulary does not have, or that has two meanings, and for canvases
 * without room for their boundary tokens.
 */
function assertSpecialTokens(model: Fields, kind: ModelKind, size: number): void {
  const { endTokenId } = model.vocabulary as Vocabulary;
  const taken = new Map<unknown, string>(endTokenId === undefined ? [] : [[endTokenId, 'vocabulary.endTokenId']]);
  for (const name of SPECIAL_TOKENS[kind]) {
    const tokenId = model[name];
    if (tokenId === undefined) continue;
    assertInteger(`model.${name}`, tokenId, 0, size - 1);
    const other = kind === 'lattice' ? undefined : taken.get(tokenId);
    if (other !== undefined) {
      throw wrongValue(`model.${name}`, tokenId, `another token than model.${other}, which is ${tokenId} too`);
    }
    taken.set(tokenId, name);
  }
  if (kind === 'edit') assertInteger('model.maxLength', model.maxLength, BOUNDARIES, Number.MAX_SAFE_INTEGER);
}

/** `assertModel` for a decoder of autoregressive models; throws `UNSUPPORTED_CAPABILITY` for any other decoder too. */
export function assertAutoregressive(decoder: NamedRequirements, model: unknown): void {
  assertKind(decoder, 'autoregressive', model);
}

/** `assertModel` for a decoder of lattices; throws `UNSUPPORTED_CAPABILITY` for any other decoder too. */
export function assertLattice(decoder: NamedRequirements, model: unknown): void {
  assertKind(decoder, 'lattice', model);
}

/** `assertModel` for a decoder of canvases; throws `UNSUPPORTED_CAPABILITY` for any other decoder too. */
export function assertCanvas(decoder: NamedRequirements, model: unknown): void {
  assertKind(decoder, 'canvas', model);
}

/** `assertModel` for a decoder of edits; throws `UNSUPPORTED_CAPABILITY` for any other decoder too. */
export function assertEdit(decoder: NamedRequirements, model: unknown): void {
  assertKind(decoder, 'edit', model);
}

function assertKind(decoder: NamedRequirements, kind: ModelKind, model: unknown): void {
  const { name, requires } = assertDecoder(decoder);
  if (requires.model !== kind) {
    const capability = `${article(requires.model)} ${requires.model} model`;
    throw new ForetokenError(
      'UNSUPPORTED_CAPABILITY',
      `${name} decodes with ${capability}, not with ${article(kind)} ${kind} model.`,
      { decoder: name, capability },
    );
  }
  assertModel(decoder, model);
}

/** What a decoder is called and requires, each read once. Throws `INVALID_ARGUMENT` where it is no decoder. */
export function assertDecoder(decoder: NamedRequirements): NamedRequirements {
  try {
    const { name, requires } = decoder;
    if (typeof name === 'string' && isRequirements(requires)) return { name, requires };
  } catch {}
  throw wrongValue('decoder', decoder, 'a decoder, such as greedy(), with a name and what it requires');
}

function isRequirements({ model, ...rest }: Requirements): boolean {
  if (!Object.hasOwn(KINDS, model)) return false;
  const { outputs, kinds } = rest as { readonly outputs?: unknown; readonly kinds?: unknown };
  return Array.isArray(model === 'lattice' ? kinds : outputs);
}

/** `UNSUPPORTED_CAPABILITY`: a model lacks what a decoder needs. */
export function unsupported(decoder: string, capability: string, remedy: string): ForetokenError {
  return new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `${decoder} needs ${capability}, which this model does not offer. ${remedy}`,
    { decoder, capability },
  );
}

/** Reads a vocabulary. */
export const vocabulary: OptionReader<Vocabulary> = (name, value) => {
  if (hasNumbers(value)) return value;
  throw wrongValue(
    name,
    value,
    'an object with size, an integer of at least 1, and endTokenId, a token id below it, or none where no token ends outputs; ' +
      'padTokenId and unknownTokenId are token ids too, where there are any',
  );
};

function hasNumbers(value: unknown): value is Vocabulary {
  try {
    const { size, endTokenId, padTokenId, unknownTokenId } = value as Partial<Vocabulary>;
    if (!isCount(size)) return false;
    return [endTokenId, padTokenId, unknownTokenId].every(
      (tokenId) => tokenId === undefined || (Number.isInteger(tokenId) && tokenId >= 0 && tokenId < size),
    );
  } catch {
    return false;
  }
}
