import type { DecodeEvent } from '@foretoken/core';
import { fieldsOf, integer, listOf, text } from '@foretoken/core/kit';

/** Speculation as vLLM counts it: its names, of `SpecDecodingStats` and of its metrics `vllm:spec_decode_…`. */
export interface VllmStatistics {
  /** Rounds of a row in which a draft was verified. */
  readonly num_drafts: number;
  /** Draft tokens that were verified. */
  readonly num_draft_tokens: number;
  /** Of those, the accepted ones. */
  readonly num_accepted_tokens: number;
  /** Entry i: drafts of which at least i + 1 tokens were accepted; as many entries as the longest accepted path has tokens. */
  readonly num_accepted_tokens_per_pos: readonly number[];
  /** `num_accepted_tokens / num_draft_tokens`; 0 where nothing was drafted. */
  readonly draft_acceptance_rate: number;
  /** Entry i: the share of drafts of which at least i + 1 tokens were accepted. */
  readonly acceptance_rate_per_pos: readonly number[];
  /** Tokens that a round with a draft brings, the target's own among them: `1 + num_accepted_tokens / num_drafts`; at least 1. */
  readonly mean_acceptance_length: number;
}

/** Speculation as llama.cpp counts it: names of its example programs, and of `timings` in the answers of its server. */
export interface LlamaCppStatistics {
  /** Draft tokens that were verified. */
  readonly n_drafted: number;
  /** Draft tokens that were accepted. */
  readonly n_accept: number;
  /** `n_drafted`, as the server calls it. */
  readonly draft_n: number;
  /** `n_accept`, as the server calls it. */
  readonly draft_n_accepted: number;
}

/**
 * What speculation did, under the names of vLLM and of llama.cpp. `events` are those of one decode or of many; what is not the end of
 * a draft is passed over.
 *
 * Both count draft tokens that were verified, which here are `evaluated`, not `proposed`; rounds without a draft are no drafts.
 * Of a tree, a row's accepted tokens are a path, while its draft tokens are all nodes.
 *
 * @throws ForetokenError `INVALID_ARGUMENT` for what is no event.
 */
export function statisticsOfOthers(events: readonly DecodeEvent[]): {
  readonly vllm: VllmStatistics;
  readonly llamaCpp: LlamaCppStatistics;
} {
  let [drafts, drafted, acceptedTokens] = [0, 0, 0];
  const perPosition: number[] = [];
  for (const [evaluated, accepted] of draftEnds(events)) {
    drafts++;
    drafted += evaluated;
    acceptedTokens += accepted;
    for (let position = 0; position < accepted; position++) {
      perPosition[position] = (perPosition[position] ?? 0) + 1;
    }
  }
  return {
    vllm: {
      num_drafts: drafts,
      num_draft_tokens: drafted,
      num_accepted_tokens: acceptedTokens,
      num_accepted_tokens_per_pos: perPosition,
      draft_acceptance_rate: drafted === 0 ? 0 : acceptedTokens / drafted,
      acceptance_rate_per_pos: perPosition.map((count) => count / drafts),
      mean_acceptance_length: drafts === 0 ? 1 : 1 + acceptedTokens / drafts,
    },
    llamaCpp: {
      n_drafted: drafted,
      n_accept: acceptedTokens,
      draft_n: drafted,
      draft_n_accepted: acceptedTokens,
    },
  };
}

/** Tokens verified and tokens accepted of each draft that was verified. */
function* draftEnds(events: readonly DecodeEvent[]): Generator<readonly [number, number]> {
  for (const fields of listOf((name, event) => fieldsOf(name, event))('events', events)) {
    if (text('type of an event', fields.get('type')) !== 'draft-end') continue;
    const evaluated = integer(0)('evaluated of a draft-end', fields.get('evaluated'));
    const accepted = integer(0, evaluated)('accepted of a draft-end', fields.get('accepted'));
    if (evaluated > 0) yield [evaluated, accepted];
  }
}
