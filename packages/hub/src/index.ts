export { fetchFromHub, type HubOptions, type HubProgress, type HubSnapshot } from './fetch-from-hub.js';
export { type HubLocation, parseHubLocation } from './hub-location.js';
