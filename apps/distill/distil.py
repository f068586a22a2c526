"""Sequence-level knowledge distillation: decodes the training set with the teacher (Kim & Rush, 2016, section 3.2).

    python distil.py --data DATA --model runs/teacher/model --beam-size 5 --out runs/teacher/train.beam5.json
"""
from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from tokenizers import Tokenizer

from distill.checkpoint import load_marian_folder
from distill.data import encode, read_lines
from distill.reference_decoder import bleu, load_translator, translate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--beam-size", type=int, default=5)
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    translator = load_translator(load_marian_folder(options.model), tokenizer)
    began = time.time()
    source = encode(tokenizer, read_lines(options.data / f"{options.split}.en"), 120)
    output = translate(translator, tokenizer, source, options.beam_size)
    partial = options.out.with_suffix(".partial")
    partial.write_text(json.dumps(output))
    partial.replace(options.out)
    score = bleu(tokenizer, output, read_lines(options.data / f"{options.split}.de"))
    print(json.dumps({"split": options.split, "beamSize": options.beam_size, "bleu": round(score, 2),
                      "seconds": round(time.time() - began, 1)}))


if __name__ == "__main__":
    main()
