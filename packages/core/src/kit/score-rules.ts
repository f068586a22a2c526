import type { DecodeRequest } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { ScoreProcessor, TokenConstraint } from '../contract/scoring.js';
import type { AutoregressiveModel } from '../contract/token-tree.js';
import type { Vocabulary } from '../contract/vocabulary.js';
import { assertInteger } from './checks.js';
import { guardedConstraint } from './guarded-constraint.js';
import { append, smallest } from './long-lists.js';
import type { NamedRequirements } from './model-checks.js';
import {
  callback,
  immediate,
  integer,
  listOf,
  number,
  numberMap,
  type OptionReader,
  type OptionTable,
  tokens,
} from './options.js';
import { assertDecode } from './request.js';
import { givenTokens, ofRow, rowCuts } from './row-output.js';
import * as processors from './score-processors.js';

/** Numbers by token id or position; a plain object such as `{ 7: -2 }` is as good as a Map. */
export type TokenNumbers = ReadonlyMap<number, number> | Readonly<Record<number, number>>;

/**
 * Rules on next-token scores that greedy, sampling and beam search share. They apply in the order they are listed here, the
 * request's `minNewTokens` after `badWords`; every field is optional, and none applies by default.
 */
export interface ScoreRules {
  /** Added to the scores of these tokens; `-Infinity` forbids a token. */
  readonly logitBias?: TokenNumbers | undefined;
  /** Above 1 discourages tokens that occurred, below 1 encourages them. */
  readonly repetitionPenalty?: number | undefined;
  /** Subtracted for each time a token occurred in the output. */
  readonly frequencyPenalty?: number | undefined;
  /** Subtracted if a token occurred in the output at all. */
  readonly presencePenalty?: number | undefined;
  /** No sequence of this many tokens occurs twice. */
  readonly noRepeatNgramSize?: number | undefined;
  /** Token sequences that never occur. */
  readonly badWords?: readonly Int32Array[] | undefined;
  /** The token at an output position, counted from 0; tokens of `outputPrefixes` have positions too. */
  readonly forcedTokens?: TokenNumbers | undefined;
  /** A state machine that says what may come next. */
  readonly constraint?: TokenConstraint | undefined;
  /** Your own rules, last. */
  readonly processors?: readonly ScoreProcessor[] | undefined;
}

/** A bias: beyond 1e30 a biased score would not be a single-precision number any more. */
const bias: OptionReader<number> = (name, value) =>
  value === Number.NEGATIVE_INFINITY ? value : number(-1e30, 1e30)(name, value);

/** How each rule is read, for strategies that take rules among their options. */
export const SCORE_RULES: OptionTable<ScoreRules> = {
  logitBias: numberMap(bias),
  repetitionPenalty: number(0, Number.POSITIVE_INFINITY, true),
  frequencyPenalty: number(-100, 100),
  presencePenalty: number(-100, 100),
  noRepeatNgramSize: integer(1),
  badWords: listOf(tokens(1)),
  forcedTokens: numberMap(integer(0)),
  constraint: guardedConstraint,
  processors: listOf(callback<ScoreProcessor>(immediate)),
};

/**
 * All that a left-to-right strategy with rules checks before any compute; returns the request as `assertRequest` does. Throws
 * `INVALID_ARGUMENT`, `EMPTY_SOURCE`, `UNSUPPORTED_CAPABILITY`, `UNSATISFIABLE_CONSTRAINT`, or the abort reason.
 */
export function assertRuledDecode<Source>(
  decoder: NamedRequirements,
  model: AutoregressiveModel<Source>,
  request: DecodeRequest<Source>,
  rules: ScoreRules,
): DecodeRequest<Source> {
  const checked = assertDecode(decoder, model, request);
  assertRulesFit(rules, model.vocabulary, model.maxLength, checked);
  return checked;
}

/** Validates rules against a model and a request, before any compute. Throws `INVALID_ARGUMENT`, `UNSATISFIABLE_CONSTRAINT`. */
function assertRulesFit(
  rules: ScoreRules,
  vocabulary: Vocabulary,
  maxLength: number,
  request: DecodeRequest<unknown>,
): void {
  const known = (option: string, tokenId: number): void => assertInteger(option, tokenId, 0, vocabulary.size - 1);
  const forcedTokens = mapOf(rules.forcedTokens);
  for (const tokenId of mapOf(rules.logitBias).keys()) known('logitBias', tokenId);
  for (const tokenId of forcedTokens.values()) known('forcedTokens', tokenId);
  for (const sequence of rules.badWords ?? []) for (const tokenId of sequence) known('badWords', tokenId);
  for (const sequence of request.outputPrefixes ?? []) for (const tokenId of sequence) known('outputPrefixes', tokenId);
  const { constraint } = rules;
  const { endTokenId } = vocabulary;
  const minOf = (row: number): number => ofRow(request.minNewTokens, row) ?? 0;
  for (const [row, limit] of limitsOf(request, maxLength).entries()) {
    const max = Math.min(maxLength, limit);
    if (minOf(row) <= max) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `minNewTokens is ${minOf(row)}, but the output of row ${row} has at most ${max} new tokens. Lower it or raise maxNewTokens.`,
      { option: 'minNewTokens', row, received: minOf(row), max },
    );
  }
  const max = commonLimit(maxLength, request);
  for (const [position, tokenId] of forcedTokens) {
    if (position > max || (position === max && tokenId !== endTokenId)) {
      throw contradiction('forcedTokens', `names position ${position}, but an output has at most ${max} tokens here`);
    }
    const early = request.sources.findIndex((_, row) => {
      const made = position - givenTokens(request, row);
      return tokenId === endTokenId && made >= 0 && made < minOf(row);
    });
    if (early >= 0) {
      throw contradiction(
        'forcedTokens',
        `ends the output of row ${early} at ${position}, but minNewTokens is ${minOf(early)}`,
      );
    }
    const clash = request.outputPrefixes?.findIndex((start) => position < start.length && start[position] !== tokenId);
    if (clash !== undefined && clash >= 0) {
      throw contradiction(
        'forcedTokens',
        `wants token ${tokenId} at ${position}, where the prefix of row ${clash} has another`,
      );
    }
  }
  if (constraint === undefined) return;
  for (let row = 0; row < request.sources.length; row++) {
    let state = constraint.start(row);
    let allowed = constraint.allowed(state);
    if (allowed.length !== vocabulary.size) {
      throw new ForetokenError(
        'INVALID_ARGUMENT',
        `The constraint speaks of ${allowed.length} tokens, but the vocabulary has ${vocabulary.size}.`,
        { option: 'constraint', received: allowed.length, required: vocabulary.size },
      );
    }
    for (const [position, tokenId] of (request.outputPrefixes?.[row] ?? []).entries()) {
      if (allowed[tokenId] !== 1) {
        throw new ForetokenError(
          'UNSATISFIABLE_CONSTRAINT',
          `The constraint does not allow token ${tokenId}, which the output prefix of row ${row} has at ${position}.`,
          { option: 'constraint', row, position, tokenId },
        );
      }
      state = constraint.next(state, tokenId);
      allowed = constraint.allowed(state);
    }
    if (!allowed.includes(1)) {
      throw new ForetokenError(
        'UNSATISFIABLE_CONSTRAINT',
        `The constraint allows no token to begin row ${row} with, so no output can meet it.`,
        { option: 'constraint', row },
      );
    }
  }
}

function mapOf(numbers: TokenNumbers = {}): ReadonlyMap<number, number> {
  if (numbers instanceof Map) return numbers;
  return new Map(Object.entries(numbers).map(([key, value]) => [Number(key), value]));
}

/** Most tokens that the output of every row has room for, as far as is known before a model is opened. */
export function commonLimit(maxLength: number, request: DecodeRequest<unknown>): number {
  return smallest(
    limitsOf(request, maxLength).map((limit, row) => givenTokens(request, row) + limit),
    maxLength,
  );
}

/** Most new tokens of each row. */
function limitsOf(request: DecodeRequest<unknown>, maxLength: number): number[] {
  return request.sources.map((_, row) => rowCuts(request, row).maxNewTokens ?? maxLength);
}

/**
 * Whether rules may raise the log-probability of a token above 0, so that a hypothesis may become more probable as it
 * grows. A repetition penalty alone cannot: it keeps the sign of a score.
 */
export function mayRaise(rules: ScoreRules): boolean {
  const { frequencyPenalty = 0, presencePenalty = 0, processors: own = [] } = rules;
  const biased = [...mapOf(rules.logitBias).values()].some((bias) => bias > 0);
  return biased || frequencyPenalty < 0 || presencePenalty < 0 || own.length > 0;
}

function contradiction(option: string, what: string): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `${option} ${what}.`, { option });
}

/**
 * The rules as functions, in their order, what the request says of least new tokens among them; empty where no rule applies.
 */
export function compileRules(
  rules: ScoreRules,
  vocabulary: Vocabulary,
  request: Pick<DecodeRequest<unknown>, 'minNewTokens' | 'outputPrefixes'> = {},
): readonly ScoreProcessor[] {
  const { repetitionPenalty = 1, frequencyPenalty = 0, presencePenalty = 0 } = rules;
  const { noRepeatNgramSize, badWords = [], constraint } = rules;
  const { minNewTokens = 0, outputPrefixes } = request;
  const logitBias = mapOf(rules.logitBias);
  const forcedTokens = mapOf(rules.forcedTokens);
  const compiled: ScoreProcessor[] = [];
  if (logitBias.size > 0) compiled.push(processors.logitBias(logitBias));
  if (repetitionPenalty !== 1) compiled.push(processors.repetitionPenalty(repetitionPenalty));
  if (frequencyPenalty !== 0 || presencePenalty !== 0) {
    compiled.push(processors.frequencyPenalty(frequencyPenalty, presencePenalty));
  }
  if (noRepeatNgramSize !== undefined) compiled.push(processors.noRepeatNgram(noRepeatNgramSize));
  if (badWords.length > 0) compiled.push(processors.badWords(badWords));
  // Without an end token nothing has to be ruled out: stops are passed over where the output is cut.
  const longer = typeof minNewTokens === 'object' ? minNewTokens.some((min) => min > 0) : minNewTokens > 0;
  if (longer && vocabulary.endTokenId !== undefined) {
    compiled.push(processors.minNewTokens(minNewTokens, vocabulary.endTokenId, outputPrefixes));
  }
  if (forcedTokens.size > 0) compiled.push(processors.forcedTokens(forcedTokens));
  if (constraint !== undefined) compiled.push(processors.constrained(constraint));
  append(compiled, rules.processors ?? []);
  return compiled;
}

/** Whether any rule applies, whatever is requested, so that scores of the whole vocabulary are needed. */
export function hasRules(rules: ScoreRules): boolean {
  return compileRules(rules, { size: 0, endTokenId: 0 }).length > 0;
}
