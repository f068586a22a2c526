"""Writes a tiny random Moonshine model as exporters write one, with what transformers computes of it: `speech` in ONNX, and
`speech-ort` in the layout of the package moonshine-voice: products in 8 bits, ONNX Runtime's own format, a list of tokens, no config.

    python make_speech_export_fixtures.py --out ../../packages/models/test/goldens/exports

Needs what make_export_fixtures.py needs.
"""
from __future__ import annotations

import argparse
import json
import math
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from make_export_fixtures import randomise, shorten
from onnxruntime.quantization import quantize_dynamic
from optimum.exporters.onnx import onnx_export_from_model
from transformers import MoonshineConfig, MoonshineForConditionalGeneration

RATE = 16_000
# Length of each sound, and the two periods that it is made of.
SOUNDS = [[1600, 5, 37], [4000, 9, 53], [9001, 3, 211]]
NEW_TOKENS = 12
SPACE = "\u2581"
TOKENS: list[bytes] = [
    b"<unk>", b"<s>", b"</s>", *[bytes([byte]) for byte in range(256)],
    *[token.encode() for token in [SPACE, *"abcdefghijklmnopqrstuvwxyz", f"{SPACE}a", f"{SPACE}t", "he", f"{SPACE}the", "", "<<ST_0>>"]],
]
START, END = 1, 2


def sound(length: int, first: int, second: int) -> np.ndarray:
    return np.array([0.3 * math.sin(at / first) * math.cos(at / second) for at in range(length)], dtype=np.float32)


def listed_tokens() -> bytes:
    """The length of each token, in two bytes from 128 on, then the token."""
    parts = []
    for token in TOKENS:
        length = len(token)
        parts.append(bytes([length]) if length < 128 else bytes([128 + length % 128, length // 128]))
        parts.append(token)
    return b"".join(parts)


@torch.no_grad()
def goldens(model: MoonshineForConditionalGeneration) -> list[dict]:
    """Logits after every token of the greedy output, greedy outputs, and the n-best lists of beam search."""
    rows = []
    for numbers in SOUNDS:
        values = torch.from_numpy(sound(*numbers))[None]
        mask = torch.ones(values.shape, dtype=torch.long)
        options = {"input_values": values, "attention_mask": mask, "max_new_tokens": NEW_TOKENS, "do_sample": False}
        greedy = model.generate(**options)[0]
        beams = model.generate(
            **options, num_beams=4, num_return_sequences=4, output_scores=True, return_dict_in_generate=True,
            length_penalty=1.0, early_stopping=False,
        )
        fed = greedy[:-1][None]
        logits = model(input_values=values, attention_mask=mask, decoder_input_ids=fed).logits[0]
        rows.append({
            "sound": numbers,
            "fed": fed[0].tolist(),
            "logits": [[round(value, 5) for value in row] for row in logits.tolist()],
            "greedy": trimmed(greedy.tolist()),
            "beam": [trimmed(row.tolist()) for row in beams.sequences],
            "scores": [round(score, 6) for score in beams.sequences_scores.tolist()],
        })
    return rows


def trimmed(tokens: list[int]) -> list[int]:
    output = tokens[1:]
    return output[: output.index(END)] if END in output else output


def convert(source: Path, target: Path) -> None:
    """Writes a graph in ONNX Runtime's own format, fused as for any processor."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(target)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    torch.manual_seed(0)
    plain, own = args.out / "speech", args.out / "speech-ort"
    for folder in (plain, own):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "tokenizer.bin").write_bytes(listed_tokens())
    config = MoonshineConfig(
        vocab_size=len(TOKENS), hidden_size=16, intermediate_size=20, encoder_num_hidden_layers=1, decoder_num_hidden_layers=1,
        encoder_num_attention_heads=2, decoder_num_attention_heads=2, max_position_embeddings=64, bos_token_id=START,
        decoder_start_token_id=START, eos_token_id=END, pad_token_id=END,
    )
    model = MoonshineForConditionalGeneration(config).eval()
    randomise(model, 7)
    (plain / "expected.json").write_text(json.dumps(goldens(model), separators=(",", ":")) + "\n")
    with tempfile.TemporaryDirectory() as scratch:
        # Exporting changes the model.
        onnx_export_from_model(model, output=scratch, task="automatic-speech-recognition-with-past", do_validation=False)
        for name in ("config.json", "generation_config.json"):
            shutil.copy(Path(scratch, name), plain / name)
        (plain / "preprocessor_config.json").write_text(json.dumps({"do_normalize": False, "sampling_rate": RATE}) + "\n")
        for graph in ("encoder_model", "decoder_model", "decoder_with_past_model"):
            loaded = onnx.load(Path(scratch, f"{graph}.onnx"))
            shorten(loaded)
            onnx.save(loaded, plain / f"{graph}.onnx")
        for graph in ("encoder_model", "decoder_model_merged"):
            quantised = Path(scratch, "quantised.onnx")
            quantize_dynamic(
                Path(scratch, f"{graph}.onnx"), quantised, op_types_to_quantize=["MatMul"], extra_options={"EnableSubgraph": True}
            )
            loaded = onnx.load(quantised)
            shorten(loaded)
            onnx.save(loaded, quantised)
            convert(quantised, own / f"{graph}.ort")


if __name__ == "__main__":
    main()
