import type { Requirements } from '../contract/decoder.js';
import { hasMethods } from './options.js';
import { show } from './show.js';

/** The kinds of models: by what they are asked for. */
export type ModelKind = Requirements['model'];

/** The fields of what may be a model. */
export type Fields = Readonly<Record<string, unknown>>;

/** What makes a model one of a kind. */
export const KINDS: Readonly<Record<ModelKind, (model: Fields, supports: Fields) => boolean>> = {
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

/** Whether a value has what a model of this kind must have. It never throws. */
export function isOfKind(kind: ModelKind, model: unknown): boolean {
  if (typeof model !== 'object' || model === null) return false;
  try {
    const fields = model as Fields;
    return KINDS[kind](fields, (fields.supports ?? {}) as Fields);
  } catch {
    return false;
  }
}

/** The kind of a model, by what it has; `undefined` for what is none. */
export function modelKind(model: unknown): ModelKind | undefined {
  return (Object.keys(KINDS) as ModelKind[]).find((kind) => isOfKind(kind, model));
}

/** What a wrong model is, for a message. */
export function describedModel(model: unknown, wanted: ModelKind): string {
  const kind = modelKind(model);
  if (kind !== undefined) return `${article(kind)} ${kind} model`;
  if (!hasMethods(model, 'part', 'decode')) return show(model);
  return `a loaded model. Pass its part, model.part('${wanted}'), or give the decoder to model.decode`;
}

/** The article of a word. */
export const article = (word: string): string => (/^[aeiou]/.test(word) ? 'an' : 'a');

/** Whether a value counts something that there is. */
export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1;
}
