import { beamSearch } from '@foretoken/beam';
import { ForetokenError, type ScoreProcessor } from '@foretoken/core';
import { append } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel, ModelManifest, PartDecoder } from '@foretoken/models';
import type { AudioSource, SpeechInput, SpeechOutput, SpeechSegment } from '@foretoken/models/speech';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { type CommandContext, type CommandDefinition, OPTIONS } from '../command.js';
import { EXIT, usageError } from '../errors.js';
import { toJson, write } from '../io.js';
import { loadAnyModel } from '../load.js';
import { assertThere, openText, readChunks } from '../text-files.js';
import { TranscriptWriter } from '../transcript-writer.js';

/** How the argument is named. */
const RECORDING = '<recording>';
/** Far above an hour of sound. */
const MAX_BYTES = 1024 ** 3;

export const transcribeCommand: CommandDefinition = {
  name: 'transcribe',
  positionals: ['recording'],
  optionals: ['recording...'],
  description: 'Write down what is said in WAV files, with a speech model of yours',
  examples: [
    'foretoken transcribe recording.wav --model my-speech-model',
    'foretoken transcribe interview.wav --model my-speech-model --beam-size 5 --timestamps --json',
    'foretoken transcribe vortrag.wav --model my-speech-model --language de --task translate',
  ],
  options: [
    { ...OPTIONS.model, description: 'Model folder, made by foretoken import, or a folder of an exporter' },
    { flag: '--language <code>', description: 'Language that is spoken, such as en (default: found by the model)' },
    {
      flag: '--task <name>',
      description: 'transcribe (default), or translate to English',
      values: ['transcribe', 'translate'],
    },
    { flag: '--beam-size <n>', description: 'Hypotheses that are followed (default: 1, greedy)' },
    { flag: '--timestamps', description: 'Say when each piece of speech begins and ends' },
    OPTIONS.precision,
    OPTIONS.asExported,
    OPTIONS.threads,
    OPTIONS.json,
  ],
  run,
};

/** What was said in a recording. */
interface Transcript {
  readonly text: string;
  readonly segments: readonly SpeechSegment[];
  readonly seconds: number;
}

async function run(context: CommandContext): Promise<number> {
  const { positionals, options, io } = context;
  if (options.text('model') === undefined) {
    throw usageError('foretoken transcribe needs --model, the folder of a speech model; foretoken import makes one.', {
      option: 'model',
    });
  }
  const timestamps = options.flag('timestamps');
  const beamSize = options.integer('beam-size', 1, 64) ?? 1;
  const spoken = {
    language: options.text('language'),
    task: options.choice('task', ['transcribe', 'translate']),
    timestamps,
  };
  for (const recording of positionals) await assertThere(RECORDING, recording);
  const model = await loadAnyModel(context);
  try {
    const { cutSound, readWav, timestampRules } = await import('@foretoken/models/speech');
    const { decode, manifest, description } = model as unknown as SpeechModel;
    if (!model.processor.isInput(new Float32Array() as never)) {
      throw new ForetokenError(
        'UNSUPPORTED_MODEL',
        `${model.folder} reads no sound (it has ${description.architecture}). Give --model the folder of a speech model.`,
        { folder: model.folder, option: 'model' },
      );
    }
    const strategy = strategyOf(model, beamSize, timestamps ? [timestampRules(manifest)] : []);
    const found: (Transcript & { readonly recording: string })[] = [];
    for (const recording of positionals) {
      const { samples, sampleRate } = soundOf(recording, readWav, await readRecording(recording, io.signal));
      const writer = new TranscriptWriter(context, recording, samples.length / sampleRate, timestamps);
      const texts: string[] = [];
      const segments: SpeechSegment[] = [];
      let begin = 0;
      try {
        for (const window of cutSound(samples, { sampleRate, seconds: secondsOf(manifest) })) {
          const from = begin / sampleRate;
          writer.show(from);
          const result = await decode({ samples: window, sampleRate, ...spoken }, strategy, { signal: io.signal });
          const said = { text: result.text.trim(), segments: (result.segments ?? []).map((one) => later(one, from)) };
          if (said.text !== '') texts.push(said.text);
          append(segments, said.segments);
          begin += window.length;
          await writer.add(said);
        }
        await writer.end();
      } catch (error) {
        if (io.signal.aborted) await writer.stop(begin / sampleRate);
        throw error;
      } finally {
        writer.close();
      }
      found.push({ recording, text: texts.join(' '), segments, seconds: samples.length / sampleRate });
    }
    if (options.flag('json')) await write(io.stdout, `${toJson({ version: 1, recordings: found })}\n`);
    return EXIT.ok;
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

/** What writes down what is heard: token by token, or, where the model has frames instead, their best paths. */
function strategyOf(
  { description: { parts } }: LoadedModel,
  beamSize: number,
  processors: readonly ScoreProcessor[],
): PartDecoder<AudioSource> {
  const serial = parts.some(({ kind }) => kind === 'autoregressive');
  if (beamSize === 1) return serial ? greedy<AudioSource>({ processors }) : ctcGreedy<AudioSource>();
  return serial ? beamSearch<AudioSource>({ beamSize, processors }) : ctcPrefixBeam<AudioSource>({ beamSize });
}

type SpeechModel = LoadedModel<SpeechInput, SpeechOutput, AudioSource>;

/** Most seconds that are read at once: longer ones take more memory than they are worth. */
const MAX_SECONDS = 30;

/** Seconds that the model reads at once: sound is counted in steps of 10 ms. */
function secondsOf({ limits }: ModelManifest): number {
  return Math.min(MAX_SECONDS, limits.sourceLength / 100);
}

function later({ begin, end, text }: SpeechSegment, seconds: number): SpeechSegment {
  const shifted = (time: number): number => Math.round((time + seconds) * 100) / 100;
  return { begin: shifted(begin), end: end === undefined ? undefined : shifted(end), text };
}

/** What a recording holds; an error says which it is, as there may be several. */
function soundOf<Sound>(recording: string, read: (bytes: Uint8Array) => Sound, bytes: Uint8Array): Sound {
  try {
    return read(bytes);
  } catch (error) {
    if (!ForetokenError.isInstance(error)) throw error;
    const { code, message, details } = error;
    throw new ForetokenError(code, `${recording}: ${message}`, { ...details, recording }, { cause: error });
  }
}

/** Bytes of a recording. Throws `INVALID_ARGUMENT`. */
async function readRecording(path: string, signal: AbortSignal): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readChunks(await openText(RECORDING, path, signal), RECORDING, path, signal)) {
    const piece = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    bytes += piece.length;
    if (bytes > MAX_BYTES) {
      throw usageError(`${path} has more than ${MAX_BYTES} bytes. Cut it into parts.`, {
        option: 'recording',
        max: MAX_BYTES,
      });
    }
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}
