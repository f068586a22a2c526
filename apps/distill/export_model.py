"""Exports trained checkpoints as the fp16 weights folders that `foretoken import` reads.

    python export_model.py --teacher runs/sharpened/model --ctc runs/ctc/model --out runs/export
"""
from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def halve(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    tensors = load_file(source / "model.safetensors")
    halved = {name: t.half() if t.dtype == torch.float32 else t for name, t in tensors.items()}
    save_file(halved, target / "model.safetensors")
    config = json.loads((source / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | {"dtype": "float16"}, indent=2) + "\n")
    shutil.copy(source / "tokenizer.json", target / "tokenizer.json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--ctc", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    halve(options.teacher, options.out / "teacher")
    halve(options.ctc, options.out / "ctc")


if __name__ == "__main__":
    main()
