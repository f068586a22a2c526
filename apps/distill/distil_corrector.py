"""Noisy lines and what a corrector makes of them, for its students. Resumable: run it again.

    python distil_corrector.py --model runs/corrector/model --text english/train.txt --val english/val.txt \
        --language en --refuse naughty-words/en.json --pairs 200000 --out runs/pairs

Writes `sources.json` (token ids with the end token) and `targets.json` (without), as the students' recipes take them, and
`val.noisy` and `val.good`. The target is what the corrector says (Kim & Rush, 2016); of a good line it is the line, and so it is
where the corrector's output is `--far` words or more away from it, since a student should not learn slips.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer

from distill.checkpoint import load_marian_folder
from distill.correction.lines import good_lines, read_refused
from distill.correction.noise import Noise
from distill.correction.options import pairs_arguments, text_arguments
from distill.correction.scores import edits, tokens_of
from distill.correction.shards import groups_of
from distill.correction.tables import Words, load_tables
from distill.correction.validation import made_pairs
from distill.data import END
from distill.reference_decoder import load_translator, translate

PART = 5_000


def write(path: Path, content: object) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content) if path.suffix == ".json" else "".join(f"{line}\n" for line in content), encoding="utf-8")
    partial.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    text_arguments(parser)
    parser.add_argument("--val", type=Path, required=True)
    pairs_arguments(parser)
    parser.add_argument("--longest", type=int, default=120, help="tokens")
    parser.add_argument("--far", type=int, default=4, help="edits")
    parser.add_argument("--validation-lines", type=int, default=300)
    parser.add_argument("--seed", type=int, default=501)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    refused = read_refused(options.refuse)
    lines = good_lines(options.text, refused)
    noise = Noise(load_tables(options.language), Words(lines), set(refused))
    val = made_pairs(good_lines(options.val, refused)[: options.validation_lines], noise, "typed", None, 4321)
    write(options.out / "val.noisy", [source for source, _ in val])
    write(options.out / "val.good", [line for _, line in val])
    tokenizer = Tokenizer.from_file(str(options.model / "tokenizer.json"))
    translator = load_translator(load_marian_folder(options.model).eval(), tokenizer, 1)
    paths = [options.out / f"part-{number:03}.json" for number in range(-(-options.pairs // PART))]
    for number, path in enumerate(paths):
        if path.exists():
            continue
        order = Random(f"{options.seed} {number}")
        groups = groups_of(order.sample(lines, min(len(lines), 2 * PART)), order, 240)[: min(PART, options.pairs)]
        pairs = [noise.pair(group, order) for group in groups]
        sources, wanted = ([e.ids for e in tokenizer.encode_batch([pair[side] for pair in pairs])] for side in (0, 1))
        kept = [i for i in range(len(pairs)) if max(len(sources[i]), len(wanted[i])) <= options.longest]
        said = translate(translator, tokenizer, [sources[i] for i in kept], 1, 2 * options.longest)
        targets = []
        for i, row in zip(kept, said, strict=True):
            source, line = pairs[i]
            output = tokenizer.decode(row)
            close = source != line and len(edits(tokens_of(line), tokens_of(output))) < options.far
            targets.append(row if close else [t for t in wanted[i] if t != END])
        write(path, [[sources[i] for i in kept], targets])
        print(f"{number + 1} of {len(paths)} parts", flush=True)
    parts = [json.loads(path.read_text()) for path in paths]
    for side, name in enumerate(("sources", "targets")):
        write(options.out / f"{name}.json", [row for part in parts for row in part[side]])


if __name__ == "__main__":
    main()
