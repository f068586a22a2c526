"""Writes token ids that the slow tokenizers of transformers give for random lines: those of mBART, mBART-50 and NLLB, which number the
pieces of one SentencePiece model in the way of fairseq, and that of M2M-100, which has a list of them.

    python make_fairseq_tokenizer_goldens.py --corpus ../bench/data/test_2016_flickr.en \\
        --pieces ../../packages/models/test/goldens/sentencepiece/unigram-nmt.spm --out ../../packages/models/test/goldens/fairseq-tokenizers
"""
from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
from pathlib import Path

import sentencepiece
from transformers import M2M100Tokenizer, MBart50Tokenizer, MBartTokenizer, NllbTokenizer

LINES = 160
#: Each tokenizer: its class, and the languages of lines and outputs.
KINDS = {
    "mbart": (MBartTokenizer, "de_DE", "ro_RO"),
    "mbart50": (MBart50Tokenizer, "fr_XX", "sl_SI"),
    "nllb": (NllbTokenizer, "deu_Latn", "zul_Latn"),
    "m2m100": (M2M100Tokenizer, "de", "zu"),
}
OTHERS = ["ä", "é", "ß", "你好", "日本", "ñ", "Ω", "…", "—", "“", "”", "½", "①", "ﬁ", "🙂", "e\u0301", "\u00a0", "\u200b", "  ", "\t", "42", "3.14", "<", ">", "_", "▁"]


def lines(corpus: list[str], chooser: random.Random) -> list[str]:
    words = [word for line in corpus for word in line.split()]
    made = []
    for _ in range(LINES):
        parts = chooser.choices(words, k=chooser.randint(1, 14))
        for _ in range(chooser.randint(0, 4)):
            parts.insert(chooser.randint(0, len(parts)), chooser.choice(OTHERS))
        joined = "".join(part + chooser.choice([" ", " ", " ", "", "  "]) for part in parts)
        made.append(chooser.choice([joined, joined.upper(), joined.strip()]))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pieces", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    corpus = args.corpus.read_text().splitlines()[:600]
    texts = lines(corpus, random.Random(5))
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        model = work / "sentencepiece.bpe.model"
        shutil.copy(args.pieces, model)
        pieces = sentencepiece.SentencePieceProcessor(model_file=str(model))
        first = ["<s>", "<pad>", "</s>", "<unk>"]
        known = dict.fromkeys([*first, *(pieces.id_to_piece(i) for i in range(len(pieces)))])
        vocabulary = {piece: index for index, piece in enumerate(known)}
        (args.out / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n")
        goldens = {}
        for kind, (tokenizer_class, source, target) in KINDS.items():
            files = {"vocab_file": str(args.out / "vocab.json"), "spm_file": str(model)} if kind == "m2m100" else {"vocab_file": str(model)}
            tokenizer = tokenizer_class(**files, src_lang=source, tgt_lang=target)
            tokenizer.save_pretrained(work / kind)
            config = json.loads((work / kind / "tokenizer_config.json").read_text())
            goldens[kind] = {
                # Which tokens have which ids, and what the tokenizer is told.
                "config": {
                    "tokenizer_class": config["tokenizer_class"], "src_lang": source, "tgt_lang": target,
                    "added_tokens_decoder": {id: {"content": token["content"]} for id, token in config["added_tokens_decoder"].items()},
                },
                "size": len(tokenizer),
                "target": tokenizer.convert_tokens_to_ids(f"__{target}__" if kind == "m2m100" else target),
                "ids": [tokenizer(text).input_ids for text in texts],
                "decoded": [
                    tokenizer.decode(tokenizer(text).input_ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
                    for text in texts
                ],
            }
    (args.out / "goldens.json").write_text(json.dumps({"lines": texts, "kinds": goldens}, separators=(",", ":"), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
