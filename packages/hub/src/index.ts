export type { HubPrecision } from './export-graphs.js';
export { fetchFromHub, type HubSnapshot } from './fetch-from-hub.js';
export { type HubLocation, parseHubLocation } from './hub-location.js';
export type { HubOptions, HubProgress } from './hub-options.js';
export type { HubChoice } from './needed-files.js';
