"""Exports trained checkpoints as the fp16 weights folders that `foretoken import` reads.

    python export_model.py --teacher runs/final/model --ctc runs/ctc/model --canvas runs/canvas/model --out runs/export
"""
from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


PARTS = ("teacher", "ctc", "ctc-fast", "canvas", "dag", "edit")


def half_of(tensor: torch.Tensor) -> torch.Tensor:
    half = tensor.half()
    # Too large for fp16, such as the bias of a token that is never to be said.
    return half if torch.isfinite(half).all() else tensor


def halve(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    tensors = load_file(source / "model.safetensors")
    # Vectors stay as they are: biases that an import folded together are kept in fp32, and come back so.
    halved = {name: half_of(t) if t.dtype == torch.float32 and t.dim() > 1 else t for name, t in tensors.items()}
    save_file(halved, target / "model.safetensors")
    config = json.loads((source / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | {"dtype": "float16"}, indent=2) + "\n")
    shutil.copy(source / "tokenizer.json", target / "tokenizer.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for part in PARTS:
        parser.add_argument(f"--{part}", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    for part in PARTS:
        if (source := getattr(options, part.replace("-", "_"))) is not None:
            halve(source, options.out / part)


if __name__ == "__main__":
    main()
