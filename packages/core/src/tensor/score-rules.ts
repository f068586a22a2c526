import { assertAutoregressive, assertInteger, assertNumber, assertRequest } from '../contract/checks.js';
import type { DecodeRequest, Decoder } from '../contract/decoder.js';
import { ForetokenError } from '../contract/errors.js';
import type { ScoreProcessor, TokenConstraint } from '../contract/scoring.js';
import type { AutoregressiveModel } from '../contract/token-tree.js';
import type { Vocabulary } from '../contract/vocabulary.js';
import * as processors from './score-processors.js';

/**
 * Rules on next-token scores that greedy, sampling and beam search share. They apply in the order they are listed here;
 * every field is optional, and none applies by default.
 */
export interface ScoreRules {
  /** Added to the scores of these tokens; `-Infinity` forbids a token. */
  readonly logitBias?: ReadonlyMap<number, number>;
  /** Above 1 discourages tokens that occurred, below 1 encourages them. */
  readonly repetitionPenalty?: number;
  /** Subtracted for each time a token occurred in the output. */
  readonly frequencyPenalty?: number;
  /** Subtracted if a token occurred in the output at all. */
  readonly presencePenalty?: number;
  /** No sequence of this many tokens occurs twice. */
  readonly noRepeatNgramSize?: number;
  /** Token sequences that never occur. */
  readonly badWords?: readonly Int32Array[];
  /** The end token is not chosen before the output has this many tokens. */
  readonly minNewTokens?: number;
  /** The token at an output position, counted from 0. */
  readonly forcedTokens?: ReadonlyMap<number, number>;
  /** A state machine that says what may come next. */
  readonly constraint?: TokenConstraint;
  /** Your own rules, last. */
  readonly processors?: readonly ScoreProcessor[];
}

/** Validates what does not depend on a model. Throws `INVALID_ARGUMENT`. */
export function assertScoreRules(rules: ScoreRules): void {
  const { repetitionPenalty, frequencyPenalty, presencePenalty, noRepeatNgramSize, badWords, minNewTokens } = rules;
  const most = Number.MAX_SAFE_INTEGER;
  if (repetitionPenalty !== undefined)
    assertNumber('repetitionPenalty', repetitionPenalty, 0, Number.POSITIVE_INFINITY, true);
  if (frequencyPenalty !== undefined) assertNumber('frequencyPenalty', frequencyPenalty, -100, 100);
  if (presencePenalty !== undefined) assertNumber('presencePenalty', presencePenalty, -100, 100);
  if (noRepeatNgramSize !== undefined) assertInteger('noRepeatNgramSize', noRepeatNgramSize, 1, most);
  if (minNewTokens !== undefined) assertInteger('minNewTokens', minNewTokens, 0, most);
  if (badWords?.some(({ length }) => length === 0)) {
    throw new ForetokenError('INVALID_ARGUMENT', 'An entry of badWords is empty; it needs at least one token.', {
      option: 'badWords',
    });
  }
  for (const [tokenId, bias] of rules.logitBias ?? []) {
    // Beyond 1e30 a biased score would not be a single-precision number any more.
    if (bias === Number.NEGATIVE_INFINITY || Math.abs(bias) <= 1e30) continue;
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `logitBias of token ${tokenId} must be a number of at most 1e30 or -Infinity, but was ${bias}.`,
      { option: 'logitBias', tokenId, received: bias },
    );
  }
  for (const position of rules.forcedTokens?.keys() ?? []) assertInteger('forcedTokens position', position, 0, most);
}

/**
 * All that a left-to-right strategy with rules checks before any compute. Throws `INVALID_ARGUMENT`, `EMPTY_SOURCE`,
 * `UNSUPPORTED_CAPABILITY`, `UNSATISFIABLE_CONSTRAINT`, or the abort reason.
 */
export function assertRuledDecode(
  decoder: Pick<Decoder<never>, 'name' | 'requires'>,
  model: AutoregressiveModel<never>,
  request: DecodeRequest<unknown>,
  rules: ScoreRules,
): void {
  assertRequest(request);
  assertAutoregressive(decoder, model);
  assertRulesFit(rules, model.vocabulary, model.maxLength, request);
}

/** Validates rules against a model and a request, before any compute. Throws `INVALID_ARGUMENT`, `UNSATISFIABLE_CONSTRAINT`. */
function assertRulesFit(
  rules: ScoreRules,
  vocabulary: Vocabulary,
  maxLength: number,
  request: DecodeRequest<unknown>,
): void {
  const known = (option: string, tokenId: number): void => assertInteger(option, tokenId, 0, vocabulary.size - 1);
  for (const tokenId of rules.logitBias?.keys() ?? []) known('logitBias', tokenId);
  for (const tokenId of rules.forcedTokens?.values() ?? []) known('forcedTokens', tokenId);
  for (const sequence of rules.badWords ?? []) for (const tokenId of sequence) known('badWords', tokenId);
  for (const sequence of request.outputPrefixes ?? []) for (const tokenId of sequence) known('outputPrefixes', tokenId);
  const { minNewTokens = 0, constraint } = rules;
  const { endTokenId } = vocabulary;
  for (const sequence of request.stopSequences ?? []) for (const tokenId of sequence) known('stopSequences', tokenId);
  const most = Math.min(request.maxNewTokens ?? maxLength, maxLength);
  if (minNewTokens > most) {
    throw new ForetokenError(
      'INVALID_ARGUMENT',
      `minNewTokens is ${minNewTokens}, but an output has at most ${most} tokens here. Lower it or raise maxNewTokens.`,
      { option: 'minNewTokens', received: minNewTokens, most },
    );
  }
  for (const [position, tokenId] of rules.forcedTokens ?? []) {
    if (position > most || (position === most && tokenId !== endTokenId)) {
      throw contradiction('forcedTokens', `names position ${position}, but an output has at most ${most} tokens here`);
    }
    if (tokenId === endTokenId && position < minNewTokens) {
      throw contradiction('forcedTokens', `ends the output at ${position}, but minNewTokens is ${minNewTokens}`);
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

function contradiction(option: string, what: string): ForetokenError {
  return new ForetokenError('INVALID_ARGUMENT', `${option} ${what}.`, { option });
}

/** The rules as functions, in their order; empty where no rule applies. */
export function compileRules(rules: ScoreRules, vocabulary: Vocabulary): readonly ScoreProcessor[] {
  const { logitBias, repetitionPenalty = 1, frequencyPenalty = 0, presencePenalty = 0 } = rules;
  const { noRepeatNgramSize, badWords = [], minNewTokens = 0, forcedTokens, constraint } = rules;
  const compiled: ScoreProcessor[] = [];
  if (logitBias !== undefined && logitBias.size > 0) compiled.push(processors.logitBias(logitBias));
  if (repetitionPenalty !== 1) compiled.push(processors.repetitionPenalty(repetitionPenalty));
  if (frequencyPenalty !== 0 || presencePenalty !== 0) {
    compiled.push(processors.frequencyPenalty(frequencyPenalty, presencePenalty));
  }
  if (noRepeatNgramSize !== undefined) compiled.push(processors.noRepeatNgram(noRepeatNgramSize));
  if (badWords.length > 0) compiled.push(processors.badWords(badWords));
  if (minNewTokens > 0) compiled.push(processors.minNewTokens(minNewTokens, vocabulary.endTokenId));
  if (forcedTokens !== undefined && forcedTokens.size > 0) compiled.push(processors.forcedTokens(forcedTokens));
  if (constraint !== undefined) compiled.push(processors.constrained(constraint));
  compiled.push(...(rules.processors ?? []));
  return compiled;
}

/** Whether any rule applies, so that scores of the whole vocabulary are needed. */
export function hasRules(rules: ScoreRules): boolean {
  return compileRules(rules, { size: 0, endTokenId: 0 }).length > 0;
}
