import { spectrumProcessor } from '../../audio/spectrum-processor.js';
import type { AudioSource, SpeechInput, SpeechOutput } from '../../audio/speech-input.js';
import { ids, value } from '../../drivers/graph-check.js';
import { STEP_MODES } from '../../drivers/step-modes.js';
import { checkHeads, claimsByName } from '../../folder/manifest-agreement.js';
import { checkSpeech, speechFacts, speechTokenIds } from '../../folder/speech-schema.js';
import type { ExpectedValues } from '../../onnx/graph-description.js';
import { EXACT } from '../../parts/model-part.js';
import type { ModelFamily } from '../family.js';
import { audioEncoder } from './audio-encoder.js';
import { type WhisperManifest, whisperSchema } from './whisper-manifest.js';
import { WhisperModel } from './whisper-model.js';

/** Whisper: sound in, text out. */
export const whisperFamily: ModelFamily<WhisperManifest, SpeechInput, SpeechOutput, AudioSource> = {
  name: 'whisper',
  schema: whisperSchema,
  claims(manifest) {
    const claims = claimsByName(manifest);
    return { ...claims, tokenIds: { ...claims.tokenIds, ...speechTokenIds(manifest.speech) } };
  },
  checkAgreement({ architecture, audio, limits, speech }, refuse) {
    checkHeads(architecture, refuse);
    checkSpeech(audio, speech, limits.sourceLength, refuse);
  },
  async checkGraphs({ architecture, audio, graphs }, check) {
    const { width, heads, decoderLayers } = architecture;
    const positions = audio.frames / 2;
    const [keys, values] = [
      [width / heads, positions],
      [positions, width / heads],
    ];
    const parts = Array.from({ length: 2 * decoderLayers }, (_, part) => part);
    const cross: ExpectedValues = Object.fromEntries(
      parts.map((part) => [`cross_${part}`, value('float32', null, heads, ...(part % 2 === 0 ? keys : values))]),
    );
    await check(graphs.encoder, { features: value('float32', null, audio.mels, audio.frames) }, cross);
    const inputs: ExpectedValues = {
      token_ids: ids,
      positions: ids,
      attention_bias: value('float32', null, 1, null, null),
      scored: value('int32', null),
      mode: value('int32', 1),
      k: value('int64', 1),
      begin: value('int32', null, 1),
      ...cross,
      ...Object.fromEntries(parts.map((part) => [`past_${part}`, value('float32', null, null, width)])),
    };
    await check(graphs.step, inputs, {
      new: value('float32', null, null, 2 * decoderLayers * width),
      states: value('float32', null, width),
      scores: value('float32', null, null),
      best_token_ids: value('int32', null, null),
    });
  },
  async open({ manifest, sessions, threads, cores }) {
    // A window of sound is 1,500 positions at once, which all processors share well.
    sessions.threads = threads ?? cores;
    const { runtime } = sessions;
    const { architecture, audio, graphs } = manifest;
    const { width, heads, decoderLayers: layers } = architecture;
    const encoder = audioEncoder({ runtime, session: () => sessions.get(graphs.encoder), audio, layers });
    const session = () => sessions.get(graphs.step);
    const step = { runtime, session, layers, width, heads, positions: audio.frames / 2 };
    const model = new WhisperModel({ manifest, encoder, step });
    return [{ kind: 'autoregressive', model, open: sessions.opening(graphs.step, graphs.encoder) }];
  },
  processor: ({ manifest: { audio, speech, vocabulary }, tokenizer }) =>
    spectrumProcessor({ audio, speech, startTokenId: vocabulary.startTokenId }, tokenizer),
  describe: ({ architecture, audio, speech }) => ({
    parts: [{ kind: 'autoregressive', variant: EXACT }],
    outputs: STEP_MODES,
    outputsOf: 'step',
    ownSourceTokens: true,
    architecture: `${architecture.encoderLayers} encoder and ${architecture.decoderLayers} decoder layers, width ${architecture.width}, ${architecture.heads} heads`,
    facts: speechFacts(audio, speech),
  }),
};
