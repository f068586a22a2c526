import { ids, value } from '../../drivers/graph-check.js';
import { WidthCosts } from '../../drivers/probe.js';
import { STEP_MODES } from '../../drivers/step-modes.js';
import { invalidFolder, reason } from '../../folder/refusal.js';
import { loadCode } from '../../load-code.js';
import type { ExpectedValues } from '../../onnx/graph-description.js';
import { EXACT } from '../../parts/model-part.js';
import { MAX_TEMPLATE, type PromptInput } from '../../processors/chat.js';
import type { ChatTemplate } from '../../processors/chat-template.js';
import { promptProcessor } from '../../processors/prompt-processor.js';
import type { ModelFamily } from '../family.js';
import { type CausalLanguageModelManifest, causalLanguageModelSchema } from './causal-manifest.js';
import { CausalModel } from './causal-model.js';
import { probeCausalStep } from './causal-probe.js';

/** Decoder-only language models. */
export const causalLanguageModelFamily: ModelFamily<CausalLanguageModelManifest, PromptInput> = {
  name: 'causal-lm',
  schema: causalLanguageModelSchema,
  claims: ({ graphs, step, stopTokenIds = [], chat }) => ({
    tokenIds: Object.fromEntries(stopTokenIds.map((id, index) => [`stopTokenIds.${index}`, id])),
    candidates: { 'step.maxCandidates': step.maxCandidates },
    graphs: { 'graphs.step': graphs.step },
    others: { 'chat.template': chat?.template },
  }),
  checkAgreement({ architecture: { heads, keyValueHeads } }, refuse) {
    if (heads % keyValueHeads !== 0) {
      refuse('architecture.keyValueHeads', keyValueHeads, `a divisor of the heads, ${heads}`);
    }
  },
  async checkGraphs({ architecture, graphs }, check) {
    const { width, layers, keyValueHeads, headWidth } = architecture;
    const kept = keyValueHeads * headWidth;
    const pasts = Array.from({ length: 2 * layers }, (_, part) => [`past_${part}`, value('float32', null, null, kept)]);
    const inputs: ExpectedValues = {
      token_ids: ids,
      positions: ids,
      attention_bias: value('float32', null, 1, null, null),
      scored: value('int32', null),
      mode: value('int32', 1),
      k: value('int64', 1),
      ...Object.fromEntries(pasts),
    };
    await check(graphs.step, inputs, {
      new: value('float32', null, null, 2 * layers * kept),
      states: value('float32', null, width),
      scores: value('float32', null, null),
      best_token_ids: value('int32', null, null),
    });
  },
  async checkSideFiles({ readText }, manifest) {
    await openTemplate(manifest, readText);
  },
  async open({ manifest, sessions, threads, probe, signal }) {
    const { architecture, graphs, limits, vocabulary } = manifest;
    // Opening a large graph again for each thread count takes longer than comparing them may.
    sessions.threads = threads ?? 1;
    const session = () => sessions.get(graphs.step);
    const step = {
      runtime: sessions.runtime,
      session,
      layers: architecture.layers,
      keyValueWidth: architecture.keyValueHeads * architecture.headWidth,
      paddedWidth: (width: number) => width,
    };
    const { widths, costs } = probe
      ? await probeCausalStep(step, signal)
      : { widths: new WidthCosts([]), costs: undefined };
    const model = new CausalModel({
      step: { ...step, paddedWidth: (width) => widths.padded(width) },
      vocabulary,
      maxLength: limits.targetLength,
      maxCandidates: manifest.step.maxCandidates,
      costs,
    });
    return [{ kind: 'autoregressive', model, open: session }];
  },
  processor: async ({ manifest, tokenizer, readText }) => {
    return promptProcessor(tokenizer, {
      stopTokenIds: manifest.stopTokenIds,
      template: await openTemplate(manifest, readText),
    });
  },
  describe: ({ architecture: { layers, width, heads, keyValueHeads }, chat }) => ({
    parts: [{ kind: 'autoregressive', variant: EXACT }],
    outputs: STEP_MODES,
    outputsOf: 'step',
    architecture: `${layers} layers, width ${width}, ${heads} heads${keyValueHeads === heads ? '' : `, ${keyValueHeads} of keys and values`}`,
    facts: [['chat', chat === undefined ? 'no template: prompts are texts' : 'by its template']],
  }),
};

/** The chat template of a folder, where it has one. Throws `INVALID_MODEL_FOLDER`. */
async function openTemplate(
  { chat }: CausalLanguageModelManifest,
  readText: (file: string) => Promise<string>,
): Promise<ChatTemplate | undefined> {
  if (chat === undefined) return undefined;
  const { template: file } = chat;
  const refuse = (cause: unknown): Error =>
    invalidFolder(
      `${file}: the chat template cannot be used: ${reason(cause)}. Fetch it again, or give a text in place of messages.`,
      { file, field: 'chat', required: 'a chat template' },
      cause,
    );
  const text = await readText(file);
  if (text.length > MAX_TEMPLATE) throw refuse(new RangeError(`it has more than ${MAX_TEMPLATE} characters`));
  const load = () => import('../../processors/chat-template.js');
  const { ChatTemplate } = await loadCode('chat templates', load);
  return new ChatTemplate(text, chat.tokens ?? {}, refuse);
}
