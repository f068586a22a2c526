"""Writes a tiny random Whisper model as the model builder of onnxruntime-genai builds it, with what transformers computes of the same
weights. What onnxruntime-genai itself decodes of the folder must be the same.

    python make_genai_whisper_fixture.py --builder python --out ../../packages/models/test/goldens/exports/genai-spectra

`--builder` is a Python with onnxruntime-genai 0.18.0, which wants a newer transformers than these goldens do. Needs what
make_export_fixtures.py needs.
"""
from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from make_export_fixtures import shorten
from make_whisper_export_fixtures import Kind, build_model, build_tokenizer, features, goldens
from transformers import PreTrainedTokenizerFast

# Windows of 30 seconds, which the builder writes into its graphs; it gives as many layers to either side.
KIND = Kind(seed=21, multilingual=True, layers=2, heads=2, mels=8, positions=40, new_tokens=16, frames=3000, encoder_layers=2)
# By how much scores of timestamps are less than those of text.
QUIET = 0.2
# Decodes spectra with onnxruntime-genai, greedily.
ORACLE = """
import json, sys
import numpy as np
import onnxruntime_genai as og
model = og.Model(sys.argv[1])
rows = json.load(open(sys.argv[2] + ".json"))
outputs = []
for at, (prompt, new_tokens) in enumerate(rows):
    params = og.GeneratorParams(model)
    params.set_search_options(do_sample=False, num_beams=1, max_length=len(prompt) + new_tokens)
    generator = og.Generator(model, params)
    inputs = og.NamedTensors()
    inputs["audio_features"] = np.load(f"{sys.argv[2]}.{at}.npy")
    inputs["input_ids"] = np.array([prompt], dtype=np.int32)
    generator.set_inputs(inputs)
    while not generator.is_done():
        generator.generate_next_token()
    outputs.append([int(token) for token in generator.get_sequence(0)][len(prompt):])
print(json.dumps(outputs))
"""


def decoded(builder: str, folder: Path, scratch: Path, expected: dict) -> list[list[int]]:
    """What onnxruntime-genai gives for the spectra of the rows."""
    rows = []
    for at, row in enumerate(expected["rows"]):
        np.save(scratch / f"rows.{at}.npy", features(KIND, *row["periods"]).numpy())
        rows.append([row["fed"][: row["begin"]], KIND.new_tokens])
    (scratch / "rows.json").write_text(json.dumps(rows))
    script = scratch / "oracle.py"
    script.write_text(ORACLE)
    return json.loads(subprocess.check_output([builder, str(script), str(folder), str(scratch / "rows")]).splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--builder", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    tokenizer = build_tokenizer(KIND.multilingual)
    model = build_model(KIND, tokenizer)
    # No output has two timestamps in a row, after which Whisper's own generation would read a part of the window again.
    with torch.no_grad():
        model.model.decoder.embed_tokens.weight[tokenizer.get_vocab_size() :] *= QUIET
    # Such a folder has no generation_config.json, so nothing is suppressed; outputs begin within a second, as those of all models do.
    generation = model.generation_config
    generation.suppress_tokens, generation.begin_suppress_tokens, generation.max_initial_timestamp_index = [], [], 50
    expected = goldens(model, KIND, tokenizer)
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        weights = scratch / "weights"
        model.save_pretrained(weights)
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(weights)
        built = scratch / "built"
        command = ["-m", "onnxruntime_genai.models.builder", "-i", weights, "-o", built, "-p", "fp32", "-e", "cpu", "-c", scratch]
        subprocess.check_call([args.builder, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        given = decoded(args.builder, built, scratch, expected)
        assert given == [row["greedy"] for row in expected["rows"]], given
        for graph in ("encoder", "decoder"):
            model_proto = onnx.load(built / f"{graph}.onnx")
            shorten(model_proto)
            path = args.out / f"{graph}.onnx"
            onnx.save(model_proto, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=64)
        for file in ("genai_config.json", "audio_processor_config.json", "tokenizer.json"):
            shutil.copy(built / file, args.out / file)
    (args.out / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
