import * as aiSdk from '@foretoken/ai-sdk';
import * as beam from '@foretoken/beam';
import * as core from '@foretoken/core';
import * as kit from '@foretoken/core/kit';
import * as coreNode from '@foretoken/core/node';
import * as coreRuntime from '@foretoken/core/runtime';
import * as correction from '@foretoken/correction';
import * as greedy from '@foretoken/greedy';
import * as hub from '@foretoken/hub';
import * as importers from '@foretoken/importers';
import * as langchain from '@foretoken/langchain';
import * as languageModels from '@foretoken/language-models';
import * as metrics from '@foretoken/metrics';
import * as models from '@foretoken/models';
import * as modelsFolder from '@foretoken/models/folder';
import * as modelsSpeech from '@foretoken/models/speech';
import * as oneShot from '@foretoken/one-shot';
import * as opentelemetry from '@foretoken/opentelemetry';
import * as refine from '@foretoken/refine';
import * as speculative from '@foretoken/speculative';
import * as streams from '@foretoken/streams';
import * as testkit from '@foretoken/testkit';

const MODEL_CHECKS = /^assert(Model|Autoregressive|Lattice|Canvas|Edit)$/;
/** Small helpers of authors, called for every node or state, and the errors themselves. */
export const TRUSTED: ReadonlySet<string> = new Set([
  'core.ForetokenError',
  // What it takes and gives is of valibot.
  'models.manifestSchema',
  'language-models.assertSameVocabulary',
  'language-models.nextTokens',
  'metrics.MetricsError',
  'core/node.NotThisKind',
  // They say by a RangeError that bytes are malformed; who calls them says of which file.
  'core/runtime.WireField',
  'core/runtime.findExternalData',
  'core/runtime.wireFields',
  'core/runtime.wireInteger',
  'core/runtime.wireMessage',
  'core/runtime.wireMessages',
  'core/runtime.wireTexts',
]);
/** Readers of options, whose first argument is a name of ours. */
export const READERS: ReadonlySet<string> = new Set([
  'core/runtime.executionProviders',
  'language-models.languageModelOption',
  'language-models.hotWords',
  'language-models.readLanguageModel',
]);

/** Not among them: the kernels of `core/kit`, which are called for every node or state, where a check would cost as much as the work. */
export const ENTRIES: Readonly<Record<string, object>> = {
  'ai-sdk': aiSdk,
  beam,
  core,
  correction,
  hub,
  kit: {
    ...Object.fromEntries(Object.entries(kit).filter(([name]) => MODEL_CHECKS.test(name))),
    SOURCES: { assertTokenSources: (_name: string, value: unknown[]) => kit.assertTokenSources(value) },
    READERS: {
      flag: kit.flag,
      text: kit.text,
      signal: kit.signal,
      tokenList: kit.tokenList,
      vocabulary: kit.vocabulary,
    },
    SCORE_RULES: kit.SCORE_RULES,
  },
  greedy,
  importers,
  'language-models': languageModels,
  metrics,
  models,
  'one-shot': oneShot,
  refine,
  speculative,
  streams,
  langchain,
  opentelemetry,
  'core/node': coreNode,
  'core/runtime': coreRuntime,
  'models/folder': modelsFolder,
  'models/speech': modelsSpeech,
  testkit,
};
