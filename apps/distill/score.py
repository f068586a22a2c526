"""Scores a teacher with sacreBLEU (13a, cased): greedy and beam 5, on any split.

    python score.py --data DATA --model runs/sharpened/model --split val --split test_2016_flickr
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer

from distill.checkpoint import load_marian_folder
from distill.data import encode, read_lines
from distill.reference_decoder import bleu, load_translator, translate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--split", action="append", required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    translator = load_translator(load_marian_folder(options.model), tokenizer, threads=1)
    for split in options.split:
        source = encode(tokenizer, read_lines(options.data / f"{split}.en"), 120)
        references = read_lines(options.data / f"{split}.de")
        scores = {f"beam{size}": round(bleu(tokenizer, translate(translator, tokenizer, source, size), references), 2)
                  for size in (1, 5)}
        print(json.dumps({"split": split} | scores))


if __name__ == "__main__":
    main()
