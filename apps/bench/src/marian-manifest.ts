import { ForetokenError } from '@foretoken/core';
import type { MarianManifest, ModelFolder } from '@foretoken/models';

/** The manifest of a Marian folder. Throws `UNSUPPORTED_CAPABILITY` for another family, which has no step graphs. */
export function marianManifest({ path, manifest }: ModelFolder): MarianManifest {
  if (manifest.family === 'marian') return manifest as MarianManifest;
  throw new ForetokenError(
    'UNSUPPORTED_CAPABILITY',
    `This bench needs step graphs, but ${path} holds a model of the family ${manifest.family}.`,
    { folder: path, capability: 'an autoregressive model' },
  );
}
