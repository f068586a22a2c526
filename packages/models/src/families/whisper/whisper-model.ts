import type {
  AutoregressiveModel,
  AutoregressiveSupport,
  ForestOptions,
  OpenOptions,
  TokenForest,
  Vocabulary,
} from '@foretoken/core';
import { forestOptions, NodeBatch, ROOT } from '@foretoken/core/kit';
import { assertRows, type JoiningRows, KeyValueStore, StoreForest } from '@foretoken/core/runtime';
import type { AudioSource } from '../../audio/speech-input.js';
import { STEP_MODES } from '../../drivers/step-modes.js';
import type { AudioEncoder, CrossParts } from './audio-encoder.js';
import { promptOf } from './speech-prompt.js';
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
    const prompts = sources.map((source) => promptOf(this.#options.manifest, source));
    const { sources: encoded } = await this.encoder.reuseOrEncode(sources, encoding, signal);
    const unknown = prompts.flatMap((prompt, row) => (prompt.includes(undefined) ? [row] : []));
    const found = await this.#languages(
      unknown.map((row) => encoded[row]),
      signal,
    );
    const languages = new Map(unknown.map((row, index) => [row, found[index]]));
    const prefixes = prompts.map((prompt, row) => Int32Array.from(prompt, (id) => id ?? languages.get(row) ?? 0));
    return { rows: { sources: encoded, promptLengths: prefixes.map(({ length }) => length) }, prefixes };
  }

  /** The most probable language of each source, by what would follow the start token. */
  async #languages(sources: readonly CrossParts[], signal: AbortSignal | undefined): Promise<readonly number[]> {
    if (sources.length === 0) return [];
    const { vocabulary, speech } = this.#options.manifest;
    const languages = Object.values(speech.languages ?? {});
    // No output begins here, so what no output begins with may follow.
    const driver = new WhisperStepDriver(this.#options.step, { sources, promptLengths: sources.map(() => 0) });
    const start = Int32Array.of(vocabulary.startTokenId);
    await using forest = this.#forest(
      driver,
      sources.map(() => start),
      false,
    );
    const nodes = new NodeBatch();
    for (let row = 0; row < sources.length; row++) nodes.addChain(row, ROOT, start, 'last');
    const { logits } = await forest.extend(nodes, { kind: 'logits' }, signal);
    return sources.map((_, row) => {
      const scores = logits.subarray(row * vocabulary.size, (row + 1) * vocabulary.size);
      return languages.reduce((best, tokenId) => (scores[tokenId] > scores[best] ? tokenId : best));
    });
  }
}
