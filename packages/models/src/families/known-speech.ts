/** What those need who give sound to a family that comes with the package. */
export type {
  AudioSource,
  SpeechInput,
  SpeechOptions,
  SpeechOutput,
  SpeechRecording,
  SpeechSegment,
} from '../audio/speech-input.js';
export { type TimestampRulesOptions, timestampRules } from '../audio/timestamp-rules.js';
export type { WhisperManifest } from './whisper/whisper-manifest.js';
