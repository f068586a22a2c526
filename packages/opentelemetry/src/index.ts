export { type TracedOptions, type TracedSettings, traced } from './traced.js';
