"""Lexical shortlists for the small Marian models of make_marian_bin_goldens.py, and what Marian itself gives with them.

Needs pymarian 1.12.42, numpy, pyyaml and sentencepiece. Writes packages/models/test/goldens/marian-shortlist/<kind>/: the shortlist
`lex.4.6.aaen.s2t.bin`, as Marian's fork for browsers writes it, and `expected.json`: greedy outputs of texts, with the shortlist
alone, one text at a time, the log-probability of each token, and whether the output is another one without the shortlist.
Marian reads the file itself, so it checks magic, sizes and checksum.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import sentencepiece

from make_marian_bin_goldens import CORPUS, TARGET as MODELS, marian, parsed

TARGET = MODELS.parent / "marian-shortlist"
MAGIC = 0xF11A48D5013417F5
FREQUENT, BEST = 4, 6
TEXTS = 200
# One vocabulary for both sides, whose source tokens may be copied; and two.
KINDS = {"tied": ["vocab.aaen.spm"] * 2, "separate": ["srcvocab.aaen.spm", "trgvocab.aaen.spm"]}


def checksum(data):
    """Of 64-bit numbers, combined as Boost combines hashes."""
    seed = 0
    for (word,) in struct.iter_unpack("<Q", data[: len(data) // 8 * 8]):
        seed ^= (word + 0x9E3779B9 + (seed << 6) + (seed >> 2)) % 2**64
    return seed


def shortlist(lists, frequent=FREQUENT, best=BEST):
    """A binary shortlist: magic, checksum, counts, where the list of each source token begins, the lists."""
    offsets = np.cumsum([0, *map(len, lists)]).tolist()
    body = struct.pack("<QQQQ", frequent, best, len(offsets), offsets[-1])
    body += struct.pack(f"<{len(offsets)}Q", *offsets)
    body += b"".join(struct.pack(f"<{len(one)}I", *one) for one in lists)
    return struct.pack("<QQ", MAGIC, checksum(body)) + body


def texts(random):
    words = sorted({word for line in CORPUS for word in line.split()})
    found = []
    while len(found) < TEXTS:
        line = " ".join(random.choice(words, random.integers(1, 5)))
        if line not in found:
            found.append(line)
    return found


def make(kind, names, seed):
    folder = TARGET / kind
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    sides = [MODELS / kind / name for name in names]
    source, target = [sentencepiece.SentencePieceProcessor(model_file=str(side)) for side in sides]
    sources, outputs = source.vocab_size(), target.vocab_size()
    # Marian refuses a file whose last source token has no list.
    counts = [*random.integers(0, BEST, sources - 1), 2]
    binary = folder / "lex.4.6.aaen.s2t.bin"
    binary.write_bytes(shortlist([sorted(random.choice(outputs, count, replace=False).tolist()) for count in counts]))
    lines = texts(random)
    # A shortlist is of all texts of a batch, so each text is one; the longest outputs are cut short, like those of the test.
    arguments = ["decode", "-m", MODELS / kind / "model.bin", "-v", *sides, "--cpu-threads", 1, "--quiet", "-b", 1,
                 "--max-length-factor", 2, "--normalize", 1, "--word-scores", "--n-best", "--mini-batch", 1]
    text = "\n".join(lines) + "\n"
    whole = [parsed(line) for line in marian(*arguments, text=text).splitlines()]
    listed = [parsed(line) for line in marian(*arguments, "--shortlist", binary, 1, text=text).splitlines()]
    rows = [
        {"text": line, "source": [*source.encode(line), 0], "said": own[1], "logProbs": own[2], "other": own[1] != all_tokens[1]}
        for line, own, all_tokens in zip(lines, listed, whole, strict=True)
    ]
    (folder / "expected.json").write_text(json.dumps({"rows": rows}, separators=(",", ":")) + "\n")
    print(kind, binary.stat().st_size, sum(row["other"] for row in rows), "of", len(rows), "outputs are others")


if __name__ == "__main__":
    for seed, (kind, names) in enumerate(KINDS.items()):
        if len(sys.argv) < 2 or kind in sys.argv[1:]:
            make(kind, names, 40 + seed)
