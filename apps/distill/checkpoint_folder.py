"""Writes the averaged weights of a corrector's last checkpoint as a weights folder, while it trains or after.

    python checkpoint_folder.py --run runs/corrector --out runs/corrector-now

Validation writes such a folder too, but seldom; this one is as new as `state.pt`.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import torch
from tokenizers import Tokenizer

from distill.checkpoint import load_marian_folder, save_marian_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of train_corrector.py, validated at least once")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    model = load_marian_folder(options.run / "model")
    state = torch.load(options.run / "state.pt", weights_only=True)
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), state["averaged"], strict=True):
            parameter.copy_(value)
    save_marian_folder(options.out, model, Tokenizer.from_file(str(options.run / "tokenizer.json")))
    print(f"step {state['step']}")


if __name__ == "__main__":
    main()
