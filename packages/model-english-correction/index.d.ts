/** Absolute path of the model folder, for `loadModel`. */
export declare const folder: string;
