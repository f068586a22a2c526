/** Names that other libraries give to options, without case and punctuation, and what they are called here. */
const ALIASES: Readonly<Record<string, string>> = {
  numbeams: 'beamSize',
  beamwidth: 'beamSize',
  beams: 'beamSize',
  numreturnsequences: 'hypotheses samples',
  numhypotheses: 'hypotheses samples',
  nbest: 'hypotheses samples',
  bestof: 'hypotheses samples',
  n: 'samples hypotheses',
  maxlength: 'maxNewTokens',
  maxtokens: 'maxNewTokens',
  maxcompletiontokens: 'maxNewTokens',
  maxdecodinglength: 'maxNewTokens',
  numpredict: 'maxNewTokens',
  minlength: 'minNewTokens',
  mintokens: 'minNewTokens',
  mindecodinglength: 'minNewTokens',
  badwordsids: 'badWords',
  suppresstokens: 'badWords',
  suppresssequences: 'badWords',
  forcewordsids: 'phrases',
  constraints: 'phrases constraint',
  grammar: 'constraint',
  prefixallowedtokensfn: 'constraint',
  numbeamgroups: 'groups',
  norepeatngramsize: 'noRepeatNgramSize noRepeatNgram',
  earlystopping: 'stopWhen',
  penaltyalpha: 'penalty',
  sequencebias: 'logitBias',
  logitsprocessor: 'processors',
  logitsprocessors: 'processors',
  outputscores: 'scores',
  returnscores: 'scores',
  logprobs: 'tokenLogProbs',
  toplogprobs: 'alternatives',
  dosample: 'temperature',
  assistantmodel: 'drafter',
  draftmodel: 'drafter',
  numassistanttokens: 'maxNodes',
  numspeculativetokens: 'maxNodes',
  lm: 'languageModel',
  alpha: 'languageModelWeight penalty',
  lmweight: 'languageModelWeight ngramWeight',
  numsteps: 'steps iterations',
  numiterations: 'iterations steps',
  maxiter: 'iterations steps',
  stop: 'stopStrings',
  stopwords: 'stopStrings',
  stoptokens: 'stopSequences',
  eostokenid: 'stopSequences',
  decoderinputids: 'outputPrefixes',
  targetprefix: 'outputPrefixes',
  prefix: 'outputPrefixes',
  forceddecoderids: 'forcedTokens',
  input: 'sources',
  inputs: 'sources',
  inputids: 'sources',
  prompt: 'sources',
  text: 'sources',
  randomseed: 'seed',
  abortsignal: 'signal',
  numthreads: 'threads',
  intraopnumthreads: 'threads',
  dtype: 'weights',
  license: 'licence',
  overwrite: 'replace',
  force: 'replace',
};

/** Who takes an option, for those who look for it in the wrong place. */
const TAKERS: readonly (readonly [taker: string, options: string])[] = [
  ['decode, in its request', 'sources maxNewTokens stopSequences stopStrings outputPrefixes seed signal'],
  ['sampling', 'temperature topK topP minP typicalP epsilonCutoff etaCutoff mirostat samples'],
  ['dagSampling', 'temperature samples'],
  ['maskedDiffusion', 'temperature steps order remask blockLength'],
  ['beamSearch', 'beamSize hypotheses lengthPenalty stopWhen patience phrases groups diversityPenalty'],
  ['stochasticBeam', 'beamSize'],
  ['contrastiveSearch', 'penalty'],
  [
    'ctcPrefixBeam',
    'beamSize hypotheses languageModel languageModelWeight hotWords noRepeatNgram rescoring lengthBonus',
  ],
  ['dagBeam', 'beamSize hypotheses lengthPenalty ngrams ngramWeight'],
  ['nat', 'length lengthBeam rescore noRepeat deduplicate'],
  ['maskPredict', 'length lengthBeam iterations schedule'],
  ['levenshtein', 'initial iterations'],
  ['speculative', 'drafter maxNodes'],
  [
    'greedy, sampling and beamSearch',
    'logitBias repetitionPenalty frequencyPenalty presencePenalty noRepeatNgramSize badWords minNewTokens forcedTokens constraint processors',
  ],
  ['greedy and sampling', 'scores tokenLogProbs alternatives'],
  ['loadModel', 'runtime threads probe'],
  ['importModel', 'weights licence replace'],
];

/** What may have been meant by a name that is not among the known ones, as a sentence; empty where nothing comes near. */
export function nameHint(name: string, known: readonly string[]): string {
  const plain = bare(name);
  const meant = [plain, ...(Object.hasOwn(ALIASES, plain) ? (ALIASES[plain] as string) : '').split(' ')].map(bare);
  const own = meant.flatMap((wanted) => known.find((one) => bare(one) === wanted) ?? [])[0];
  if (own !== undefined) return ` Did you mean ${own}?`;
  for (const wanted of meant) {
    const takers = TAKERS.flatMap(([taker, options]) => {
      const option = options.split(' ').find((one) => bare(one) === wanted);
      return option === undefined ? [] : [{ taker, option }];
    });
    if (takers.length > 0) return ` ${takers[0]?.option} is taken by: ${takers.map(({ taker }) => taker).join('; ')}.`;
  }
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

/** Letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (above[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, (above[j] as number) + 1, (row[j - 1] as number) + 1);
    }
  }
  return row[to.length] as number;
}
