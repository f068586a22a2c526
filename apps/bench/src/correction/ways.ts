import { beamSearch } from '@foretoken/beam';
import {
  type AutoregressiveModel,
  collect,
  type DecodeEvent,
  type DecodeStatistics,
  type Drafter,
  type DraftSession,
  type TokenSource,
} from '@foretoken/core';
import { type Corrector, correctionDrafter, createCorrector } from '@foretoken/correction';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { levenshtein } from '@foretoken/refine';
import { chainDraft, combineDrafters, latticeDrafter, speculative } from '@foretoken/speculative';

/** What one way of correcting made of a text. */
export interface Corrected {
  readonly text: string;
  readonly statistics: DecodeStatistics;
}

/** A way of correcting text, one text at a time. */
export interface Way {
  readonly name: string;
  correct(text: string): Promise<Corrected>;
}

/** Most draft tokens of a forward, as the product has them. */
const DRAFT_TOKENS = 64;

/**
 * All ways that a folder has the parts for; `product` is `createCorrector` with its defaults, pieces, rules and all, `ctc-product`
 * the same with the CTC model.
 *
 * Throws `UNSUPPORTED_CAPABILITY` where a folder cannot decode token by token.
 */
export function waysOf(model: LoadedModel): Way[] {
  const { tokenizer } = model;
  const autoregressive = model.part('autoregressive');
  const lattice = model.find('lattice', { lattice: 'ctc' });
  const draftLattice = model.find('lattice', { lattice: 'ctc', variant: 'draft' }) ?? lattice;
  const [languageModel, edit] = [model.find('languageModel'), model.find('edit')];
  const way = (name: string, decode: (source: TokenSource) => AsyncIterable<DecodeEvent>): Way => ({
    name,
    correct: async (text) => {
      const { results, statistics } = await collect(decode(tokenizer.encode(text)));
      return { text: tokenizer.decode(results[0].best.tokenIds), statistics };
    },
  });
  const drafted = (name: string, drafter: Drafter<TokenSource>): Way => {
    const decoder = speculative({ drafter, maxNodes: DRAFT_TOKENS });
    return way(name, (source) => decoder.decode(autoregressive, { sources: [source] }));
  };
  const [plain, beam] = [greedy(), beamSearch({ beamSize: 4 })];
  const ways: Way[] = [
    way('greedy', (source) => plain.decode(autoregressive, { sources: [source] })),
    way('beam4', (source) => beam.decode(autoregressive, { sources: [source] })),
    drafted('speculative-copy', correctionDrafter(model)),
    product('product', createCorrector(model)),
  ];
  const weighted = languageModel && { model: languageModel };
  if (draftLattice !== undefined) {
    const drafter = latticeDrafter({ model: draftLattice, languageModel: weighted });
    ways.push(drafted('speculative-copy-ctc', correctionDrafter(model, { from: draftLattice })));
    ways.push(drafted('speculative-lattice', drafter));
    ways.push(drafted('speculative-copy-lattice', combineDrafters([correctionDrafter(model), drafter])));
  }
  const fast = model.find('lattice', { lattice: 'ctc', variant: 'fast' }) ?? lattice;
  if (lattice !== undefined && fast !== undefined) {
    const best = ctcGreedy();
    ways.push(way('ctc', (source) => best.decode(lattice, { sources: [source] })));
    if (fast !== lattice) ways.push(way('ctc-fast', (source) => best.decode(fast, { sources: [source] })));
    ways.push(product('ctc-product', createCorrector(model, { lattice: fast })));
    // The autoregressive model chooses among what the lattice holds, in one forward.
    const chosen = ctcPrefixBeam({ beamSize: 8, rescoring: { model: autoregressive, searchWeight: 0 } });
    ways.push(way('ctc-rescored', (source) => chosen.decode(fast, { sources: [source] })));
    if (weighted !== undefined) {
      const search = ctcPrefixBeam({ languageModel: weighted, beamSize: 8 });
      ways.push(way('ctc-ngrams', (source) => search.decode(lattice, { sources: [source] })));
    }
  }
  if (edit !== undefined) {
    // The student was trained to edit the text, not to write one.
    const editor = levenshtein();
    ways.push(
      way('levenshtein', (source) => editor.decode(edit, { sources: [source], initialOutputs: [source.slice(0, -1)] })),
    );
  }
  return ways;
}

function product(name: string, corrector: Corrector): Way {
  return {
    name,
    correct: async (text) => {
      const { text: corrected, statistics } = await corrector.correct(text);
      return { text: corrected, statistics };
    },
  };
}

/**
 * Decodes with drafts that are right throughout and never cut, so as fast as any drafter could make it; `outputs` are greedy's, by
 * text.
 */
export function ceilingWay(model: LoadedModel, outputs: ReadonlyMap<string, Int32Array>): Way {
  const { tokenizer } = model;
  const target = model.part('autoregressive');
  // Without measured costs every draft is verified whole.
  const unmeasured: AutoregressiveModel<TokenSource> = {
    vocabulary: target.vocabulary,
    maxLength: target.maxLength,
    supports: target.supports,
    encoder: target.encoder,
    open: (sources, options) => target.open(sources, options),
  };
  return {
    name: 'ceiling',
    correct: async (text) => {
      const decoder = speculative({
        drafter: rightDrafter(outputs.get(text) ?? new Int32Array(0)),
        maxNodes: DRAFT_TOKENS,
      });
      const { results, statistics } = await collect(decoder.decode(unmeasured, { sources: [tokenizer.encode(text)] }));
      return { text: tokenizer.decode(results[0].best.tokenIds), statistics };
    },
  };
}

/** Knows the output. */
function rightDrafter(output: Int32Array): Drafter<TokenSource> {
  const session: DraftSession = {
    forwards: 0,
    propose: (requests) =>
      requests.map(({ prefix, limit }) => {
        const end = prefix.length + Math.min(limit.nodes, limit.depth);
        return chainDraft(output.subarray(prefix.length, end));
      }),
    finish() {},
    async [Symbol.asyncDispose]() {},
  };
  return { name: 'right', open: async () => session };
}
