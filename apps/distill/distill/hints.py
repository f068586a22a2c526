"""Hints of the CTC student, as students on canvases read them."""
from __future__ import annotations

import json
import math
import random
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from .model import Marian


def best_path(token_ids: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens and first frames of the path through the best label `[frames]` of each frame; the blank is -1."""
    begins = token_ids != -1
    begins[1:] &= token_ids[1:] != token_ids[:-1]
    frames = begins.nonzero()[:, 0]
    return token_ids[frames], frames


@torch.no_grad()
def read_hints(folder: Path, teacher: Marian, best_path_share: float = 0.0, seed: int = 1) -> list[Tensor]:
    """The hints in a folder of make_hints.py, `[tokens, 2 * width]` each: the CTC student's state of each token, and the
    token's embedding. `best_path_share` of them, drawn at random, are best paths; the others were searched."""
    file = load_file(folder / "lattices.safetensors")
    paths = json.loads((folder / "paths.json").read_text())
    order = random.Random(seed)
    scale = math.sqrt(teacher.shape.width)
    ends = file["counts"].long().cumsum(0).tolist()
    hints = []
    for begin, end, path in zip([0, *ends[:-1]], ends, paths, strict=True):
        states = file["frames"][begin:end]
        if order.random() < best_path_share:
            tokens, frames = best_path(file["token_ids"][begin:end, 0].long())
        else:
            tokens, frames = (torch.tensor(part, dtype=torch.long) for part in path)
        hints.append(torch.cat([states[frames].float(), teacher.shared.weight[tokens] * scale], dim=1))
    return hints
