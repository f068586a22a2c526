/** Names that other libraries give to our options, without case and punctuation. */
const ALIASES: Readonly<Record<string, string>> = {
  beamSize: 'numbeams beamwidth beams',
  hypotheses: 'numreturnsequences numhypotheses nbest bestof n samples numsamples',
  maxNewTokens: 'maxlength maxtokens maxcompletiontokens maxdecodinglength',
  minNewTokens: 'minlength mintokens',
  badWords: 'badwordsids suppresstokens',
  phrases: 'forcewordsids constraints',
  constraint: 'grammar prefixallowedtokensfn',
  groups: 'numbeamgroups',
  noRepeatNgramSize: 'norepeatngram',
  noAdjacentRepeats: 'norepeat',
  rescoring: 'rescore rescorer',
  minMasked: 'leastmasked',
  stopWhen: 'earlystopping',
  penalty: 'penaltyalpha',
  logitBias: 'sequencebias',
  processors: 'logitsprocessor',
  scores: 'outputscores returnscores',
  tokenLogProbs: 'logprobs',
  alternatives: 'toplogprobs',
  temperature: 'dosample',
  drafter: 'assistantmodel draftmodel',
  maxNodes: 'numassistanttokens numspeculativetokens maxdrafttokens',
  languageModel: 'lm lmweight alpha languagemodelweight ngrams ngramweight',
  iterations: 'numsteps maxiter steps fills',
  stopStrings: 'stop stopwords',
  stopSequences: 'eostokenid',
  outputPrefixes: 'decoderinputids targetprefix prefix',
  initialOutputs: 'initial initialtexts drafts',
  sources: 'input inputs inputids prompt text',
  signal: 'abortsignal',
  threads: 'numthreads intraopnumthreads',
  executionProviders: 'device provider backend',
};

/** Who takes an option, for those who look for it in the wrong place. */
const TAKERS: Readonly<Record<string, string>> = {
  'decode, in its request':
    'sources maxNewTokens minNewTokens lengths stopSequences stopStrings outputPrefixes initialOutputs seed signal',
  sampling: 'temperature topK topP minP typicalP epsilonCutoff etaCutoff mirostat hypotheses',
  dagSampling: 'temperature hypotheses',
  maskedDiffusion: 'temperature iterations order',
  beamSearch: 'beamSize hypotheses lengthPenalty stopWhen patience phrases groups tokenLogProbs',
  easyFirst: 'levels',
  stochasticBeam: 'beamSize tokenLogProbs',
  contrastiveSearch: 'tokenLogProbs',
  ctcPrefixBeam: 'beamSize hypotheses languageModel hotWords noRepeatNgramSize rescoring',
  nat: 'length lengthBeam rescoring noAdjacentRepeats',
  speculative: 'drafter maxNodes',
  'greedy, sampling and beamSearch':
    'logitBias repetitionPenalty frequencyPenalty presencePenalty noRepeatNgramSize badWords constraint processors',
  'greedy and sampling': 'scores tokenLogProbs alternatives',
};

/** What may have been meant by a name that is not among the known ones, as a sentence; empty where nothing comes near. */
export function nameHint(name: string, known: readonly string[]): string {
  const plain = bare(name);
  const named = Object.keys(ALIASES).filter((one) => ALIASES[one]?.split(' ').includes(plain));
  const meant = [plain, ...named.map(bare)];
  const own = meant.flatMap((wanted) => known.find((one) => bare(one) === wanted) ?? [])[0];
  if (own !== undefined) return ` Did you mean ${own}?`;
  for (const wanted of meant) {
    const takers = Object.entries(TAKERS).flatMap(([taker, options]) => {
      const option = options.split(' ').find((one) => bare(one) === wanted);
      return option === undefined ? [] : [{ taker, option }];
    });
    if (takers.length > 0) return ` ${takers[0]?.option} is taken by: ${takers.map(({ taker }) => taker).join('; ')}.`;
  }
  return nearestHint(name, known);
}

/** The nearest of the known names or values, as a question; empty where nothing comes near. */
export function nearestHint(given: string, known: readonly string[]): string {
  const plain = bare(given);
  const near = known
    .map((one) => ({ one, distance: editDistance(plain, bare(one)) }))
    .filter(({ one, distance }) => distance <= Math.max(plain.length, one.length) / 2.5)
    .sort((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : ` Did you mean ${near.one}?`;
}

/** Longer names are not near any of ours. */
const bare = (name: string): string =>
  name
    .slice(0, 64)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

/** Letters to insert, delete or replace, and neighbours to swap. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  let above: number[] = [];
  for (let i = 1; i <= from.length; i++) {
    const beforeThat = above;
    above = row;
    row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = above[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      const swapped = from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1] ? beforeThat[j - 2] + 1 : replaced;
      row[j] = Math.min(replaced, swapped, above[j] + 1, row[j - 1] + 1);
    }
  }
  return row[to.length];
}
