"""Averages CTC students of one encoder that were continued from one another.

    python average_ctc.py --data DATA --teacher runs/final/model --student runs/a --student runs/b --out runs/averaged

Prints the validation BLEU of every student and of their mean; the test set plays no part.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

from distill.checkpoint import load_ctc_folder, load_marian_folder, save_ctc_folder, set_to_mean
from distill.data import encode, read_lines
from distill.reference_decoder import bleu
from distill.student_run import encoder_states
from train_ctc import best_path


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--student", type=Path, action="append", required=True, help="run folder; twice or more")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.teacher / "tokenizer.json"))
    teacher = load_marian_folder(options.teacher).eval()
    states = encoder_states(teacher, encode(tokenizer, read_lines(options.data / "val.en"), 120))
    references = read_lines(options.data / "val.de")
    students = [load_ctc_folder(run / "model", teacher.shape) for run in options.student]
    mean = load_ctc_folder(options.student[0] / "model", teacher.shape)
    set_to_mean(mean, students)
    named = [*zip((str(run) for run in options.student), students), ("mean", mean)]
    scores = {name: round(bleu(tokenizer, best_path(s, states), references), 2) for name, s in named}
    config = json.loads((options.student[-1] / "model" / "config.json").read_text())
    save_ctc_folder(options.out / "model", mean, tokenizer, config["draft_frame_layers"])
    (options.out / "log.jsonl").write_text(json.dumps({"valBleu": scores}) + "\n")
    print(json.dumps(scores, indent=2))


if __name__ == "__main__":
    main()
