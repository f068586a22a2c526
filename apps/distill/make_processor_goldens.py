"""Writes the goldens that hold Foretoken's rules and truncations to the classes of Hugging Face `logits_process`.

    python make_processor_goldens.py --out ../../packages/core/test/goldens/score-processors.json

Scores come from a seeded generator and are rounded before the classes see them, so a reader has the very same float32
values. Minus infinity is written as null.
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy
import torch
import transformers
from torch import Tensor
from transformers.generation import logits_process

VOCABULARY_SIZE, END, START = 40, 2, 39
SCALES = (0.1, 0.5, 1.0, 3.0, 12.0)
TRUNCATIONS = (
    ("TemperatureLogitsWarper", "temperature", (0.7, 1.9)),
    ("TopKLogitsWarper", "top_k", (1, 5, 40)),
    ("TopPLogitsWarper", "top_p", (0.1, 0.6, 0.95, 1.0)),
    ("MinPLogitsWarper", "min_p", (0.05, 0.3)),
    ("TypicalLogitsWarper", "mass", (0.2, 0.6, 0.95)),
    ("EpsilonLogitsWarper", "epsilon", (0.01, 0.08)),
    ("EtaLogitsWarper", "epsilon", (0.01, 0.1)),
)
HISTORIES = (
    [START], [START, 5], [START, 5, 5], [START, 7, 8, 7, 8, 7], [START, 3, 11, 12, 20, 3, 11, 12, 31, 3, 11],
)
RULES = (
    ("RepetitionPenaltyLogitsProcessor", ({"penalty": 1.3}, {"penalty": 0.8})),
    ("NoRepeatNGramLogitsProcessor", ({"ngram_size": 1}, {"ngram_size": 2}, {"ngram_size": 3})),
    ("NoBadWordsLogitsProcessor", (
        {"bad_words_ids": [[9], [30]]},
        {"bad_words_ids": [[5, 6], [8, 7, 14], [3, 11, 13]]},
        {"bad_words_ids": [[17], [5, 5], [5, 5, 4], [7, 8, 7, 21], [7, 8, 9]]},
    )),
    ("MinNewTokensLengthLogitsProcessor", tuple(
        {"prompt_length_to_skip": 1, "min_new_tokens": least, "eos_token_id": END} for least in (1, 2, 3, 10, 11)
    )),
)
BIASES = ([[[10], -2.5], [[11], 1.75]], [[[1], 4.0], [[END], -100.0], [[25], 0.125]])


def plain(scores: Tensor) -> list[float | None]:
    """The shortest decimals that read back as the same float32 values."""
    return [None if value == -numpy.inf else float(str(value)) for value in scores.numpy()]


def score_vectors() -> list[Tensor]:
    """Flat to sharp, then one in steps of a half, so that tokens tie everywhere and the best two are equal."""
    generator = torch.Generator().manual_seed(15)
    vectors = [torch.randn(VOCABULARY_SIZE, generator=generator) * scale for scale in SCALES]
    tied = (torch.randn(VOCABULARY_SIZE, generator=generator) * 3).round() / 2
    tied[tied.argsort()[-2:]] = tied.max()
    return [torch.tensor([round(v, 4) for v in vector.tolist()]) for vector in [*vectors, tied]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    plans = [(name, {argument: value}, [START]) for name, argument, values in TRUNCATIONS for value in values]
    plans += [(name, arguments, history) for name, choices in RULES for arguments in choices for history in HISTORIES]
    plans += [("SequenceBiasLogitsProcessor", {"sequence_bias": biases}, [START]) for biases in BIASES]
    vectors = score_vectors()
    cases = []
    for name, arguments, history in plans:
        processor = getattr(logits_process, name)(**arguments)
        outputs = [plain(processor(torch.tensor([history]), vector[None].clone())[0]) for vector in vectors]
        cases.append({"class": name, "options": arguments, "inputIds": history, "outputs": outputs})
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({
        "madeBy": "apps/distill/make_processor_goldens.py", "transformers": transformers.__version__,
        "torch": torch.__version__, "vocabularySize": VOCABULARY_SIZE, "startTokenId": START, "endTokenId": END,
        "scores": [plain(vector) for vector in vectors], "cases": cases,
    }, separators=(",", ":")) + "\n")
    print(f"{len(cases)} cases on {len(vectors)} score vectors")


if __name__ == "__main__":
    main()
