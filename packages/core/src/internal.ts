/**
 * What Foretoken's own packages of the same version need of this one: the fields of ONNX files. It is no part of the public API: it may
 * change with any release, and what it is given is checked where it comes from, not here.
 */
export * from './runtime/onnx/external-data.js';
export * from './runtime/onnx/wire.js';
