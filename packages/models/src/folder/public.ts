/** What those need who write model folders of their own. Programs that load one use `@foretoken/models` itself. */
export type { FileLocation } from '../node/file-path.js';
export { proveModel } from '../node/prove-model.js';
export type { FileContent, MadeContent, WriteFolderOptions } from './folder-content.js';
export { MANIFEST_FILE, type ManifestContent, type ModelManifest } from './manifest.js';
export { writeModelFolder } from './write-folder.js';
