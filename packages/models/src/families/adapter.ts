import type { OpenFolderOptions, VerifiedFolder } from '../folder/model-folder.js';
import type { ModelIo } from '../io/model-io.js';

/** What a folder of another program would say of itself in a manifest, and what was read for that; `undefined` where it is none. */
export type AdaptFolder = (io: ModelIo, options: OpenFolderOptions) => Promise<VerifiedFolder | undefined>;
