import type { StrategyName } from '../strategy-names.js';
import type { Candidate } from './candidates.js';

/** An expression, and the names it needs of which package. */
interface Expression {
  readonly text: string;
  readonly imports: Readonly<Record<string, readonly string[]>>;
}

export interface CodeOptions {
  /** Folder or package of the model. */
  readonly model: string;
  readonly sentence: string;
  /** The folder has n-grams, which some searches then use. */
  readonly ngrams: boolean;
  /** Sources have tokens of their own, in which no draft is looked up. */
  readonly ownSourceTokens?: boolean | undefined;
}

/** A program that decodes one sentence as the candidate was measured; an ECMAScript module. */
export function programFor(candidate: Candidate, { model, sentence, ngrams, ownSourceTokens }: CodeOptions): string {
  const { text, imports } = decoderFor(candidate, ngrams, ownSourceTokens);
  const all = Object.entries({ '@foretoken/models': ['loadModel'], ...imports });
  return [
    ...all.map(([name, names]) => `import { ${[...names].sort().join(', ')} } from '${name}';`),
    '',
    `const model = await loadModel(${JSON.stringify(model)});`,
    `const decoder = ${text};`,
    `const { text } = await model.decode(${JSON.stringify(sentence)}, decoder${optionsFor(candidate)});`,
    'console.log(text);',
    'await model.dispose();',
    '',
  ].join('\n');
}

/** The same on the command line, for the file that was measured. */
export function commandFor({ strategy, drafter, variant }: Candidate, model: string | undefined, data: string): string {
  return [
    `foretoken decode --strategy ${strategy}`,
    ...(drafter === undefined ? [] : [`--drafter ${drafter}`]),
    ...(variant === 'exact' ? [] : [`--variant ${variant}`]),
    ...(model === undefined ? [] : [`--model ${shellWord(model)}`]),
    `--file ${shellWord(data)}`,
  ].join(' ');
}

const shellWord = (text: string): string => (/^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function optionsFor({ variant }: Candidate): string {
  return variant === 'exact' ? '' : `, { variant: '${variant}' }`;
}

const CAMEL: Readonly<Partial<Record<StrategyName, string>>> = {
  beam: 'beamSearch',
  ctc: 'ctcGreedy',
};

function camel(strategy: StrategyName): string {
  return CAMEL[strategy] ?? strategy.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

const LANGUAGE_MODEL = "languageModel: { model: model.part('languageModel') }";

/** The decoder of a candidate, `model` being the loaded model. */
export function decoderFor({ strategy, drafter }: Candidate, ngrams: boolean, ownSourceTokens = false): Expression {
  const name = camel(strategy);
  const from = (packageName: string, ...more: string[]) => ({ [packageName]: [name, ...more] });
  switch (strategy) {
    case 'greedy':
    case 'sampling':
      return { text: `${name}()`, imports: from('@foretoken/greedy') };
    case 'beam':
      return { text: `${name}()`, imports: from('@foretoken/beam') };
    case 'speculative':
      return speculativeFor(drafter ?? 'lattice', ownSourceTokens);
    case 'ctc':
    case 'nat':
      return { text: `${name}()`, imports: from('@foretoken/one-shot') };
    case 'ctc-prefix-beam':
      return { text: `${name}(${ngrams ? `{ ${LANGUAGE_MODEL} }` : ''})`, imports: from('@foretoken/one-shot') };
    case 'mask-ctc':
      return ngrams
        ? {
            text: `maskCtc({
  initial: {
    lattice: model.part('lattice', { lattice: 'ctc' }),
    search: ctcPrefixBeam({
      languageModel: { model: model.part('languageModel'), weight: 0.2 },
      lengthBonus: 1.2,
      alignments: true,
    }),
  },
})`,
            imports: { ...from('@foretoken/refine'), '@foretoken/one-shot': ['ctcPrefixBeam'] },
          }
        : {
            text: "maskCtc({ initial: { lattice: model.part('lattice', { lattice: 'ctc' }), search: ctcGreedy({ alignments: true }) } })",
            imports: { ...from('@foretoken/refine'), '@foretoken/one-shot': ['ctcGreedy'] },
          };
    case 'mask-predict':
    case 'easy-first':
    case 'skeleton-first':
    case 'masked-diffusion':
    case 'levenshtein':
    case 'insertion':
      return { text: `${name}()`, imports: from('@foretoken/refine') };
    default: {
      const more = strategy === 'dag-beam' && ngrams ? `{ ${LANGUAGE_MODEL} }` : '';
      return { text: `${name}(${more})`, imports: from('@foretoken/one-shot') };
    }
  }
}

function speculativeFor(drafter: 'lattice' | 'copy' | 'ngram', ownSourceTokens: boolean): Expression {
  const vocabulary = "vocabulary: model.part('autoregressive').vocabulary";
  const texts = {
    lattice: 'speculative({ drafter: latticeDrafter(model.speculation()) })',
    copy: `speculative({ drafter: copyDrafter({ ${vocabulary}, tokenText: model.tokenizer.tokenText }), maxNodes: 32 })`,
    ngram: `speculative({ drafter: ngramDrafter({ ${vocabulary}${ownSourceTokens ? ", lookIn: 'output'" : ''} }) })`,
  };
  return { text: texts[drafter], imports: { '@foretoken/speculative': ['speculative', `${drafter}Drafter`] } };
}
