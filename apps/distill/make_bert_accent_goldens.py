"""Writes which code points the package `tokenizers` removes as accents of a BERT normaliser, and which marks and composed signs of Unicode 17
it leaves as they are: goldens of Foretoken's own normaliser.

    python make_bert_accent_goldens.py --out ../../packages/models/test/goldens/bert-accents.json
"""
from __future__ import annotations

import argparse
import json
from pathlib import Path

import regex
from tokenizers.normalizers import BertNormalizer

# Signs that are taken apart since Unicode 13, 16 and 17.
COMPOSED = [0x105C9, 0x105E4, 0x11383, 0x11385, 0x1138E, 0x11391, 0x113C5, 0x113C7, 0x113C8, 0x11938, *range(0x16121, 0x16129), 0x16D68, 0x16D69, 0x16D6A]


def ranges(points: list[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for point in points:
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    normal = BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    removed, kept = [], []
    for point in (point for point in range(0x110000) if not 0xD800 <= point < 0xE000):
        text = f"a{chr(point)}b"
        stripped = normal.normalize_str(text)
        if stripped == "ab":
            removed.append(point)
        elif stripped == text and (regex.match(r"\p{M}", chr(point)) or point in COMPOSED):
            kept.append(point)
    out.write_text(json.dumps({"removed": ranges(removed), "kept": ranges(kept)}, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
