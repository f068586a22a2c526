"""Writes what the package `tokenizers` does with signs in made-up files: capitals, Chinese signs, signs of formats, bytes that are tokens,
suffixes of words, and blanks that are shown. These are the goldens of Foretoken's own, in the form of `make_tokenizer_part_goldens.py`.

    python make_tokenizer_sign_goldens.py --out ../../packages/models/test/goldens/tokenizer-signs.json

`--texts 3000` writes more of them, for a wider check than the one that is committed.
"""
from __future__ import annotations

import itertools
import random

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from make_tokenizer_part_goldens import arguments, write

BITS = [
    *["Σ", "ΑΣ", "ΣΑ", " "] * 2, *"İIßẞéÅﬁ日Ωaab.'🙂ǅⅧⒶ𝐀ა▁", "a  b", "  ", "\u212b", "e\u0301",
    # At the ends of the ranges of Chinese signs.
    *"\u3400\u4dbf\u4dc0\u9fff\uf900\ufaff\U00020000\U0002a6df\U0002a6e0\U0002a700\U0002b81f\U0002b820\U0002b91f\U0002b920\U0002ceaf\U0002ceb0\U0002f800\U0002fa1f\U00030000",
    # Signs of control and of formats, for private use, of no meaning, and marks.
    *"\x00\t\n\x0b\x1c\x7f\u0085\u00a0\u00ad\u200b\u200d\u2028\ufeff\ufffd\ue000\U000f0000\U000e0001\u0378\u0890\u08e2\U000110cd\U00013430\u0301\u0903\u20dd",
]
CHARACTERS = sorted({*"".join(BITS), *"".join(BITS).lower(), "x", "σ"})
SMALL = sorted("ab▁ .日")
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]

WORDS = [
    "a", "ab", " ", " x", "x▁", "▁", "▁a", "▁▁", "▁▁a", "日", "🙂", "\ufeff", "a</w>", "</w>b</w>", "</w>", "Ġa", "Ġ", "Ã", "©", "ï", "»", "¿", "æ",
    *(BYTES[byte] for byte in [0xE6, 0x97, 0xA5, 0xF0, 0x9F, 0x99, 0x82, 0xEF, 0xBB, 0xBF, 0x00, 0x20, 0x41, 0xC0, 0xED, 0xA0, 0x80]), "<0xff>", "<0xE6", "<0x+1>", "<0x4>", "<0x-1>", "<0x 1>",
]


def reader(tokens: list[str], normalizer=None, pre_tokenizer=None, merges=(), **settings) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE({token: index for index, token in enumerate(tokens)}, list(merges), **settings))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    return tokenizer


def readers() -> list[Tokenizer]:
    berts = [
        normalizers.BertNormalizer(clean_text=clean, handle_chinese_chars=apart, strip_accents=strip, lowercase=lower)
        for clean, apart, strip, lower in itertools.product([True, False], [True, False], [None, True, False], [True, False])
    ]
    others = [normalizers.Lowercase(), normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])]
    metaspaces = [pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split) for scheme in ["always", "first", "never"] for split in [True, False]]
    words = [*SMALL, "a</w>", "b</w>", ".</w>", "</w>", "ab</w>", "<unk>"]
    return [
        *(reader(CHARACTERS, normalizer, unk_token="x") for normalizer in [*berts, *others]),
        *(reader([*SMALL, "<unk>", *BYTES], byte_fallback=True, fuse_unk=fuse, unk_token="<unk>") for fuse in [True, False]),
        # No text holds the others.
        reader([*SMALL, "<unk>", *BYTES[:0xC0], *BYTES[0xC2:0xF5]], byte_fallback=True, fuse_unk=True, unk_token="<unk>"),
        *(reader(words, None, cut, [("a", "b</w>")], end_of_word_suffix="</w>", unk_token="<unk>") for cut in [pre_tokenizers.Whitespace(), pre_tokenizers.Metaspace()]),
        # Merges of blanks, and over blanks.
        *(reader([*SMALL, "▁▁", "a▁", "▁b", "<unk>"], None, cut, [("▁", "▁"), ("a", "▁"), ("▁", "b")], unk_token="<unk>") for cut in metaspaces),
    ]


def joiners() -> list[Tokenizer]:
    bytes_first = [decoders.ByteFallback(), decoders.Fuse()]
    metaspaces = [decoders.Metaspace(prepend_scheme=scheme) for scheme in ["always", "first", "never"]]
    plain = [
        decoders.ByteFallback(), decoders.Sequence(bytes_first), decoders.Sequence([decoders.Replace("▁", " "), *bytes_first, decoders.Strip(" ", 1, 0)]),
        decoders.ByteLevel(), decoders.Sequence([decoders.ByteLevel()]), *metaspaces, decoders.Sequence(metaspaces[:1]), decoders.Fuse(), None,
    ]
    suffixed = [None, metaspaces[0], decoders.ByteLevel(), decoders.WordPiece(), decoders.Fuse(), decoders.CTC(), decoders.Sequence([decoders.Replace("</w>", " ")]), decoders.Sequence(bytes_first)]
    tokenizers = [reader(WORDS) for _ in plain] + [reader(WORDS, end_of_word_suffix="</w>") for _ in suffixed]
    for tokenizer, decoder in zip(tokenizers, [*plain, *suffixed]):
        tokenizer.decoder = decoder
    return tokenizers


def main() -> None:
    args = arguments(__doc__)
    generator = random.Random(7)
    texts = ["".join(generator.choice(BITS) for _ in range(generator.choice([1, 2, 3, 5, 9]))) for _ in range(args.texts)]
    texts += [*BITS, "ΟΔΟΣ ΑΣ.", "日🙂é ab"]
    outputs = [[generator.randrange(len(WORDS)) for _ in range(generator.choice([1, 2, 3, 4, 8]))] for _ in range(args.texts)]
    rows = [["<0xE6>", "<0x97>", "<0xA5>"], ["<0xF0>", "<0x9F>", "<0x99>", "<0x82>"], ["<0xEF>", "<0xBB>", "<0xBF>", "a"], ["<0xE6>", "<0x97>"], ["<0xED>", "<0xA0>", "<0x80>"], ["ï", "»", "¿", "Ġa"]]
    write(args.out, texts, [*outputs, *([WORDS.index(word) for word in row] for row in rows)], readers(), joiners())


if __name__ == "__main__":
    main()
