// Paths that a prefix beam search finds in lattices written by make_hints.py: node search-hints.mjs FOLDER MODEL_FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { loadModel } from '@foretoken/models';
import { ctcPrefixBeam } from '@foretoken/one-shot';
import * as runtime from 'onnxruntime-node';

const [folder, modelFolder] = process.argv.slice(2);
const file = readFileSync(join(folder, 'lattices.safetensors'));
const headerBytes = Number(file.readBigUInt64LE());
const header = JSON.parse(file.subarray(8, 8 + headerBytes).toString());

/** A copy, since the file's tensors may lie at any place. */
function tensor(name, Values) {
  const [begin, end] = header[name].data_offsets;
  return new Values(Uint8Array.from(file.subarray(8 + headerBytes + begin, 8 + headerBytes + end)).buffer);
}

const model = await loadModel(modelFolder, { runtime, probe: false });
const { manifest } = model;
const languageModel = model.part('languageModel');
const { blankId } = manifest.ctc;
const tokenIds = tensor('token_ids', Int32Array).map((tokenId) => (tokenId < 0 ? blankId : tokenId));
const logProbs = tensor('log_probs', Float32Array);
const blankLogProbs = tensor('blank_log_probs', Float32Array);
const k = header.token_ids.shape[1];

let frame = 0;
const lattices = Array.from(tensor('counts', Int32Array), (frames) => {
  const [begin, end] = [frame, frame + frames];
  frame = end;
  return {
    kind: 'ctc',
    frames,
    k,
    blankId,
    tokenIds: tokenIds.subarray(begin * k, end * k),
    logProbs: logProbs.subarray(begin * k, end * k),
    blankLogProbs: blankLogProbs.subarray(begin, end),
  };
});
const stored = {
  vocabulary: model.part('lattice', { lattice: 'ctc' }).vocabulary,
  supports: { kind: 'ctc', maxCandidates: k },
  emit: async (sources) => sources.map(({ tokenIds: [index] }) => lattices[index]),
};
// With the weights that searched hints are read with later; a narrower beam finds nearly the same.
const search = ctcPrefixBeam({
  languageModel: { model: languageModel, weight: 0.2 },
  lengthBonus: 1.2,
  alignments: true,
  candidates: k,
});
const paths = [];
for (let begin = 0; begin < lattices.length; begin += 64) {
  const count = Math.min(64, lattices.length - begin);
  const sources = Array.from({ length: count }, (_, row) => ({ tokenIds: Int32Array.of(begin + row) }));
  const { results } = await collect(search.decode(stored, { sources }));
  for (const { hypotheses } of results) {
    const [{ tokenIds: said, alignment }] = hypotheses;
    paths.push([Array.from(said), Array.from(alignment.firstFrames)]);
  }
}
writeFileSync(join(folder, 'paths.json'), JSON.stringify(paths));
await model[Symbol.asyncDispose]();
