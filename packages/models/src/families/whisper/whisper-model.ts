import type {
  AutoregressiveModel,
  AutoregressiveSupport,
  ForestOptions,
  OpenOptions,
  TokenForest,
  Vocabulary,
} from '@foretoken/core';
import { forestOptions } from '@foretoken/core/kit';
import { assertRows, type JoiningRows, KeyValueStore, StoreForest } from '@foretoken/core/runtime';
import { heardPrompts } from '../../audio/heard-prompts.js';
import type { AudioSource } from '../../audio/speech-input.js';
import { promptOf } from '../../audio/speech-prompt.js';
import { STEP_MODES } from '../../drivers/step-modes.js';
import type { AudioEncoder } from './audio-encoder.js';
import type { WhisperManifest } from './whisper-manifest.js';
import { type WhisperRows, WhisperStepDriver, type WhisperStepOptions } from './whisper-step-driver.js';

export interface WhisperModelOptions {
  readonly manifest: WhisperManifest;
  readonly encoder: AudioEncoder;
  readonly step: WhisperStepOptions;
}

/** A Whisper model: windows of sound in, token trees out; each row begins with what is to be done. */
export class WhisperModel implements AutoregressiveModel<AudioSource> {
  readonly vocabulary: Vocabulary;
  readonly maxLength: number;
  readonly supports: AutoregressiveSupport;
  readonly encoder: AudioEncoder;
  readonly #options: WhisperModelOptions;

  constructor(options: WhisperModelOptions) {
    const { manifest, encoder } = options;
    this.#options = options;
    this.vocabulary = manifest.vocabulary;
    this.maxLength = manifest.limits.targetLength;
    this.encoder = encoder;
    this.supports = {
      outputs: STEP_MODES,
      states: STEP_MODES,
      branching: true,
      rollback: true,
      rows: 4096,
      joining: true,
      maxCandidates: manifest.step.maxCandidates,
    };
  }

  async open(sources: readonly AudioSource[], given?: ForestOptions): Promise<TokenForest<AudioSource>> {
    const options = forestOptions(given);
    const { joining = false } = options;
    this.encoder.check(sources);
    assertRows(this.supports, sources.length);
    const { rows, prefixes } = await this.#read(sources, options);
    const driver = new WhisperStepDriver(this.#options.step, rows, joining);
    const join = async (joined: readonly AudioSource[], joinOptions: OpenOptions): Promise<JoiningRows> => {
      this.encoder.check(joined);
      const read = await this.#read(joined, joinOptions);
      return { prefixes: read.prefixes, admit: () => driver.admit(read.rows) };
    };
    return this.#forest(driver, prefixes, joining, joining ? join : undefined);
  }

  #forest(
    driver: WhisperStepDriver,
    prefixes: readonly Int32Array[],
    joining: boolean,
    join?: (sources: readonly AudioSource[], options: OpenOptions) => Promise<JoiningRows>,
  ): StoreForest<AudioSource> {
    const { layers, width } = this.#options.step;
    const rows = prefixes.length;
    return new StoreForest({
      store: new KeyValueStore({ driver, rows, parts: 2 * layers, partWidth: width, joining }),
      prefixes,
      vocabularySize: this.vocabulary.size,
      maxLength: this.maxLength,
      supports: this.supports,
      join,
    });
  }

  async #read(
    sources: readonly AudioSource[],
    { encoding, signal }: OpenOptions,
  ): Promise<{ readonly rows: WhisperRows; readonly prefixes: readonly Int32Array[] }> {
    // What a row cannot be asked for is refused before anything is computed.
    const { vocabulary, speech } = this.#options.manifest;
    const prompts = sources.map((source) => promptOf(vocabulary.startTokenId, speech, source));
    const { sources: encoded } = await this.encoder.reuseOrEncode(sources, encoding, signal);
    const { languages } = speech;
    const open = (rows: readonly number[], starts: readonly Int32Array[]): TokenForest<AudioSource> => {
      // No output begins here, so what no output has may follow.
      const begun = { sources: rows.map((row) => encoded[row]), promptLengths: rows.map(() => 0) };
      return this.#forest(new WhisperStepDriver(this.#options.step, begun), starts, false);
    };
    const prefixes = await heardPrompts(prompts, { vocabularySize: vocabulary.size, languages, open }, signal);
    return { rows: { sources: encoded, promptLengths: prefixes.map(({ length }) => length) }, prefixes };
  }
}
