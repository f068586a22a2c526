import { ids, value } from '../../drivers/graph-check.js';
import { openEncoderDecoder } from '../../drivers/open-encoder-decoder.js';
import { stepOutputs } from '../../drivers/step-graphs.js';
import { checkBodyGraphs, encoderOutputs } from '../../drivers/step-signatures.js';
import { checkLanguages, forcedTokensOf, languageFacts, languageTokens } from '../../folder/languages-schema.js';
import { checkSourceVocabulary } from '../../folder/source-vocabulary.js';
import { EXACT } from '../../parts/model-part.js';
import type { TextInLanguages } from '../../processors/chat.js';
import { languageProcessor } from '../../processors/language-processor.js';
import { textProcessor } from '../../processors/text-processor.js';
import type { ModelFamily } from '../family.js';
import { type EncoderDecoderManifest, encoderDecoderSchema } from './encoder-decoder-manifest.js';

/** Encoders with decoders: translation, summaries, whatever turns one text into another. */
export const encoderDecoderFamily: ModelFamily<EncoderDecoderManifest, string | TextInLanguages> = {
  name: 'encoder-decoder',
  schema: encoderDecoderSchema,
  claims: ({ graphs, step, beginning, languages }) => ({
    tokenIds: Object.fromEntries([
      ...beginning.map((id, index) => [`beginning.${index}`, id] as const),
      ...languageTokens(languages),
    ]),
    candidates: { 'step.maxCandidates': step.maxCandidates },
    graphs: {
      'graphs.encoder': graphs.encoder,
      'graphs.step.body': graphs.step.body,
      'graphs.step.vocabulary': graphs.step.vocabulary,
    },
    others: {},
  }),
  checkAgreement({ architecture, sourceVocabulary, embedsSources, languages, limits, beginning }, refuse) {
    if (architecture.recurrentDecoder && architecture.byDistance) {
      refuse('architecture.byDistance', true, 'absent where the decoder is recurrent');
    }
    if (sourceVocabulary !== undefined && embedsSources !== true) {
      refuse('embedsSources', embedsSources, 'true where sources have their own vocabulary');
    }
    checkSourceVocabulary(sourceVocabulary, refuse);
    if (beginning.length > limits.targetLength) {
      refuse('limits.targetLength', limits.targetLength, `${beginning.length} at least, for the beginning`);
    }
    checkLanguages(languages, refuse);
  },
  async checkGraphs({ architecture, graphs, embedsSources }, check) {
    const { width, heads, headWidth, decoderLayers, byDistance } = architecture;
    const stateWidth = stateWidthOf(architecture);
    const shape = { width, kept: heads * headWidth, layers: decoderLayers, byDistance, stateWidth };
    const tokens = embedsSources ? { token_ids: ids } : { embedded: value('float32', null, null, width) };
    await check(graphs.encoder, { ...tokens, positions: ids, mask: ids }, encoderOutputs(shape));
    await checkBodyGraphs(graphs.step, shape, check);
  },
  async open(context) {
    const { manifest } = context;
    const { architecture, graphs, vocabulary, sourceVocabulary = vocabulary, limits, step } = manifest;
    const { part, model } = await openEncoderDecoder(
      {
        graphs,
        width: architecture.width,
        shape: {
          width: architecture.heads * architecture.headWidth,
          layers: architecture.decoderLayers,
          byDistance: architecture.byDistance,
          stateWidth: stateWidthOf(architecture),
        },
        vocabulary,
        sourceVocabulary: {
          size: sourceVocabulary.size,
          padTokenId: sourceVocabulary.padTokenId ?? sourceVocabulary.endTokenId ?? 0,
        },
        embedsSources: manifest.embedsSources,
        beginning: manifest.beginning,
        limits,
        maxCandidates: step.maxCandidates,
      },
      context,
    );
    model.forcedTokens = forcedTokensOf(manifest.beginning, manifest.languages);
    return [part];
  },
  processor: ({ manifest: { languages, vocabulary }, tokenizer }) =>
    languages === undefined ? textProcessor(tokenizer) : languageProcessor(tokenizer, languages, vocabulary.endTokenId),
  describe({ architecture, graphs, languages, sourceVocabulary }) {
    const { width, heads, encoderLayers, decoderLayers, recurrentDecoder } = architecture;
    const decoder = recurrentDecoder ? 'recurrent decoder' : 'decoder';
    const own =
      sourceVocabulary === undefined
        ? []
        : [['source vocabulary', `${sourceVocabulary.size} tokens of its own`] as const];
    return {
      parts: [{ kind: 'autoregressive', variant: EXACT }],
      outputs: [...stepOutputs(graphs.step)],
      outputsOf: 'step',
      ownSourceTokens: sourceVocabulary !== undefined,
      architecture: `${encoderLayers} encoder and ${decoderLayers} ${decoder} layers, width ${width}, ${heads} heads`,
      facts: [...own, ...languageFacts(languages)],
    };
  },
};

/** Numbers of the state that a token keeps where the decoder is recurrent. */
function stateWidthOf({
  width,
  decoderLayers,
  recurrentDecoder,
}: EncoderDecoderManifest['architecture']): number | undefined {
  return recurrentDecoder ? decoderLayers * width : undefined;
}
