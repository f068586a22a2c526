"""Turns a model folder of Foretoken back into the run folders the recipes continue from: the way `import` came.

    python restore_model.py --model ../../packages/model-multi30k-en-de/model --out runs/restored

Writes `teacher/model` and, for each student the folder has, `ctc/model`, `canvas/model`, `dag/model`, `edit/model`: weights
folders, which `--start-from` and `--teacher` of the recipes take. Weights come back as they were stored, rounded to fp16
where the folder was written so. A CTC student of the fast graph alone is stored with 8 bits, and does not come back.
"""
from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer
from torch import Tensor

from distill.checkpoint import fill_ctc, load_layer, save_ctc_folder, save_marian_folder
from distill.model import CtcStudent, Marian, MarianShape
from distill.student_folders import fill_canvas, fill_dag, save_canvas_folder, save_dag_folder, save_edit_folder
from distill.students import CanvasStudent, DagStudent, EditStudent


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
    positions = next(value.shape[0] for name, value in tensors.items() if name.startswith("position_table"))
    teacher = Marian(MarianShape(vocabulary_size, width, options.heads, feed_forward, layers["encoder"],
                                 layers["decoder"], positions))
    with torch.no_grad():
        teacher.shared.weight.copy_(tensors["model.shared.weight"])
        teacher.final_logits_bias.copy_(tensors["final_logits_bias"])
        for side in ("encoder", "decoder"):
            for index, layer in enumerate(getattr(teacher, side)):
                load_layer(f"model.{side}.layers.{index}", layer, tensors)
    save_marian_folder(options.out / "teacher" / "model", teacher, tokenizer)
    manifest = json.loads((options.model / "foretoken.json").read_text())
    restored = {
        "ctc": lambda out: save_ctc_folder(out, restored_ctc(options.model, teacher.shape), tokenizer,
                                           drafting_layers(options.model)),
        "canvas": lambda out: save_canvas_folder(
            out, restored_canvas(options.model, teacher, "canvas", manifest, "maskTokenId"), tokenizer),
        "dag": lambda out: save_dag_folder(out, restored_dag(options.model, teacher.shape), tokenizer,
                                           manifest["dag"]["startTokenId"]),
        "edit": lambda out: save_edit_folder(
            out, restored_canvas(options.model, teacher, "edit", manifest, "placeholderTokenId"), tokenizer,
            manifest["edit"]["startTokenId"]),
    }
    for student, save in restored.items():
        if student in manifest["graphs"]:
            save(options.out / student / "model")


def student_tensors(folder: Path, student: str, graphs: Sequence[str]) -> dict[str, Tensor]:
    """The student's tensors under the names of its weights folder, its head's token ids among them."""
    found = stored(folder, *graphs)
    graph = unfused(found)
    # The CTC head is kept by row, as it is trained.
    graph |= {name.replace(".rows", ".weight"): value for name, value in found.items() if name.endswith("head.rows")}
    tensors = {name.removeprefix(f"{student}."): value for name, value in graph.items() if name.startswith(f"{student}.")}
    count = tensors["head.bias"].shape[0]
    tensors["head.token_ids"] = next(v for k, v in graph.items() if k.startswith(f"int32_{count}_")).long()
    return tensors


def drafting_layers(folder: Path) -> int | None:
    """How many frame layers the folder's drafting graph runs."""
    if not (folder / "ctc-draft.onnx").exists():
        return None
    names = (name.removeprefix("ctc.") for name in stored(folder, "ctc-draft.onnx"))
    return layers_of(dict.fromkeys(names), "frame_layers")


def layers_of(tensors: Mapping[str, object], side: str) -> int:
    return len({name.split(".")[1] for name in tensors if name.startswith(f"{side}.")})


def restored_ctc(folder: Path, shape: MarianShape) -> CtcStudent:
    tensors = student_tensors(folder, "ctc", ["ctc.onnx"])
    # The blank is the head's last row.
    student = CtcStudent(shape, tensors["head.token_ids"][:-1], tensors["upsample.bias"].shape[0] // shape.width,
                         layers_of(tensors, "source_layers"), layers_of(tensors, "frame_layers"),
                         tensors["frame_layers.0.fc1.bias"].shape[0])
    fill_ctc(student, tensors)
    return student


def restored_dag(folder: Path, shape: MarianShape) -> DagStudent:
    tensors = student_tensors(folder, "dag", ["dag.onnx"])
    student = DagStudent(shape, tensors["head.token_ids"], tensors["upsample.bias"].shape[0] // shape.width,
                         layers_of(tensors, "source_layers"), layers_of(tensors, "frame_layers"),
                         tensors["frame_layers.0.fc1.bias"].shape[0], tensors["links.gate.bias"].shape[0])
    fill_dag(student, tensors)
    return student


def restored_canvas(folder: Path, teacher: Marian, student: str, manifest: Mapping[str, dict], mask: str) -> CanvasStudent:
    """A canvas student or, under the name `edit`, an edit student; `mask` is what the manifest calls its mask token."""
    heads = ["edit-deletions.onnx", "edit-placeholders.onnx"] if student == "edit" else []
    tensors = student_tensors(folder, student, [f"{student}-open.onnx", f"{student}-fill-top-k.onnx", *heads])
    layers, feed_forward = layers_of(tensors, "layers"), tensors["layers.0.fc1.bias"].shape[0]
    parts = [tensors[f"cross.{kind}"].chunk(2 * layers) for kind in ("weight", "bias")]
    for kind, chunks in zip(("weight", "bias"), parts):
        for index, chunk in enumerate(chunks):
            tensors[f"layers.{index // 2}.encoder_attn.{'kv'[index % 2]}_proj.{kind}"] = chunk
    known = teacher.shape, tensors["head.token_ids"], manifest[student][mask], layers, feed_forward
    reads_hints = "openHints" in manifest["graphs"][student]
    if student == "edit":
        model = EditStudent(*known, tensors["placeholder.bias"].shape[0] - 1, reads_hints)
    else:
        model = CanvasStudent(*known, reads_hints=reads_hints)
    model.embedding.copy_(teacher.shared.weight.detach())
    fill_canvas(model, tensors)
    return model


if __name__ == "__main__":
    main()
