"""Writes what the package `tokenizers` does with blanks and clean-ups in made-up files: texts that are stripped, added tokens that take the
blanks beside them, tokens that decoders join. These are the goldens of Foretoken's own.

    python make_tokenizer_part_goldens.py --out ../../packages/models/test/goldens/tokenizer-parts.json

`--texts 3000` writes more of them, for a wider check than the one that is committed.
"""
from __future__ import annotations

import argparse
import itertools
import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

BLANKS = [" ", "  ", "\t", "\n", "\r\n", "\x0b", "\x0c", "\u0085", "\u00a0", "\u1680", "\u2003", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]
NO_BLANKS = ["\ufeff", "\u200b", "\u200d", "\u2060", "\u180e", "\x1c", "\x00"]
BITS = [*BLANKS, *NO_BLANKS, *NO_BLANKS[:2] * 4, *[" "] * 8, *["<m>", "<M>", "<l>", "<r>", "ab", "＜m＞"] * 5, "a", "b", "B", "x", "é", "e\u0301", "ﬁ", "日", "🙂", "▁", ".", "'"]
CHARACTERS = sorted({*"".join(BITS), *"abcdefghijklmnopqrstuvwxyz<>/ "})

WORDS = ["a", "ab", " ", "  ", ".", " .", " ?", " ' ", " n't", "n't", " do not", " 's", "'s", " 're", "|", "a|", "<pad>", "a<pad>b", "##a", "##", "a</w>", "</w>b</w>", "</w>",
         "\ufeff", "\u0085", "\u200b", "🙂a", "_a", "__a_", "▁a", "日</w>", " \ufeff."]


def reader(normalizer=None, pre_tokenizer=None, added=()) -> Tokenizer:
    """A vocabulary of characters, so that ids show all that is left of a text."""
    tokenizer = Tokenizer(models.BPE({character: index for index, character in enumerate(CHARACTERS)}, []))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.add_tokens(list(added))
    return tokenizer


def unknowing(model, pre_tokenizer) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    return tokenizer


def unknowing_readers() -> list[Tokenizer]:
    """Unknown tokens that become one within a word; no token is a mark of spaces."""
    few = ["<unk>", "a", "b", "x", "."]
    vocabulary = {token: index for index, token in enumerate(few)}
    pairs = [models.BPE(vocabulary, [], unk_token="<unk>", fuse_unk=fuse) for fuse in [True, False]]
    scored = models.Unigram([(token, -float(index)) for index, token in enumerate(few)], 0)
    words = pre_tokenizers.WhitespaceSplit()
    return [
        *(unknowing(model, words) for model in [*pairs, scored]), unknowing(pairs[0], pre_tokenizers.Metaspace()),
        unknowing(pairs[0], pre_tokenizers.Punctuation()),
    ]


def readers() -> list[Tokenizer]:
    strips = [normalizers.Strip(left=left, right=right) for left, right in [(True, True), (True, False), (False, True)]]
    metaspace = pre_tokenizers.Metaspace(prepend_scheme="first")
    sides = [(True, False), (False, True), (True, True)]
    return [
        *(reader(strip) for strip in strips),
        reader(normalizers.Sequence([normalizers.NFKC(), strips[0], normalizers.Replace("a", "b")]), metaspace),
        reader(normalizers.Sequence([normalizers.Sequence([strips[1]]), normalizers.NFC()])),
        *(reader(None, None, [AddedToken("<m>", lstrip=left, rstrip=right, normalized=False)]) for left, right in sides),
        *(reader(None, metaspace, [AddedToken("<m>", lstrip=left, rstrip=right, normalized=True)]) for left, right in sides),
        *(reader(normalizers.NFKC(), metaspace, [AddedToken("<m>", lstrip=left, rstrip=right, normalized=normalized)]) for left, right in sides for normalized in [True, False]),
        reader(strips[0], metaspace, [AddedToken("<m>", lstrip=True, normalized=False), AddedToken("<l>", rstrip=True, normalized=True)]),
        # Blanks that are tokens themselves, and tokens that begin in the same way.
        reader(None, None, [AddedToken("<m>", lstrip=True, rstrip=True, normalized=False), *(AddedToken(blank, normalized=False) for blank in ["\n", "  ", "\u0085"])]),
        reader(None, metaspace, [AddedToken("ab", rstrip=True, normalized=True), AddedToken("a", lstrip=True, normalized=False), AddedToken("<m>", lstrip=True, special=True)]),
        reader(None, None, [AddedToken("  ", lstrip=True, rstrip=True, normalized=False)]),
        *unknowing_readers(),
        reader(normalizers.Prepend("x"), None, [AddedToken("<m>", rstrip=True, normalized=False), AddedToken("b", lstrip=True, normalized=True)]),
    ]


def joiners() -> list[tuple[decoders.Decoder, str | None]]:
    """Decoders, and the suffix of words of their model."""
    return [
        (decoders.CTC(), None), (decoders.CTC(cleanup=False), None), (decoders.CTC(pad_token="a", word_delimiter_token="🙂"), None),
        (decoders.BPEDecoder(), None), (decoders.BPEDecoder(), "</w>"), (decoders.BPEDecoder("_"), "</w>"), (decoders.BPEDecoder(""), None),
        (decoders.WordPiece(), None), (decoders.WordPiece(cleanup=False), None), (decoders.WordPiece(prefix=""), None), (decoders.WordPiece(prefix="a"), None),
        (decoders.Strip("_", 2, 0), None), (decoders.Strip("_", 0, 1), None), (decoders.Strip("🙂", 1, 0), None),
        (decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]), None),
        (decoders.Sequence([decoders.CTC(), decoders.WordPiece()]), None),
        (decoders.Sequence([decoders.Sequence([decoders.BPEDecoder()]), decoders.Fuse()]), "</w>"),
    ]


def joiner(decoder: decoders.Decoder, suffix: str | None) -> Tokenizer:
    own = {} if suffix is None else {"end_of_word_suffix": suffix}
    tokenizer = Tokenizer(models.BPE({word: index for index, word in enumerate(WORDS)}, [], **own))
    tokenizer.decoder = decoder
    return tokenizer


def arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=100)
    return parser.parse_args()


def write(out: Path, texts: list[str], outputs: list[list[int]], encoders: list[Tokenizer], joined: list[Tokenizer]) -> None:
    encoded = [(one.to_str(), [one.encode(text, add_special_tokens=False).ids for text in texts]) for one in encoders]
    decoded = [(one.to_str(), [one.decode(ids) for ids in outputs]) for one in joined]
    content = {
        "texts": texts, "outputs": outputs,
        "encoded": [{"json": json.loads(file), "ids": rows} for file, rows in encoded],
        "decoded": [{"json": json.loads(file), "texts": rows} for file, rows in decoded],
    }
    out.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf8")
    print(out.stat().st_size, "bytes")


def main() -> None:
    args = arguments(__doc__)
    generator = random.Random(5)
    texts = ["".join(generator.choice(BITS) for _ in range(generator.choice([2, 3, 5, 9]))) for _ in range(args.texts)]
    texts += ["".join(pair) for pair in itertools.product(["", " ", "\ufeff", "\u0085"], ["<m>"], ["", " ", "\ufeff", "\u0085"])]
    texts += ["a     b", "a    日 日", "é é a"]
    outputs = [[generator.randrange(len(WORDS)) for _ in range(generator.choice([1, 2, 4, 8]))] for _ in range(args.texts)]
    write(args.out, texts, outputs, readers(), list(itertools.starmap(joiner, joiners())))


if __name__ == "__main__":
    main()
