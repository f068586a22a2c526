import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Tokens without the end token, and the logits after each token that was fed. */
export interface PlainOutput {
  readonly tokens: readonly number[];
  readonly logits: readonly Float32Array[];
}

/** Greedy decoding of sound as anyone would write it: two graphs, fed by the names that they have; one row, one token at a time. */
export class PlainSpeechLoop {
  readonly #encoder: InferenceSession;
  readonly #decoder: InferenceSession;

  private constructor(encoder: InferenceSession, decoder: InferenceSession) {
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  static async open(folder: string): Promise<PlainSpeechLoop> {
    const session = async (file: string): Promise<InferenceSession> =>
      InferenceSession.create(new Uint8Array(await readFile(join(folder, file))), { intraOpNumThreads: 1 });
    return new PlainSpeechLoop(await session('encoder_model.ort'), await session('decoder_model_merged.ort'));
  }

  async decode(
    samples: Float32Array,
    { max, start, end }: { readonly max: number; readonly start: number; readonly end: number },
  ): Promise<PlainOutput> {
    const { length } = samples;
    const ones = new Tensor('int64', new BigInt64Array(length).fill(1n), [1, length]);
    const sound = { input_values: new Tensor('float32', samples, [1, length]), attention_mask: ones };
    const { last_hidden_state: states } = await this.#encoder.run(sound);
    const past: Record<string, Tensor> = {};
    for (const one of this.#decoder.inputMetadata) {
      if (!one.name.startsWith('past') || !one.isTensor) continue;
      past[one.name] = new Tensor('float32', new Float32Array(), [1, Number(one.shape[1]), 0, Number(one.shape[3])]);
    }
    const tokens: number[] = [];
    const logits: Float32Array[] = [];
    for (let token = start; tokens.length < max; ) {
      const outputs = await this.#decoder.run({
        ...past,
        input_ids: new Tensor('int64', BigInt64Array.of(BigInt(token)), [1, 1]),
        encoder_hidden_states: states,
        encoder_attention_mask: ones,
        use_cache_branch: new Tensor('bool', Uint8Array.of(logits.length === 0 ? 0 : 1), [1]),
      });
      for (const name of Object.keys(past)) {
        // What is read of the sound is made by the first step alone.
        if (logits.length > 0 && name.includes('.encoder.')) continue;
        past[name] = outputs[name.replace('past_key_values', 'present')];
      }
      const scores = outputs.logits.data as Float32Array;
      logits.push(scores.slice());
      token = scores.reduce((best, score, id) => (score > scores[best] ? id : best), 0);
      if (token === end) break;
      tokens.push(token);
    }
    return { tokens, logits };
  }

  async close(): Promise<void> {
    await this.#encoder.release();
    await this.#decoder.release();
  }
}
