"""Writes how the package `tokenizers` cuts texts, for every kind of pre-tokenizer: the goldens of Foretoken's own.

    python make_cut_goldens.py --out ../../packages/models/test/goldens/cuts.json
"""
from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models
from tokenizers import pre_tokenizers as cut

BITS = [
    "the", "It's", "I'LL", "they'ſ", " ", "  ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000", "\u200b", "\u200d", "\ufeff", "\u0085", "\u2028", "\x00", "\x1c",
    "12", "345", "٣٤", "½", "²", "Ⅷ", "㈠", "é", "e\u0301", "ß", "日本語", "한", "العربية", "हिन्दी", "🙂", "👍🏽", "…", "!!", "$", "+", "_", "__x", "-", "▁", "ⓐ", "<s>", "'", "\u0300",
]
BEHAVIOURS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
PATTERNS = [" ", "▁", Regex(r"\s+"), Regex(r"\s"), Regex(r"\p{N}"), Regex(r"\p{N}{1,3}"), Regex(r"[\r\n]+")]
CL_100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def cutters() -> list[cut.PreTokenizer]:
    return [
        cut.Whitespace(),
        cut.WhitespaceSplit(),
        cut.BertPreTokenizer(),
        *(cut.Punctuation(behaviour) for behaviour in BEHAVIOURS),
        cut.Digits(individual_digits=True),
        cut.Digits(individual_digits=False),
        cut.FixedLength(3),
        *(cut.Metaspace(prepend_scheme=scheme, split=split) for scheme in ["always", "first", "never"] for split in [True, False]),
        *(cut.ByteLevel(add_prefix_space=prefix, use_regex=regex) for prefix in [True, False] for regex in [True, False]),
        *(cut.Split(pattern, behaviour, invert) for pattern in PATTERNS for behaviour in BEHAVIOURS for invert in [False, True]),
        cut.Split(Regex(CL_100K), "isolated"),
        cut.Sequence([cut.Split(Regex(CL_100K), "isolated"), cut.ByteLevel(add_prefix_space=False, use_regex=False)]),
        cut.Sequence([cut.WhitespaceSplit(), cut.Digits(individual_digits=True), cut.Punctuation()]),
        cut.Sequence([cut.WhitespaceSplit(), cut.Metaspace(prepend_scheme="first")]),
        cut.Sequence([cut.Digits(individual_digits=True), cut.ByteLevel(add_prefix_space=True)]),
    ]


def settings(cutter: cut.PreTokenizer) -> dict:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = cutter
    return json.loads(tokenizer.to_str())["pre_tokenizer"]


def decoded() -> dict:
    """What a vocabulary of pieces gives back, whose first blank is a text's own."""
    vocabulary = {"▁": 0, "a": 1, "▁a": 2}
    tokenizer = Tokenizer(models.BPE(vocabulary, [("▁", "a")]))
    tokenizer.pre_tokenizer = cut.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    rows = [[2], [0, 2], [1, 2], [0, 0, 1]]
    return {"json": tokenizer.to_str(), "rows": [{"ids": ids, "text": tokenizer.decode(ids)} for ids in rows]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    generator = random.Random(3)
    texts = ["".join(generator.choice(BITS) for _ in range(generator.choice([2, 4, 8]))) for _ in range(50)] + BITS
    rows = [{"settings": settings(one), "pieces": [[piece for piece, _ in one.pre_tokenize_str(text)] for text in texts]} for one in cutters()]
    args.out.write_text(json.dumps({"texts": texts, "rows": rows, "decoded": decoded()}, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
