"""Turns a model folder of Foretoken back into the run folders the recipes continue from: the way `import` came.

    python restore_model.py --model ../../packages/model-multi30k-en-de/model --out runs/restored

Writes `teacher/model` and, where the folder has a CTC student, `ctc/model`: weights folders, which `--start-from` and
`--teacher` of the recipes take. Weights come back as they were stored, rounded to fp16 where the folder was written so.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor

from distill.checkpoint import fill_ctc, load_layer, save_ctc_folder, save_marian_folder
from distill.model import CtcStudent, Marian, MarianShape


def stored(folder: Path, *graphs: str) -> dict[str, Tensor]:
    """Every initializer of the graphs by name, fp32 where it is a fraction."""
    tensors: dict[str, Tensor] = {}
    for graph in graphs:
        for initializer in onnx.load(folder / graph).graph.initializer:
            value = torch.from_numpy(numpy_helper.to_array(initializer).copy())
            tensors[initializer.name.removesuffix(".fp16")] = value.float() if value.is_floating_point() else value
    return tensors


def unfused(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Splits fused projections and turns matrices back from `[in, out]` to `[out, in]`."""
    out: dict[str, Tensor] = {}
    for name, value in tensors.items():
        if ".qkv." in name:
            prefix, kind = name.split(".qkv.")
            for part, piece in zip(("q_proj", "k_proj", "v_proj"), value.chunk(3, dim=-1), strict=True):
                out[f"{prefix}.{part}.{kind}"] = piece.t() if kind == "weight" else piece
        elif value.dim() == 2 and "shared" not in name and "position_table" not in name:
            out[name] = value.t()
        else:
            out[name] = value
    return {name: value.contiguous() for name, value in out.items()}


def with_closing_biases(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """`import` folds the biases that close residual blocks into other weights, so what is left of them is zero."""
    closing = [name for name in tensors if name.endswith(("out_proj.weight", "fc2.weight"))]
    zeros = {name.replace(".weight", ".bias"): torch.zeros(tensors[name].shape[0]) for name in closing}
    return zeros | tensors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=4)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    tensors = with_closing_biases(unfused(stored(options.model, "encoder.onnx", "step-logits.onnx")))
    vocabulary_size, width = tensors["model.shared.weight"].shape
    layers = {side: len({name.split(".")[3] for name in tensors if name.startswith(f"model.{side}.layers.")})
              for side in ("encoder", "decoder")}
    feed_forward = tensors["model.decoder.layers.0.fc1.bias"].shape[0]
    cross = tensors["cross.weight"].chunk(2 * layers["decoder"]), tensors["cross.bias"].chunk(2 * layers["decoder"])
    for index in range(2 * layers["decoder"]):
        part = f"model.decoder.layers.{index // 2}.encoder_attn.{'kv'[index % 2]}_proj"
        tensors[f"{part}.weight"], tensors[f"{part}.bias"] = cross[0][index], cross[1][index]
    positions = tensors["position_table"].shape[0]
    teacher = Marian(MarianShape(vocabulary_size, width, options.heads, feed_forward, layers["encoder"],
                                 layers["decoder"], positions))
    with torch.no_grad():
        teacher.shared.weight.copy_(tensors["model.shared.weight"])
        teacher.final_logits_bias.copy_(tensors["final_logits_bias"])
        for side in ("encoder", "decoder"):
            for index, layer in enumerate(getattr(teacher, side)):
                load_layer(f"model.{side}.layers.{index}", layer, tensors)
    save_marian_folder(options.out / "teacher" / "model", teacher, tokenizer)
    if (options.model / "ctc.onnx").exists():
        save_ctc_folder(options.out / "ctc" / "model", restored_student(options.model, teacher.shape), tokenizer)


def restored_student(folder: Path, shape: MarianShape) -> CtcStudent:
    graph = unfused(stored(folder, "ctc.onnx"))
    tensors = {name.removeprefix("ctc."): value for name, value in graph.items()}
    count = tensors["head.bias"].shape[0]
    (token_ids,) = (v for k, v in tensors.items() if k.startswith(f"int32_{count}_"))
    layers = {side: len({name.split(".")[1] for name in tensors if name.startswith(f"{side}.")})
              for side in ("source_layers", "frame_layers")}
    student = CtcStudent(shape, token_ids[:-1].long(), tensors["upsample.bias"].shape[0] // shape.width,
                         layers["source_layers"], layers["frame_layers"],
                         tensors["source_layers.0.fc1.bias"].shape[0])
    fill_ctc(student, tensors)
    return student


if __name__ == "__main__":
    main()
