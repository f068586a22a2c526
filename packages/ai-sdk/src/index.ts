export type { DecoderSettings } from './call-settings.js';
export { type ForetokenOptions, foretoken, type TextModel } from './foretoken.js';
