import { ids, value } from '../../drivers/graph-check.js';
import { type EncoderDecoderParts, openEncoderDecoder } from '../../drivers/open-encoder-decoder.js';
import type { SourceShortlist } from '../../drivers/source-shortlist.js';
import { stepOutputs } from '../../drivers/step-graphs.js';
import { checkBodyGraphs, encoderOutputs } from '../../drivers/step-signatures.js';
import { checkLanguages, forcedTokensOf, languageFacts, languageTokens } from '../../folder/languages-schema.js';
import type { ModelFolder } from '../../folder/model-folder.js';
import { checkSourceVocabulary } from '../../folder/source-vocabulary.js';
import { loadCode } from '../../load-code.js';
import { EXACT } from '../../parts/model-part.js';
import type { TextInLanguages } from '../../processors/chat.js';
import { languageProcessor } from '../../processors/language-processor.js';
import { textProcessor } from '../../processors/text-processor.js';
import type { ModelFamily, OpenContext } from '../family.js';
import {
  type EncoderDecoderManifest,
  encoderDecoderSchema,
  type ManifestShortlist,
} from './encoder-decoder-manifest.js';
import { withoutText } from './without-text.js';

const NO_TEXT = ['text', 'none: the folder has no tokenizer, so sources and outputs are token ids'] as const;

/** Encoders with decoders: translation, summaries, whatever turns one text into another. */
export const encoderDecoderFamily: ModelFamily<EncoderDecoderManifest, string | TextInLanguages> = {
  name: 'encoder-decoder',
  schema: encoderDecoderSchema,
  claims: ({ architecture: { unplacedTokenId }, graphs, step, beginning, languages, shortlist }) => ({
    tokenIds: Object.fromEntries([
      ...(unplacedTokenId === undefined ? [] : [['architecture.unplacedTokenId', unplacedTokenId] as const]),
      ...beginning.map((id, index) => [`beginning.${index}`, id] as const),
      ...languageTokens(languages),
    ]),
    candidates: { 'step.maxCandidates': step.maxCandidates },
    graphs: {
      'graphs.encoder': graphs.encoder,
      'graphs.step.body': graphs.step.body,
      'graphs.step.vocabulary': graphs.step.vocabulary,
    },
    others: { 'shortlist.file': shortlist?.file },
  }),
  checkAgreement(manifest, refuse) {
    const { architecture, sourceVocabulary, embedsSources, languages, limits, beginning } = manifest;
    if (architecture.recurrentDecoder && architecture.byDistance) {
      refuse('architecture.byDistance', true, 'absent where the decoder is recurrent');
    }
    if (architecture.unplacedTokenId !== undefined && embedsSources) {
      refuse('architecture.unplacedTokenId', architecture.unplacedTokenId, 'absent where the encoder embeds sources');
    }
    if (
      !hasSourceTable(manifest) &&
      (sourceVocabulary?.size ?? manifest.vocabulary.size) !== manifest.vocabulary.size
    ) {
      refuse('embedsSources', embedsSources, 'true where sources have their own vocabulary');
    }
    checkSourceVocabulary(sourceVocabulary, refuse);
    if (beginning.length > limits.targetLength) {
      refuse('limits.targetLength', limits.targetLength, `${beginning.length} at least, for the beginning`);
    }
    checkLanguages(languages, refuse);
  },
  async checkGraphs({ architecture, graphs, embedsSources, shortlist }, check) {
    const { width, heads, headWidth, decoderLayers, byDistance } = architecture;
    const stateWidth = stateWidthOf(architecture);
    const shape = { width, kept: heads * headWidth, layers: decoderLayers, byDistance, stateWidth };
    const tokens = embedsSources ? { token_ids: ids } : { embedded: value('float32', null, null, width) };
    await check(graphs.encoder, { ...tokens, positions: ids, mask: ids }, encoderOutputs(shape));
    await checkBodyGraphs(graphs.step, shape, check, shortlist !== undefined);
  },
  async checkSideFiles(folder, manifest) {
    if (manifest.shortlist !== undefined) await readListed(folder, manifest, manifest.shortlist);
  },
  async open(context) {
    const { manifest } = context;
    const { architecture, graphs, vocabulary, sourceVocabulary = vocabulary, limits, step } = manifest;
    const shortlist = manifest.shortlist && (await readListed(context.folder, manifest, manifest.shortlist));
    const typicalTokens = shortlist?.of(typicalSource(sourceVocabulary));
    const { unplacedTokenId } = architecture;
    const { part } = await openEncoderDecoder(
      {
        graphs: { ...graphs, step: { ...graphs.step, typicalTokens, unplacedTokenId } },
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
        forcedTokens: forcedTokensOf(manifest.beginning, manifest.languages),
        limits,
        maxCandidates: step.maxCandidates,
        ...(await furtherParts(context, shortlist)),
      },
      context,
    );
    return [part];
  },
  processor: (context) => {
    const { tokenizer: files, languages, vocabulary } = context.manifest;
    const tokenizer = files === undefined ? withoutText() : context.tokenizer;
    return languages === undefined
      ? textProcessor(tokenizer)
      : languageProcessor(tokenizer, languages, vocabulary.endTokenId);
  },
  describe(manifest) {
    const { architecture, graphs, languages, sourceVocabulary, shortlist } = manifest;
    const { width, heads, encoderLayers, decoderLayers, recurrentDecoder } = architecture;
    const decoder = recurrentDecoder ? 'recurrent decoder' : 'decoder';
    const ownTokens = sourceVocabulary !== undefined && hasSourceTable(manifest);
    const own = ownTokens ? [['source vocabulary', `${sourceVocabulary.size} tokens of its own`] as const] : [];
    const listed =
      shortlist === undefined
        ? []
        : [['shortlist', 'outputs have tokens that the source lists, and no others'] as const];
    return {
      parts: [{ kind: 'autoregressive', variant: EXACT }],
      outputs: [...stepOutputs(graphs.step)],
      outputsOf: 'step',
      ownSourceTokens: ownTokens,
      architecture: `${encoderLayers} encoder and ${decoderLayers} ${decoder} layers, width ${width}, ${heads} heads`,
      facts: [...own, ...listed, ...languageFacts(languages), ...(manifest.tokenizer === undefined ? [NO_TEXT] : [])],
    };
  },
};

/** Whether sources have a table of their own; with the outputs' one they may differ in their last token only. */
const hasSourceTable = ({ embedsSources }: EncoderDecoderManifest): boolean => embedsSources === true;

/** Numbers of the state that a token keeps where the decoder is recurrent. */
function stateWidthOf({
  width,
  decoderLayers,
  recurrentDecoder,
}: EncoderDecoderManifest['architecture']): number | undefined {
  return recurrentDecoder ? decoderLayers * width : undefined;
}

/** What a recurrent decoder and a shortlist need besides; each is loaded where there is such. */
async function furtherParts(
  { manifest, sessions: { runtime } }: OpenContext<EncoderDecoderManifest>,
  shortlist: SourceShortlist | undefined,
): Promise<Pick<EncoderDecoderParts, 'feedsOf' | 'storeOver'>> {
  const stateWidth = stateWidthOf(manifest.architecture);
  let parts: Pick<EncoderDecoderParts, 'feedsOf' | 'storeOver'> = {};
  if (stateWidth !== undefined) {
    const { stateStore } = await loadCode('recurrent decoders', () => import('../../drivers/state-step-driver.js'));
    parts = { storeOver: stateStore(runtime, stateWidth) };
  }
  if (shortlist !== undefined) {
    const { ListedSources } = await loadCode('shortlists', () => import('../../drivers/listed-sources.js'));
    parts = { ...parts, feedsOf: (rows, sources) => new ListedSources(runtime, rows, shortlist, sources) };
  }
  return parts;
}

/** A source of a usual length. */
const typicalSource = ({ size }: { readonly size: number }): Int32Array =>
  Int32Array.from({ length: Math.min(size, 24) }, (_, tokenId) => tokenId);

async function readListed(
  { path, readBytes }: ModelFolder,
  { vocabulary, sourceVocabulary = vocabulary }: EncoderDecoderManifest,
  { file, multipleOf }: ManifestShortlist,
): Promise<SourceShortlist> {
  const { readSourceShortlist } = await loadCode('shortlists', () => import('../../drivers/source-shortlist.js'));
  return readSourceShortlist(await readBytes(file), { folder: path, file }, multipleOf, {
    vocabularySize: vocabulary.size,
    sourceVocabularySize: sourceVocabulary.size,
    endTokenId: vocabulary.endTokenId,
  });
}
