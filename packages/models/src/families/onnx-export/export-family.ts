import { spectrumProcessor } from '../../audio/spectrum-processor.js';
import type { SpeechInput } from '../../audio/speech-input.js';
import type { CheckGraph } from '../../drivers/graph-check.js';
import { checkLanguages, languageFacts, languageTokens } from '../../folder/languages-schema.js';
import { checkSourceVocabulary } from '../../folder/source-vocabulary.js';
import { checkSpeech, speechFacts, speechTokenIds } from '../../folder/speech-schema.js';
import { EXACT } from '../../parts/model-part.js';
import type { PromptInput, TextInLanguages } from '../../processors/chat.js';
import { languageProcessor } from '../../processors/language-processor.js';
import type { TextOutput } from '../../processors/processor.js';
import { promptProcessor } from '../../processors/prompt-processor.js';
import { textProcessor } from '../../processors/text-processor.js';
import type { ModelFamily } from '../family.js';
import type { ExportSource } from './export-encoder.js';
import { type ExportGraph, type OnnxExportManifest, onnxExportSchema, toldModel } from './export-manifest.js';
import { decoderRoles, encoderRoles } from './export-roles.js';
import { neededTokenizer, tokenizerAdvice } from './needed-tokenizer.js';
import { openExport } from './open-export.js';
import { soundProcessor } from './sound-processor.js';
import { stepRoles } from './step-roles.js';

/** Models whose graphs are those of an exporter, such as Optimum, as they are. */
export const onnxExportFamily: ModelFamily<
  OnnxExportManifest,
  PromptInput | TextInLanguages | SpeechInput,
  TextOutput,
  ExportSource
> = {
  name: 'onnx-export',
  schema: onnxExportSchema,
  claims: ({ graphs, beginning, suppressed, suppressedFirst = [], languages, speech, stopTokenIds = [] }) => ({
    tokenIds: Object.fromEntries([
      ...listed('beginning', beginning),
      ...listed('suppressed', suppressed),
      ...listed('suppressedFirst', suppressedFirst),
      ...listed('stopTokenIds', stopTokenIds),
      ...languageTokens(languages),
      ...Object.entries(speech === undefined ? {} : speechTokenIds(speech)),
    ]),
    candidates: {},
    graphs: {
      'graphs.encoder.file': graphs.encoder?.file,
      'graphs.decoder.file': graphs.decoder.file,
      'graphs.decoderWithPast.file': graphs.decoderWithPast?.file,
    },
    others: {},
  }),
  checkAgreement(
    { beginning, vocabulary, sourceVocabulary, graphs, audio, spectrum, speech, languages, limits },
    refuse,
  ) {
    checkSourceVocabulary(sourceVocabulary, refuse);
    const reads = graphs.encoder && encoderRoles(graphs.encoder).reads;
    const fields = { audio: [audio, 'samples'], spectrum: [spectrum, 'spectra'], speech: [speech, 'spectra'] } as const;
    for (const [field, [given, kind]] of Object.entries(fields)) {
      if ((given !== undefined) !== (reads === kind)) refuse(field, given, reads === kind ? 'given' : 'left out');
    }
    if (spectrum && speech) checkSpeech(spectrum, speech, limits.sourceLength, refuse);
    checkLanguages(languages, refuse);
    if (languages !== undefined && vocabulary.endTokenId === undefined) {
      refuse('vocabulary.endTokenId', undefined, 'a token, where there are languages');
    }
    if (graphs.encoder !== undefined && beginning.length === 0) refuse('beginning', beginning, 'one token at least');
    for (const graph of [graphs.decoder, graphs.decoderWithPast].filter((graph) => graph !== undefined)) {
      const { file, outputs } = graph;
      const size = outputs[decoderRoles(graph).logits]?.dims.at(-1);
      if (typeof size === 'number' && size !== vocabulary.size) {
        refuse('vocabulary.size', vocabulary.size, `${size}, as many as ${file} scores`);
      }
    }
  },
  async checkGraphs({ graphs }, check) {
    await checkGraph(graphs.encoder, check);
    await checkGraph(graphs.decoder, check);
    await checkGraph(graphs.decoderWithPast, check);
    if (graphs.encoder !== undefined) encoderRoles(graphs.encoder);
    stepRoles({ graphs });
  },
  open: openExport,
  rebuilds: ({ audio }) => audio === undefined,
  processor({ manifest, tokenizer }) {
    const { graphs, languages, vocabulary, stopTokenIds, audio, limits } = manifest;
    if (graphs.encoder === undefined) return promptProcessor(tokenizer, { stopTokenIds });
    const told = toldModel(manifest);
    if (told !== undefined) return { ...spectrumProcessor(told, tokenizer), stopTokenIds };
    if (audio !== undefined) return { ...soundProcessor(audio, limits.sourceLength, tokenizer), stopTokenIds };
    const { endTokenId } = vocabulary;
    return languages === undefined || endTokenId === undefined
      ? { ...textProcessor(tokenizer), stopTokenIds }
      : { ...languageProcessor(tokenizer, languages, endTokenId), stopTokenIds };
  },
  withoutTokenizer: ({ sourceVocabulary }) => tokenizerAdvice(sourceVocabulary),
  describe(manifest) {
    const { graphs, architecture, precision, cache, dependentRows, tokenizer, audio, limits, languages } = manifest;
    const { sourceVocabulary } = manifest;
    const told = toldModel(manifest);
    const { goOn } = stepRoles(manifest);
    const self = goOn.caches.filter(({ cross }) => !cross);
    const [{ heads = cache?.heads, size = cache?.size }] = self;
    const shape = heads === undefined || size === undefined ? '' : `, ${heads} heads of ${size}`;
    const layers = Math.ceil(self.length / 2);
    const begins = graphs.decoderWithPast === undefined ? 'one decoder' : 'a decoder that begins and one that goes on';
    return {
      parts: [{ kind: 'autoregressive', variant: EXACT }],
      outputs: ['argmax', 'topK', 'logProbs', 'logits'],
      outputsOf: 'step',
      ownSourceTokens: audio !== undefined || told !== undefined || sourceVocabulary !== undefined,
      architecture: `${architecture}, ${layers} decoder layers${shape}`,
      facts: [
        ['graphs', `as exported: ${graphs.encoder === undefined ? '' : 'an encoder, '}${begins}`],
        ['precision', precision],
        ...(audio === undefined ? [] : [['reads', `sound, ${limits.sourceLength / 100} s at once`] as const]),
        ...(told === undefined ? [] : speechFacts(told.audio, told.speech)),
        ...(sourceVocabulary === undefined
          ? []
          : [['source vocabulary', `${sourceVocabulary.size} tokens of its own`] as const]),
        ...languageFacts(languages),
        ...(tokenizer === undefined
          ? [
              [
                'tokenizer',
                `none that is read here, so sources and outputs are no text; put ${neededTokenizer(sourceVocabulary)} of the model into the folder`,
              ] as const,
            ]
          : []),
        ...(dependentRows.length === 0
          ? []
          : [
              [
                'rows',
                `depend on one another by ${dependentRows.join(', ')}: batches and speculation may give other outputs than one row alone`,
              ] as const,
            ]),
      ],
    };
  },
};

function listed(field: string, tokenIds: readonly number[]): [string, number][] {
  return tokenIds.map((id, index) => [`${field}.${index}`, id]);
}

async function checkGraph(graph: ExportGraph | undefined, check: CheckGraph): Promise<void> {
  if (graph !== undefined) await check(graph.file, graph.inputs, graph.outputs);
}
