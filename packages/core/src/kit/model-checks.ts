import type { Decoder, Requirements } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { CtcLattice, DagLattice } from '../contract/lattice.js';
import type { Vocabulary } from '../contract/vocabulary.js';
import { assertInteger, wrongValue } from './checks.js';
import { hasMethods, lengthOf, type OptionReader } from './options.js';
import { show } from './show.js';

/** What is checked of a decoder. */
export type NamedRequirements = Pick<Decoder<never>, 'name' | 'requires' | 'accepts'>;

type Kind = Requirements['model'];
type Fields = Readonly<Record<string, unknown>>;

/** What makes a model one of a kind. */
const KINDS: Readonly<Record<Kind, (model: Fields, supports: Fields) => boolean>> = {
  autoregressive: (model, { outputs, states = [], branching, rollback, maxCandidates }) =>
    hasMethods(model, 'open') &&
    Array.isArray(outputs) &&
    Array.isArray(states) &&
    typeof branching === 'boolean' &&
    typeof rollback === 'boolean' &&
    typeof maxCandidates === 'number' &&
    isCount(model.maxLength),
  canvas: (model, { outputs, lengths, maxCandidates }) =>
    hasMethods(model, 'open') &&
    Array.isArray(outputs) &&
    typeof lengths === 'boolean' &&
    typeof maxCandidates === 'number' &&
    Number.isInteger(model.maskTokenId) &&
    isCount(model.maxLength),
  lattice: (model, { kind, maxCandidates }) =>
    hasMethods(model, 'emit') && (kind === 'ctc' || kind === 'dag') && typeof maxCandidates === 'number',
  edit: (model, { outputs, maxCandidates }) =>
    hasMethods(model, 'open') &&
    Array.isArray(outputs) &&
    typeof maxCandidates === 'number' &&
    Number.isInteger(model.placeholderTokenId) &&
    Number.isInteger(model.startTokenId) &&
    isCount(model.maxLength),
};

const REMEDIES: Readonly<Record<Kind, string>> = {
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
      `${name} needs ${capability}, but got ${described(model)}. ${REMEDIES[wanted]}`,
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
      assertCandidates(requires.candidates, 'a frame');
  }
}

/** Tokens that a model of a kind names beside its vocabulary. */
const SPECIAL_TOKENS: Readonly<Record<Kind, readonly string[]>> = {
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
function assertSpecialTokens(model: Fields, kind: Kind, size: number): void {
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

function assertKind(decoder: NamedRequirements, kind: Kind, model: unknown): void {
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

/** What a decode calls of what a model opened. */
const SESSIONS = {
  autoregressive: ['start', 'extend', 'retain', 'finish'],
  canvas: ['fill'],
  edit: ['deletions', 'placeholders', 'fill'],
} as const;

/** What a model opened. Throws `INVALID_ARGUMENT` where that is no session of its kind, so that nothing can be asked of it. */
export function opened<Session extends AsyncDisposable>(kind: keyof typeof SESSIONS, session: Session): Session {
  const methods = SESSIONS[kind];
  if (hasMethods(session, ...methods) && isDisposable(session)) return session;
  const required = [...methods.map((method) => `${method}()`), '[Symbol.asyncDispose]()'].join(', ');
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The ${kind} model opened ${show(session)}; an object with ${required} is required.`,
    { received: session, required },
  );
}

/** The lattices that a model emitted, one for each source. Throws `INVALID_ARGUMENT` where there are others, or other things. */
export function emitted<Lattice>(lattices: readonly Lattice[], sources: number): readonly Lattice[] {
  const length = lengthOf(lattices);
  if (length === sources && Array.from(lattices).every(isLattice)) return lattices;
  const received = length === undefined ? show(lattices) : `${length} of them, or not lattices alone`;
  throw new ForetokenError(
    'INVALID_ARGUMENT',
    `The lattice model emitted ${received}; ${sources} lattices, one for each source, are required.`,
    { received: lattices, required: sources },
  );
}

function isLattice(lattice: unknown): boolean {
  try {
    const { kind, tokenIds, logProbs } = lattice as Partial<CtcLattice | DagLattice>;
    return (kind === 'ctc' || kind === 'dag') && ArrayBuffer.isView(tokenIds) && ArrayBuffer.isView(logProbs);
  } catch {
    return false;
  }
}

function isDisposable(value: AsyncDisposable): boolean {
  try {
    return typeof value[Symbol.asyncDispose] === 'function';
  } catch {
    return false;
  }
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

/** Whether a value has what a model of this kind must have. It never throws. */
export function isOfKind(kind: Kind, model: unknown): boolean {
  if (typeof model !== 'object' || model === null) return false;
  try {
    const fields = model as Fields;
    return KINDS[kind](fields, (fields.supports ?? {}) as Fields);
  } catch {
    return false;
  }
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

/** The kind of a model, by what it has; `undefined` for what is none. */
export function modelKind(model: unknown): Requirements['model'] | undefined {
  return (Object.keys(KINDS) as Kind[]).find((kind) => isOfKind(kind, model));
}

/** What a wrong model is, for a message. */
function described(model: unknown): string {
  const kind = modelKind(model);
  if (kind !== undefined) return `${article(kind)} ${kind} model`;
  const part = [...Object.keys(KINDS), 'dag'].find((one) => hasPart(model, one));
  return part === undefined ? show(model) : `a loaded model. Pass one of its parts, such as model.${part}`;
}

function hasPart(model: unknown, part: string): boolean {
  try {
    return modelKind((model as Fields)[part]) !== undefined;
  } catch {
    return false;
  }
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1;
}

const article = (word: string): string => (/^[aeiou]/.test(word) ? 'an' : 'a');
