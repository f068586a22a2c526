export * from './row-output.js';
