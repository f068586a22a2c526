export * from './file-trouble.js';
export * from './process-state.js';
export * from './regular-file.js';
