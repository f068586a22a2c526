import type { ModelManifest } from '../folder/manifest.js';
import { causalLanguageModelFamily } from './causal-lm/causal-family.js';
import type { ModelFamily } from './family.js';
import { marianFamily } from './marian/marian-family.js';
import { maskedLanguageModelFamily } from './masked-lm/masked-lm-family.js';

export { type CausalLanguageModelManifest, STEP_MODES } from './causal-lm/causal-manifest.js';
export type { BodyGraphFiles, HeadGraphFiles, MarianManifest } from './marian/marian-manifest.js';
export { VOCABULARY_MODES } from './marian/vocabulary-graph.js';
export type { MaskedLanguageModelManifest } from './masked-lm/masked-lm-manifest.js';

type Register = <Manifest extends ModelManifest>(family: ModelFamily<Manifest>) => void;

/** The families that come with the package: the one list of them. Each is handed over with its own manifest's type. */
export const KNOWN_FAMILIES: readonly ((register: Register) => void)[] = [
  (register) => register(marianFamily),
  (register) => register(maskedLanguageModelFamily),
  (register) => register(causalLanguageModelFamily),
];
