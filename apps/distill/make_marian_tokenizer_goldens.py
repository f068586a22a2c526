"""Writes what transformers' Marian tokenizer makes of texts, with two of the tiny SentencePiece vocabularies.

python make_marian_tokenizer_goldens.py --goldens ../../packages/models/test/goldens
"""
import argparse
import json
import pathlib
import random
import shutil
import tempfile

import sentencepiece
import transformers

TEXTS = [
    "A man rides a horse.", "  Two   dogs play \u4f60\u597d. ", ">>fra<< A girl sings.", "\ufb01ne stra\u00dfe", "x\u00a0y\u3000z",
    "A boy with a \U0001f600 ball!", ">>fra<<>>deu<< Hello", "1,234", "men", "\u2460", "horse <mask> horse", "user tok", "A\u2014B", "\u00e9t\u00e9 e\u0301",
]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--goldens", required=True)
    goldens = pathlib.Path(options.parse_args().goldens)
    source, target = goldens / "sentencepiece" / "unigram.spm", goldens / "sentencepiece" / "bpe.spm"
    pieces = ["</s>", "<unk>"]
    for path in (source, target):
        vocabulary = sentencepiece.SentencePieceProcessor(str(path))
        pieces += [vocabulary.id_to_piece(i) for i in range(vocabulary.vocab_size()) if not vocabulary.is_control(i) and not vocabulary.is_unknown(i)]
    pieces = list(dict.fromkeys(pieces)) + [">>fra<<", ">>deu<<", "<pad>"]
    ids = {piece: index for index, piece in enumerate(pieces)}
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "vocab.json").write_text(json.dumps(ids), "utf-8")
        tokenizer = transformers.MarianTokenizer(str(shutil.copy(source, place / "source.spm")), str(shutil.copy(target, place / "target.spm")), str(place / "vocab.json"))
        encoded = [{"text": text, "ids": tokenizer(text)["input_ids"]} for text in TEXTS]
        random.seed(3)
        rows = [[random.randrange(len(pieces)) for _ in range(random.randint(0, 14))] for _ in range(200)]
        decoded = [{"ids": row, "text": tokenizer.decode(row, skip_special_tokens=True, clean_up_tokenization_spaces=False)} for row in rows]
    content = {"library": f"transformers {transformers.__version__}", "vocabulary": ids, "encoded": encoded, "decoded": decoded}
    (goldens / "marian-tokenizer.json").write_text(json.dumps(content), "utf-8")
    print(len(pieces), encoded[:4])


if __name__ == "__main__":
    main()
