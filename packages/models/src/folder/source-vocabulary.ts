import type { ManifestVocabulary } from './manifest.js';
import type { Refuse } from './manifest-agreement.js';

/** Refuses tokens of sources outside their vocabulary. */
export function checkSourceVocabulary(vocabulary: ManifestVocabulary | undefined, refuse: Refuse): void {
  const { size = 0, ...named } = vocabulary ?? {};
  for (const [name, id] of Object.entries(named)) {
    if (id !== undefined && id >= size) refuse(`sourceVocabulary.${name}`, id, `inside its vocabulary, below ${size}`);
  }
}
