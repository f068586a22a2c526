import { fileURLToPath } from 'node:url';

/** Absolute path of the model folder, for `loadModel`. */
export const folder = fileURLToPath(new URL('./model/', import.meta.url));
