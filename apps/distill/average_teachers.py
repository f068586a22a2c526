"""Averages teachers that were continued from one another; their common encoder stays what it is.

    python average_teachers.py --data DATA --teacher runs/final --teacher runs/mutual-2 --out runs/teacher-soup

Prints the validation BLEU of every teacher and of their mean, greedy; the test set plays no part.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer

from distill.checkpoint import load_marian_folder, save_marian_folder, set_to_mean
from distill.data import encode, read_lines
from distill.reference_decoder import bleu, load_translator, translate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, action="append", required=True, help="run folder; twice or more")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.teacher[0] / "model" / "tokenizer.json"))
    source = encode(tokenizer, read_lines(options.data / "val.en"), 120)
    references = read_lines(options.data / "val.de")
    teachers = [load_marian_folder(run / "model") for run in options.teacher]
    mean = load_marian_folder(options.teacher[0] / "model")
    set_to_mean(mean, teachers)
    named = [*zip((str(run) for run in options.teacher), teachers), ("mean", mean)]
    scores = {name: round(bleu(tokenizer, translate(load_translator(m, tokenizer), tokenizer, source, 1), references), 2)
              for name, m in named}
    save_marian_folder(options.out / "model", mean, tokenizer)
    (options.out / "log.jsonl").write_text(json.dumps({"valGreedyBleu": scores}) + "\n")
    print(json.dumps(scores, indent=2))


if __name__ == "__main__":
    main()
