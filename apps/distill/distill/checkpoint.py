"""Checkpoints that survive an interruption, and folders in the layout of Hugging Face `MarianMTModel`."""
from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from .data import END
from .model import CtcStudent, Marian, MarianShape


def save_state(path: Path, **state: object) -> None:
    """Writes beside `path`, then renames: a reader sees the old checkpoint or the new one, never half of one."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


class Averaged:
    """Exponential moving average of the parameters, used for every score and every export."""

    def __init__(self, model: nn.Module, rate: float) -> None:
        self.rate = rate
        self.parameters = [p for p in model.parameters()]
        self.values = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        torch._foreach_lerp_(self.values, [p.detach() for p in self.parameters], max(self.rate, 1.0 / (step + 1)))

    @torch.no_grad()
    def swap(self) -> None:
        for parameter, value in zip(self.parameters, self.values):
            kept = parameter.detach().clone()
            parameter.copy_(value)
            value.copy_(kept)


def attention_tensors(prefix: str, state: dict[str, Tensor], cross: bool) -> dict[str, Tensor]:
    out: dict[str, Tensor] = {}
    for kind in ("weight", "bias"):
        if cross:
            query = state[f"query.{kind}"]
            key, value = state[f"key_value.{kind}"].chunk(2)
        else:
            query, key, value = state[f"query_key_value.{kind}"].chunk(3)
        for name, tensor in (("q_proj", query), ("k_proj", key), ("v_proj", value), ("out_proj", state[f"out.{kind}"])):
            out[f"{prefix}.{name}.{kind}"] = tensor.clone()
    return out


def layer_tensors(prefix: str, layer: nn.Module) -> dict[str, Tensor]:
    out: dict[str, Tensor] = {}
    for name in ("self_attn", "encoder_attn"):
        if hasattr(layer, name):
            out |= attention_tensors(f"{prefix}.{name}", getattr(layer, name).state_dict(), name == "encoder_attn")
    for name in ("self_attn_layer_norm", "encoder_attn_layer_norm", "fc1", "fc2", "final_layer_norm"):
        if hasattr(layer, name):
            out |= {f"{prefix}.{name}.{k}": v.clone() for k, v in getattr(layer, name).state_dict().items()}
    return out


def to_hugging_face(model: Marian) -> dict[str, Tensor]:
    tensors = {"model.shared.weight": model.shared.weight.detach().clone(),
               "final_logits_bias": model.final_logits_bias.detach()[None].clone()}
    for side in ("encoder", "decoder"):
        for index, layer in enumerate(getattr(model, side)):
            tensors |= layer_tensors(f"model.{side}.layers.{index}", layer)
    return tensors


def hugging_face_config(shape: MarianShape) -> dict[str, object]:
    start = shape.vocabulary_size - 1
    return {
        "architectures": ["MarianMTModel"], "model_type": "marian", "is_encoder_decoder": True,
        "activation_function": "swish", "d_model": shape.width, "num_hidden_layers": shape.encoder_layers,
        "encoder_layers": shape.encoder_layers, "decoder_layers": shape.decoder_layers,
        "encoder_attention_heads": shape.heads, "decoder_attention_heads": shape.heads,
        "encoder_ffn_dim": shape.feed_forward, "decoder_ffn_dim": shape.feed_forward,
        "max_position_embeddings": shape.max_positions, "vocab_size": shape.vocabulary_size,
        "decoder_vocab_size": shape.vocabulary_size, "share_encoder_decoder_embeddings": True,
        "scale_embedding": True, "static_position_embeddings": True, "use_cache": True,
        "dropout": 0.0, "attention_dropout": 0.0, "activation_dropout": 0.0,
        "eos_token_id": END, "pad_token_id": start, "decoder_start_token_id": start, "forced_eos_token_id": None,
    }


@torch.no_grad()
def set_to_mean(model: nn.Module, others: Sequence[nn.Module]) -> None:
    """Gives `model` the mean of the others' weights (Wortsman et al., 2022, "Model soups"); all have one shape."""
    for mine, *theirs in zip(model.parameters(), *(other.parameters() for other in others), strict=True):
        mine.copy_(torch.stack([value.data for value in theirs]).mean(dim=0))


def save_marian_folder(folder: Path, model: Marian, tokenizer: Tokenizer) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = to_hugging_face(model)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(hugging_face_config(model.shape), indent=2) + "\n")
    tokenizer.save(str(folder / "tokenizer.json"))


def load_marian_folder(folder: Path) -> Marian:
    config = json.loads((folder / "config.json").read_text())
    shape = MarianShape(config["vocab_size"], config["d_model"], config["encoder_attention_heads"],
                        config["encoder_ffn_dim"], config["encoder_layers"], config["decoder_layers"],
                        config["max_position_embeddings"])
    model = Marian(shape)
    tensors = {k: v.float() for k, v in load_file(folder / "model.safetensors").items()}
    with torch.no_grad():
        model.shared.weight.copy_(tensors["model.shared.weight"])
        model.final_logits_bias.copy_(tensors["final_logits_bias"][0])
        for side in ("encoder", "decoder"):
            for index, layer in enumerate(getattr(model, side)):
                load_layer(f"model.{side}.layers.{index}", layer, tensors)
    return model


def load_layer(prefix: str, layer: nn.Module, tensors: dict[str, Tensor]) -> None:
    for name in ("self_attn", "encoder_attn"):
        if not hasattr(layer, name):
            continue
        attention = getattr(layer, name)
        for kind in ("weight", "bias"):
            q, k, v, out = (tensors[f"{prefix}.{name}.{p}.{kind}"] for p in ("q_proj", "k_proj", "v_proj", "out_proj"))
            getattr(attention.out, kind).copy_(out)
            if name == "encoder_attn":
                getattr(attention.query, kind).copy_(q)
                getattr(attention.key_value, kind).copy_(torch.cat([k, v]))
            else:
                getattr(attention.query_key_value, kind).copy_(torch.cat([q, k, v]))
    for name in ("self_attn_layer_norm", "encoder_attn_layer_norm", "fc1", "fc2", "final_layer_norm"):
        if hasattr(layer, name):
            for kind in ("weight", "bias"):
                getattr(getattr(layer, name), kind).copy_(tensors[f"{prefix}.{name}.{kind}"])


def save_ctc_folder(folder: Path, student: CtcStudent, tokenizer: Tokenizer, draft_layers: int | None = None) -> None:
    """A `foretoken-ctc` weights folder: the student's own tensors; it reads the states of a Marian encoder.

    `draft_layers` is how many frame layers a draft runs, where the head was trained to read that layer too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {
        "upsample.weight": student.up.weight, "upsample.bias": student.up.bias,
        "head.weight": student.head, "head.bias": student.head_bias,
    }
    for side in ("source_layers", "frame_layers"):
        for index, layer in enumerate(getattr(student, side)):
            tensors |= layer_tensors(f"{side}.{index}", layer)
    tensors = {k: v.detach().clone().contiguous() for k, v in tensors.items()}
    tensors["head.token_ids"] = student.token_ids.int()
    save_file(tensors, folder / "model.safetensors")
    config = {
        "model_type": "foretoken-ctc", "d_model": student.shape.width,
        "source_layers": len(student.source_layers), "frame_layers": len(student.frame_layers),
        "draft_frame_layers": len(student.frame_layers) if draft_layers is None else draft_layers,
        "attention_heads": student.shape.heads, "ffn_dim": student.feed_forward, "upsample": student.upsample,
        "activation_function": "swish", "max_position_embeddings": student.upsample * student.shape.max_positions,
        "vocab_size": student.shape.vocabulary_size, "eos_token_id": END,
    }
    if student.encoder_layers is not None:
        config["encoder_layers"] = student.encoder_layers
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    tokenizer.save(str(folder / "tokenizer.json"))


def load_ctc_folder(folder: Path, shape: MarianShape, cut: bool = False) -> CtcStudent:
    """The student of a folder written by `save_ctc_folder`; `shape` is its encoder's. Only with `cut` may it read fewer layers
    of that than all."""
    config = json.loads((folder / "config.json").read_text())
    if "encoder_layers" in config and not cut:
        raise SystemExit(f"{folder} reads {config['encoder_layers']} layers of the encoder; one that reads all is required")
    tensors = {k: v.float() if v.is_floating_point() else v.long()
               for k, v in load_file(folder / "model.safetensors").items()}
    student = CtcStudent(shape, tensors["head.token_ids"], config["upsample"], config["source_layers"],
                         config["frame_layers"], config["ffn_dim"], config.get("encoder_layers"))
    fill_ctc(student, tensors)
    return student


@torch.no_grad()
def fill_ctc(student: CtcStudent, tensors: dict[str, Tensor]) -> None:
    """Copies the tensors of a student's folder into it."""
    student.up.weight.copy_(tensors["upsample.weight"])
    student.up.bias.copy_(tensors["upsample.bias"])
    student.head.copy_(tensors["head.weight"])
    student.head_bias.copy_(tensors["head.bias"])
    for side in ("source_layers", "frame_layers"):
        for index, layer in enumerate(getattr(student, side)):
            load_layer(f"{side}.{index}", layer, tensors)
