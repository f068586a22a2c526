"""Weights folders of the students that predict a canvas, edits, or a directed acyclic graph."""
from __future__ import annotations

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from .checkpoint import layer_tensors, load_layer
from .data import END
from .model import Marian, MarianShape
from .students import LENGTH_CLASSES, LENGTH_OFFSET, CanvasStudent, DagStudent, EditStudent


def save_student_folder(folder: Path, tokenizer: Tokenizer, config: dict[str, object], tensors: dict[str, Tensor]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer.save(str(folder / "tokenizer.json"))


def canvas_parts(student: CanvasStudent, model_type: str) -> tuple[dict[str, object], dict[str, Tensor]]:
    config: dict[str, object] = {
        "model_type": model_type, "d_model": student.shape.width, "layers": len(student.layers),
        "attention_heads": student.shape.heads, "ffn_dim": student.feed_forward, "activation_function": "swish",
        "max_position_embeddings": student.shape.max_positions, "vocab_size": student.shape.vocabulary_size,
        "eos_token_id": END, "mask_token_id": student.mask_token, "cross_attention": student.cross,
        "reads_hints": student.reads_hints,
        "length_classes": LENGTH_CLASSES if hasattr(student, "length_out") else 0, "length_offset": LENGTH_OFFSET,
    }
    tensors = {"embed.mask": student.mask, "head.weight": student.head, "head.bias": student.head_bias,
               "head.token_ids": student.token_ids.int()}
    if not student.cross:
        tensors["embed.weight"] = student.embedding
    for name in ("length_hidden", "length_out", "deletion", "placeholder"):
        if hasattr(student, name):
            tensors |= {f"{name.replace('_', '.')}.{k}": v for k, v in getattr(student, name).state_dict().items()}
    if student.reads_hints:
        tensors["hints.weight"] = student.hints.weight
    for index, layer in enumerate(student.layers):
        tensors |= layer_tensors(f"layers.{index}", layer)
    return config, tensors


def save_canvas_folder(folder: Path, student: CanvasStudent, tokenizer: Tokenizer) -> None:
    """A `foretoken-canvas` weights folder; with cross-attention it reads the states of a Marian encoder."""
    save_student_folder(folder, tokenizer, *canvas_parts(student, "foretoken-canvas"))


def read_student_folder(folder: Path) -> tuple[dict[str, object], dict[str, Tensor]]:
    config = json.loads((folder / "config.json").read_text())
    return config, {k: v.float() if v.is_floating_point() else v.long()
                    for k, v in load_file(folder / "model.safetensors").items()}


@torch.no_grad()
def fill_canvas(student: CanvasStudent, tensors: dict[str, Tensor]) -> None:
    """Copies what a folder holds into a canvas student; heads the folder lacks stay as they are."""
    student.mask.copy_(tensors["embed.mask"])
    student.head.copy_(tensors["head.weight"])
    student.head_bias.copy_(tensors["head.bias"])
    if not student.cross:
        student.embedding.copy_(tensors["embed.weight"])
    for name in ("length_hidden", "length_out", "deletion", "placeholder"):
        key = name.replace("_", ".")
        if hasattr(student, name) and f"{key}.weight" in tensors:
            weight, known = getattr(student, name).weight, tensors[f"{key}.weight"]
            if name == "length_hidden" and known.shape[1] < weight.shape[1]:
                # A student that begins to read hints goes on as it was: their length has no say yet.
                known = F.pad(known, (0, weight.shape[1] - known.shape[1]))
            weight.copy_(known)
            getattr(student, name).bias.copy_(tensors[f"{key}.bias"])
    if student.reads_hints and "hints.weight" in tensors:
        known = tensors["hints.weight"]
        student.hints.weight.copy_(F.pad(known, (0, student.hints.weight.shape[1] - known.shape[1])))
    for index, layer in enumerate(student.layers):
        load_layer(f"layers.{index}", layer, tensors)


def load_canvas_folder(folder: Path, teacher: Marian, reads_hints: bool) -> CanvasStudent:
    """The student of a `foretoken-canvas` folder with cross-attention; `teacher` has its encoder. It may begin to read hints."""
    config, tensors = read_student_folder(folder)
    check_hints(folder, config, reads_hints)
    student = CanvasStudent(teacher.shape, tensors["head.token_ids"], config["mask_token_id"], config["layers"],
                            config["ffn_dim"], reads_hints=reads_hints)
    student.embedding.copy_(teacher.shared.weight.detach())
    fill_canvas(student, tensors)
    return student


def check_hints(folder: Path, config: dict[str, object], reads_hints: bool) -> None:
    if config.get("reads_hints", False) and not reads_hints:
        raise SystemExit(f"{folder} reads hints: name their folders with --hints and --val-hints")


def save_dag_folder(folder: Path, student: DagStudent, tokenizer: Tokenizer, start_token: int) -> None:
    """A `foretoken-dag` weights folder; it reads the states of a Marian encoder."""
    trunk = student.trunk
    tensors: dict[str, Tensor] = {
        "upsample.weight": trunk.up.weight, "upsample.bias": trunk.up.bias,
        "head.weight": student.head, "head.bias": student.head_bias, "head.token_ids": student.token_ids.int(),
    }
    for side in ("source_layers", "frame_layers"):
        for index, layer in enumerate(getattr(trunk, side)):
            tensors |= layer_tensors(f"{side}.{index}", layer)
    for name in ("query", "key", "gate"):
        tensors |= {f"links.{name}.{k}": v for k, v in getattr(student, name).state_dict().items()}
    config: dict[str, object] = {
        "model_type": "foretoken-dag", "d_model": student.shape.width, "source_layers": len(trunk.source_layers),
        "frame_layers": len(trunk.frame_layers), "attention_heads": student.shape.heads, "ffn_dim": student.feed_forward,
        "upsample": student.upsample, "activation_function": "swish", "link_heads": student.link_heads,
        "max_position_embeddings": student.upsample * student.shape.max_positions,
        "vocab_size": student.shape.vocabulary_size, "eos_token_id": END, "start_token_id": start_token,
    }
    save_student_folder(folder, tokenizer, config, tensors)


@torch.no_grad()
def fill_dag(student: DagStudent, tensors: dict[str, Tensor]) -> None:
    """Copies the tensors of a student's folder into it."""
    student.head.copy_(tensors["head.weight"])
    student.head_bias.copy_(tensors["head.bias"])
    student.trunk.up.weight.copy_(tensors["upsample.weight"])
    student.trunk.up.bias.copy_(tensors["upsample.bias"])
    for side in ("source_layers", "frame_layers"):
        for index, layer in enumerate(getattr(student.trunk, side)):
            load_layer(f"{side}.{index}", layer, tensors)
    for name in ("query", "key", "gate"):
        getattr(student, name).weight.copy_(tensors[f"links.{name}.weight"])
        getattr(student, name).bias.copy_(tensors[f"links.{name}.bias"])


def load_dag_folder(folder: Path, shape: MarianShape) -> DagStudent:
    """The student of a `foretoken-dag` folder; `shape` is its encoder's."""
    config, tensors = read_student_folder(folder)
    student = DagStudent(shape, tensors["head.token_ids"], config["upsample"], config["source_layers"],
                         config["frame_layers"], config["ffn_dim"], config["link_heads"])
    fill_dag(student, tensors)
    return student


def save_edit_folder(folder: Path, student: EditStudent, tokenizer: Tokenizer, start_token: int) -> None:
    """A `foretoken-edit` weights folder; it reads the states of a Marian encoder."""
    config, tensors = canvas_parts(student, "foretoken-edit")
    config |= {"max_placeholders": student.max_placeholders, "start_token_id": start_token}
    save_student_folder(folder, tokenizer, config, tensors)


def load_edit_folder(folder: Path, teacher: Marian, max_placeholders: int, reads_hints: bool) -> EditStudent:
    """The student of a `foretoken-edit` folder, or one that starts from a `foretoken-canvas` folder; it may begin to read
    hints."""
    config, tensors = read_student_folder(folder)
    check_hints(folder, config, reads_hints)
    student = EditStudent(teacher.shape, tensors["head.token_ids"], config["mask_token_id"], config["layers"],
                          config["ffn_dim"], config.get("max_placeholders", max_placeholders), reads_hints)
    student.embedding.copy_(teacher.shared.weight.detach())
    fill_canvas(student, tensors)
    return student
