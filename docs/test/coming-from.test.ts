import { readFileSync } from 'node:fs';
import { beamSearch, contrastiveSearch } from '@foretoken/beam';
import { collect, type DecodeRequest, ForetokenError, type TokenSource } from '@foretoken/core';
import { greedy, sampling } from '@foretoken/greedy';
import { latticeDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { randomScriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const page = readFileSync(new URL('../guide/coming-from.md', import.meta.url), 'utf8');
const table = page.slice(page.indexOf('## Option by option'), page.indexOf('## Not a pipeline'));
const rows = [...table.matchAll(/^\| (`.+?) \| (.+?) \| (.+) \|$/gm)]
  .filter(([, theirs]) => theirs !== '`generate`')
  .map(([, theirs, ours, differs]) => ({
    theirs: [...(theirs ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
    ours: ours ?? '',
    differs: differs ?? '',
  }));

const UNKNOWN = { anOptionThatNobodyTakes: 1 } as never;
const model = randomScriptedModel({ seed: 1, vocabularySize: 8 });

/** Names of a function's options: what it says it takes when it refuses one. */
async function optionsOf(call: () => unknown): Promise<readonly string[]> {
  try {
    await call();
  } catch (error) {
    if (ForetokenError.isInstance(error)) return error.details.required as readonly string[];
    throw error;
  }
  throw new Error('It took an option that nobody takes.');
}

const OWNERS: Readonly<Record<string, () => unknown>> = {
  greedy: () => greedy(UNKNOWN),
  sampling: () => sampling(UNKNOWN),
  beamSearch: () => beamSearch(UNKNOWN),
  contrastiveSearch: () => contrastiveSearch(UNKNOWN),
  speculative: () => speculative(UNKNOWN),
  latticeDrafter: () => latticeDrafter(UNKNOWN),
  ngramDrafter: () => ngramDrafter(UNKNOWN),
  request: () => collect(greedy().decode(model, UNKNOWN as DecodeRequest<TokenSource>)),
};

/** Every field of `GenerationConfig` of transformers 4.57 that says what is decoded; caches, compilers and inner fields are left out. */
const GENERATE =
  `max_length max_new_tokens min_length min_new_tokens early_stopping max_time stop_strings do_sample num_beams use_cache
  cache_implementation temperature top_k top_p min_p typical_p epsilon_cutoff eta_cutoff repetition_penalty encoder_repetition_penalty
  length_penalty no_repeat_ngram_size bad_words_ids renormalize_logits forced_bos_token_id forced_eos_token_id remove_invalid_values
  exponential_decay_length_penalty suppress_tokens begin_suppress_tokens sequence_bias token_healing guidance_scale watermarking_config
  num_return_sequences output_attentions output_hidden_states output_scores output_logits return_dict_in_generate pad_token_id
  bos_token_id eos_token_id encoder_no_repeat_ngram_size decoder_start_token_id num_assistant_tokens num_assistant_tokens_schedule
  assistant_confidence_threshold prompt_lookup_num_tokens max_matching_ngram_size low_memory penalty_alpha dola_layers
  diversity_penalty num_beam_groups constraints force_words_ids`.split(/\s+/);

describe('the page for those who come from generate', () => {
  it('names every option of generate', () => {
    const named = new Set(rows.flatMap(({ theirs }) => theirs));
    expect(GENERATE.filter((name) => !named.has(name))).toEqual([]);
  });

  it('sends to options that exist, and says what differs', async () => {
    const known = new Map<string, readonly string[]>();
    for (const [owner, call] of Object.entries(OWNERS)) known.set(owner, await optionsOf(call));
    for (const { theirs, ours, differs } of rows) {
      expect(differs, String(theirs)).not.toBe('');
      if (ours === '–') continue;
      const [, option, owner = ''] = /^`(\w+)` of (\w+)$/.exec(ours) ?? [];
      expect(known.get(owner), `${theirs}: ${ours}`).toContain(option);
    }
  });

  it('is right that options of generate are refused with the name of ours', () => {
    expect(() => beamSearch({ num_beams: 4 } as never)).toThrowError(/beamSize/);
    expect(() => greedy({ num_beams: 4 } as never)).toThrowError(/beamSize/);
  });
});
