/** What programs need that give sound to a model; on Node.js and in browsers. */
export { type CutOptions, cutSound } from './audio/cut-sound.js';
export { readWav, type Sound } from './audio/wav.js';
export * from './families/known-speech.js';
