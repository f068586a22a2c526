"""Trains tiny SentencePiece vocabularies and writes what the original library makes of hard texts.

python make_sentencepiece_goldens.py --text LINES --out ../../packages/models/test/goldens/sentencepiece
"""
import argparse
import hashlib
import io
import json
import pathlib
import random

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto

HARD = [
    "", " ", "  a  b ", "\ta\tb\n", "A man, riding a horse.", "Ein Mann reitet.", "\u2581 marked \u2581", "e\u0301 \u00e9", "\ufb01ne \uff21\uff22\uff23",
    "\u3000wide\u3000space", "\u200bzero\u200b width", "\u00a0nb\u00a0", "\u2460\u2461 \u00bd \u33a5", "\ufdfa", "\u00ad soft\u00ad", "a\u0000b", "\u0001\u0002",
    "<s>", "</s>", "<unk>", "<0x41>", "<mask>a<mask>", " <mask> ", "<ma<mask>sk>", "\U0001f600\U0001f601 \U0001f468\u200d\U0001f469\u200d\U0001f466", "\u4f60\u597d\uff0c\u4e16\u754c", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\uac00\u1100\u1161",
    "\ud55c\uad6d\uc5b4", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u0939\u093f\u0928\u094d\u0926\u0940", "x" * 300, "ab " * 100, "\u00df\u1e9e \u0130\u0131", "1,234.5e-6", "http://a.b/c?d=e&f=g", "\r\n\r\n",
    "\u2028line\u2029par", "\ufeffbom", "\ufffd", "a\u0300\u0301\u0302\u0303", "\u1f85 \u212b", "...", "\u2026 \u2014 \u2013", "\u00ab\u00bb\u201e\u201c", "aaaaaaaaaaaaaaaaaaaaaa", "user tok", "user tokuser tok", "user  tok",
]


def numbers(state=7):
    """A congruential generator that the test repeats."""
    while True:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        yield state >> 8


ALPHABET = list("abcdefghijk \u2581\u00e9\u00df\u4f60\U0001f600\u3000\u00a0\t0123.,<>/\u0301\ufb01")


def texts(lines, count):
    yield from lines
    draw = numbers()
    for _ in range(count):
        length = next(draw) % 41
        yield "".join(ALPHABET[next(draw) % len(ALPHABET)] for _ in range(length))


def tied():
    """A made up vocabulary in which many cuts of a text are equally good but for how their scores round."""
    model = proto.ModelProto()
    model.trainer_spec.model_type = 1
    model.trainer_spec.unk_id = 0
    model.normalizer_spec.name = "identity"
    kind = proto.ModelProto.SentencePiece
    pieces = [("<unk>", 0, kind.UNKNOWN), ("\u2581", -1.1, kind.NORMAL), ("==", 0, kind.USER_DEFINED), ("aba", 0, kind.USER_DEFINED)]
    draw = numbers()
    for text in ["a", "b", "=", "aa", "ab", "ba", "bb", "aaa", "bab", "bba", "abab", "bbbb", "\u2581a", "c", "cc", "ccc"]:
        score = -0.1 * len(text) if "c" in text else -0.01 - next(draw) % 900 / 100
        pieces.append((text, score, kind.NORMAL))
    for text, score, piece_kind in pieces:
        model.pieces.add(piece=text, score=score, type=piece_kind)
    return model


def tied_texts():
    draw = numbers()
    for _ in range(150):
        yield "".join("abc="[next(draw) % 4] * (1 + next(draw) % 4) for _ in range(1 + next(draw) % 8))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--text", required=True)
    options.add_argument("--out", required=True)
    args = options.parse_args()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    lines = pathlib.Path(args.text).read_text("utf-8").splitlines()
    rules = "FB01\t66 69\nFB00\t66 66\n9\t20\nA\t20\n3000\t20\nA0\t20\n200B\t\nDF\t73 73\n1F600\t61 62 63\n2460\t20 78 20\n61 301\tE1\n"
    rule_file = out / "rules.tsv"
    rule_file.write_text(rules)
    common = dict(num_threads=1, minloglevel=2)
    kinds = {
        "unigram": dict(model_type="unigram", vocab_size=500, normalization_rule_tsv=str(rule_file), user_defined_symbols=["<mask>", "user tok"], pad_id=3),
        "unigram-nmt": dict(model_type="unigram", vocab_size=300, normalization_rule_name="nmt_nfkc"),
        "unigram-bytes": dict(model_type="unigram", vocab_size=600, normalization_rule_name="identity", byte_fallback=True, remove_extra_whitespaces=False),
        "bpe": dict(model_type="bpe", vocab_size=400, normalization_rule_tsv=str(rule_file), user_defined_symbols=["<mask>", "user tok"]),
        "bpe-bytes": dict(model_type="bpe", vocab_size=700, normalization_rule_name="identity", byte_fallback=True, remove_extra_whitespaces=False, add_dummy_prefix=False),
        "unigram-suffix": dict(model_type="unigram", vocab_size=300, normalization_rule_name="identity", treat_whitespace_as_suffix=True, user_defined_symbols=["\u2581the\u2581", "a\u2581man", "in"]),
        "bpe-suffix": dict(model_type="bpe", vocab_size=300, normalization_rule_name="identity", treat_whitespace_as_suffix=True),
        "unigram-ties": None,
    }
    for name, settings in kinds.items():
        model = io.BytesIO()
        if settings is None:
            parsed = tied()
        else:
            settings = {**common, **settings}
            settings["sentence_iterator"] = iter(lines[:800])
            sentencepiece.SentencePieceTrainer.train(model_writer=model, **settings)
            parsed = proto.ModelProto.FromString(model.getvalue())
        # Paths of the machine that trained it are of no use in the file.
        parsed.normalizer_spec.normalization_rule_tsv = ""
        if name == "bpe":
            # Some pieces as mere steps on the way.
            for piece in parsed.pieces[200:240]:
                piece.type = proto.ModelProto.SentencePiece.UNUSED
        data = parsed.SerializeToString(deterministic=True)
        (out / f"{name}.spm").write_bytes(data)
        vocabulary = sentencepiece.SentencePieceProcessor(model_proto=data)
        hard = [{"text": text, "pieces": vocabulary.encode(text, out_type=str), "ids": vocabulary.encode(text), "decoded": vocabulary.decode(vocabulary.encode(text))} for text in [*HARD, *(tied_texts() if settings is None else [])]]
        random.seed(11)
        decodes = []
        for _ in range(200):
            ids = [random.randrange(vocabulary.vocab_size()) for _ in range(random.randint(0, 12))]
            pieces = [vocabulary.id_to_piece(i) for i in ids]
            decodes.append({"pieces": pieces, "text": vocabulary.decode_pieces(pieces)})
        digest = hashlib.sha256()
        count = 0
        for text in texts(lines, 9000):
            count += 1
            digest.update((" ".join(map(str, vocabulary.encode(text))) + "\n" + vocabulary.decode(vocabulary.encode(text)) + "\n").encode("utf-8"))
        (out / f"{name}.json").write_text(json.dumps({"library": f"sentencepiece {sentencepiece.__version__}", "hard": hard, "decodes": decodes, "lines": count, "sha256": digest.hexdigest()}, ensure_ascii=True), "utf-8")
        print(name, vocabulary.vocab_size(), len(data), count)
    rule_file.unlink()


if __name__ == "__main__":
    main()
