export * from './file-trouble.js';
export * from './regular-file.js';
