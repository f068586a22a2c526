import type { GraphSessions } from '../../drivers/graph-sessions.js';
import type { Shortlist } from '../../drivers/shortlist.js';
import type { TokenEncoder } from '../../drivers/token-encoder.js';
import type { ModelFolder } from '../../folder/model-folder.js';
import type { MarianManifest } from './marian-manifest.js';

/** What students are made of: all of a folder read one encoder. */
export interface Surroundings {
  readonly folder: ModelFolder;
  readonly manifest: MarianManifest;
  readonly sessions: GraphSessions;
  readonly encoder: TokenEncoder;
  readonly shortlist: Shortlist | undefined;
}
