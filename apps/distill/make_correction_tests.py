"""The test lines of the correction bench: lines of the test part, each with errors of several kinds, and with things to copy.

    python make_correction_tests.py --text english/train.txt --test english/test.txt --refuse naughty-words/en.json \
        --out ../bench/data/correction.json

The same files give the same output. `--text` only says which words are common. Real misspellings are not among them: the bench takes
those from a public list when it runs.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

from distill.correction.lines import good_lines, read_refused
from distill.correction.noise import Noise
from distill.correction.tables import Words, load_tables
from distill.correction.units import text_of, units_of
from distill.correction.validation import Validation


def placed(lines: list[str], noise: Noise, seed: int) -> list[list[str]]:
    """Sources with things to copy, half of them with errors elsewhere: `[source, kind, item]`, as `score_corrector.py` makes them."""
    order = Random(seed)
    found: list[list[str]] = []
    for i, line in enumerate(lines):
        units = units_of(line, noise.words.alphabet)
        items = noise.copies.put_into(units, order)
        source = noise.noisy(units, "typed", order) if i % 2 else text_of(units)
        found += [[source, kind, item] for kind, item in items]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--refuse", type=Path)
    parser.add_argument("--lines", type=int, default=400)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    refused = read_refused(options.refuse)
    noise = Noise(load_tables("en"), Words(good_lines(options.text, refused)), set(refused))
    lines = good_lines(options.test, refused)
    # The file is in the order of its origins, so an even share of it is taken.
    step = max(1.0, len(lines) / options.lines)
    lines = [lines[int(i * step)] for i in range(min(options.lines, len(lines)))]
    tests = Validation(lines, noise)
    content = {
        "good": lines,
        "typed": [source for source, _ in tests.typed],
        "bare": [source for source, _ in tests.bare],
        "joined": [list(pair) for pair in tests.joined],
        "copied": placed(lines, noise, 99),
    }
    rows = [f'"{name}": [\n' + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]" for name, entries in content.items()]
    options.out.write_text("{" + ",\n".join(rows) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
