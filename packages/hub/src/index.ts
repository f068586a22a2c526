export type { HubPrecision } from './export-graphs.js';
export { fetchFromHub, type HubOptions, type HubProgress, type HubSnapshot } from './fetch-from-hub.js';
export { type HubLocation, parseHubLocation } from './hub-location.js';
export type { HubChoice } from './needed-files.js';
