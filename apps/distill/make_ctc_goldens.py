"""Writes the goldens of CTC prefix beam search: n-best lists of pyctcdecode, and n-gram scores of KenLM.

    python make_ctc_goldens.py --out ../../packages/one-shot/test/goldens/ctc.json

Needs `pip install pyctcdecode kenlm` (pyctcdecode 0.5.0 wants numpy 1). Lattices are random and small, beams wide enough
that nothing is pruned, so both sides must find the same sums. pyctcdecode reads a space as the end of a word, merges texts
that differ in spaces, and scores a trailing space as an unknown word; word pieces, which begin with a space, avoid that.
"""
from __future__ import annotations

import argparse
import json
import logging
import tempfile
from pathlib import Path

import kenlm
import numpy as np
from pyctcdecode import build_ctcdecoder

BEAM_WIDTH = 100_000
# pyctcdecode clips probabilities at 1e-15, so this leaves out what was made impossible, and nothing else.
UNPRUNED = {"beam_width": BEAM_WIDTH, "beam_prune_logp": -1e9, "token_min_logp": -30}
LETTERS = ["", "a", "b", "c"]
# A word piece begins with the mark where it begins a word; pyctcdecode insists on the unknown piece.
PIECES = ["", "▁⁇▁", "▁a", "▁ab", "b", "c"]
WORDS = ["", "▁⁇▁", "▁new", "▁york", "▁pork"]
BLANK = 0
NEVER = -1e6

ARPA = """\\data\\
ngram 1=7
ngram 2=7
ngram 3=4
ngram 4=1

\\1-grams:
-1.6\t<unk>
-99\t<s>\t-0.31
-0.9\t</s>
-0.8\ta\t-0.42
-0.7\tab\t-0.25
-1.1\tabc\t-0.53
-1.3\tacb\t-0.11

\\2-grams:
-0.35\t<s> a\t-0.22
-0.55\t<s> ab\t-0.14
-0.3\ta ab\t-0.4
-0.6\ta a\t-0.05
-0.45\tab abc\t-0.3
-0.4\tab a\t-0.17
-0.5\tabc </s>

\\3-grams:
-0.2\t<s> a ab\t-0.21
-0.15\ta ab abc\t-0.33
-0.25\ta ab a\t-0.02
-0.1\tab abc </s>

\\4-grams:
-0.05\t<s> a ab abc

\\end\\
"""
SENTENCES = ["", "a", "ab", "zzz", "a ab abc", "a ab a", "a a a ab abc acb", "zzz a ab", "acb acb", "ab zzz abc",
             "a ab abc a ab abc", "abc abc"]


def log_softmax(scores: np.ndarray) -> np.ndarray:
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def lattice(generator: np.random.Generator, frames: int, labels: list[str]) -> np.ndarray:
    scores = generator.normal(0, 2, (frames, len(labels)))
    for column, label in enumerate(labels):
        if "⁇" in label:
            scores[:, column] = NEVER
    return np.round(log_softmax(scores), 6)


def n_best(decoder, scores: np.ndarray, **options) -> list[list]:
    """Text, natural-log probability in the lattice, score with everything; best first."""
    beams = decoder.decode_beams(scores, **UNPRUNED, **options)
    return [[beam[0], round(float(beam[3]), 6), round(float(beam[4]), 6)] for beam in beams]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    generator = np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as folder:
        arpa = Path(folder) / "model.arpa"
        arpa.write_text(ARPA)
        model = kenlm.Model(str(arpa))
        sentences = [{"text": text, "log10": [round(score, 6) for score, _, _ in model.full_scores(text)]}
                     for text in SENTENCES]
        plain = build_ctcdecoder(LETTERS)
        letters = [{"scores": (scores := lattice(generator, frames, LETTERS)).tolist(),
                    "nBest": n_best(plain, scores)[:20]} for frames in (1, 2, 3, 5, 6)]
        fused = []
        for frames, alpha, beta, unknown in ((3, 0.5, 1.5, 0.0), (4, 0.8, 0.0, 0.0), (5, 1.2, 0.4, -10.0)):
            decoder = build_ctcdecoder(PIECES, str(arpa), unigrams=["a", "ab", "abc", "acb"], alpha=alpha, beta=beta,
                                       unk_score_offset=unknown)
            scores = lattice(generator, frames, PIECES)
            fused.append({"alpha": alpha, "beta": beta, "unknownLog10": unknown, "scores": scores.tolist(),
                          "nBest": n_best(decoder, scores)[:20]})
        words = build_ctcdecoder(WORDS)
        hot = []
        for hotwords, weight in ((["york"], 2.0), (["york", "new"], 0.7)):
            scores = lattice(generator, 4, WORDS)
            found = n_best(words, scores, hotwords=hotwords, hotword_weight=weight)
            hot.append({"hotWords": hotwords, "weight": weight, "scores": scores.tolist(), "nBest": found[:20]})
    golden = {"arpa": ARPA, "sentences": sentences, "blank": BLANK,
              "letters": {"labels": LETTERS, "cases": letters}, "pieces": {"labels": PIECES, "cases": fused},
              "words": {"labels": WORDS, "cases": hot}}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
