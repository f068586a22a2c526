"""The figures of a corrector's folder on good lines that it was not trained on.

    python score_corrector.py --model runs/corrector/model --text english/train.txt --test english/test.txt \
        --language en --refuse naughty-words/en.json

Synthetic errors are made with fixed seeds from the test lines; `--text` only says which words are common. Real misspellings
come from the package `codespell`, which training never reads. English alone has those.
"""
from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from random import Random

from distill.correction.corrector import folder_corrector
from distill.correction.lines import good_lines, read_refused, refuser
from distill.correction.misspellings import codespell_misspellings, misspelt_lines
from distill.correction.noise import Noise
from distill.correction.options import text_arguments
from distill.correction.scores import Triple, edit_scores, restored
from distill.correction.tables import Words, load_tables
from distill.correction.units import text_of, units_of
from distill.correction.validation import Correct, Validation


def copied(lines: list[str], noise: Noise, correct: Correct, seed: int = 99) -> dict[str, float]:
    """Share of things put into sentences, half of them with errors elsewhere, that come out as they were; by kind and in all."""
    order = Random(seed)
    placed: list[tuple[str, str, str]] = []
    for i, line in enumerate(lines):
        units = units_of(line, noise.words.alphabet)
        items = noise.copies.put_into(units, order)
        source = noise.noisy(units, "typed", order) if i % 2 else text_of(units)
        placed += [(source, kind, item) for kind, item in items]
    sources = list(dict.fromkeys(source for source, *_ in placed))
    outputs = dict(zip(sources, correct(sources)))
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for source, kind, item in placed:
        for key in (kind, "all"):
            total[key] += 1
            right[key] += outputs[source].count(item) >= source.count(item)
    return {kind: round(right[kind] / total[kind], 4) for kind in sorted(total)}


def rounded(scores: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in scores.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    text_arguments(parser)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--beam-size", type=int, default=1)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of the test, the first so many")
    parser.add_argument("--show", type=int, default=0, help="also print so many corrections")
    options = parser.parse_args()
    refused = read_refused(options.refuse)
    words = Words(good_lines(options.text, refused))
    noise = Noise(load_tables(options.language), words, set(refused))
    lines = good_lines(options.test, refused)[: options.lines]
    decode = folder_corrector(options.model, options.beam_size)
    found = refuser(refused)
    brought_in = 0

    def correct(texts: list[str]) -> list[str]:
        nonlocal brought_in
        outputs = decode(texts)
        brought_in += sum(len(found.findall(output)) > len(found.findall(text)) for text, output in zip(texts, outputs))
        return outputs

    figures: dict[str, object] = {"lines": len(lines), **Validation(lines, noise).figures(correct)}
    if options.language == "en":
        pairs = misspelt_lines(lines, codespell_misspellings(), words.alphabet, 7)
        triples = [Triple(*pair, output) for pair, output in zip(pairs, correct([source for source, _ in pairs]))]
        figures["misspellings"] = {"restored": round(restored(triples), 4), **rounded(edit_scores(triples))}
        for source, target, output in triples[: options.show]:
            print(f"  {source}\n  {'=' if output == target else output}\n")
    figures["copied"] = copied(lines, noise, correct)
    figures["refusedBroughtIn"] = brought_in
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
