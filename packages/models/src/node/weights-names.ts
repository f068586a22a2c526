/** As safetensors, GGUF, NumPy and CTranslate2 name weights, and as torch.save and transformers do. */
const WEIGHTS =
  /\.(gguf|npz|safetensors|safetensors\.index\.json|pt|pth|ckpt)$|^model\.bin$|^pytorch_model.*\.bin(\.index\.json)?$/i;

/** Names that say little alone are weights beside vocabularies in pieces, packed or not. */
const VOCABULARY = /^(src|trg)?vocab\..*spm$/;
const BESIDE_VOCABULARY = /^(?!lex\.).*\.bin(\.(gz|zst|xz))?$/;

const GRAPHS = /^onnx$|\.(onnx|ort)$/i;

/** The first name, of those in a folder, that is one of weights to import. */
export function weightsAmong(names: readonly string[]): string | undefined {
  const named = names.find((name) => WEIGHTS.test(name));
  if (named !== undefined || !names.some((name) => VOCABULARY.test(name))) return named;
  return names.find((name) => BESIDE_VOCABULARY.test(name));
}

/** The first name, of those in a folder, that is one of graphs: they are opened, not imported. */
export function graphsAmong(names: readonly string[]): string | undefined {
  return names.find((name) => GRAPHS.test(name));
}
