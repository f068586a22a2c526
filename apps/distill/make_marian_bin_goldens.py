"""Small Marian models with an SSRU decoder, random weights, and what Marian itself gives for them.

Needs pymarian 1.12.42 (Marian in a wheel), numpy, pyyaml and sentencepiece. Writes packages/models/test/goldens/marian-bin/<kind>/:
`model.bin` as Marian's own converter writes it, the vocabulary, and `expected.json`: greedy outputs with the log-probability of each
token, and the n-best lists of a beam of four with their scores.
"""

import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import sentencepiece
import yaml

TARGET = Path(__file__).resolve().parents[2] / "packages/models/test/goldens/marian-bin"
TEXTS = ["the red fox sees a dog", "a dog", "ein roter Fuchs sieht den Hund", "the dogs see the red foxes there"]
CORPUS = TEXTS + ["der Hund sieht einen Fuchs", "foxes and dogs", "hier und dort sehen alle einen roten Hund"]

COMMON = {
    "type": "transformer",
    "enc-type": "bidirectional",
    "enc-cell": "gru",
    "enc-cell-depth": 1,
    "dec-cell": "ssru",
    "dec-cell-base-depth": 2,
    "dec-cell-high-depth": 1,
    "dim-rnn": 1024,
    "input-types": [],
    "layer-normalization": False,
    "right-left": False,
    "skip": False,
    "transformer-aan-activation": "swish",
    "transformer-aan-depth": 2,
    "transformer-aan-nogate": False,
    "transformer-decoder-autoreg": "rnn",
    "transformer-dim-aan": 2048,
    "transformer-ffn-activation": "relu",
    "transformer-ffn-depth": 2,
    "transformer-guided-alignment-layer": "last",
    "transformer-no-projection": False,
    "transformer-postprocess": "dan",
    "transformer-postprocess-emb": "d",
    "transformer-preprocess": "",
    "transformer-tied-layers": [],
    "transformer-train-position-embeddings": False,
    "ulr": False,
    "ulr-dim-emb": 0,
    "ulr-trainable-transformation": False,
    "version": "v1.12.42",
    "lemma-dim-emb": 0,
    "factors-combine": "sum",
    "bert-train-type-embeddings": True,
    "bert-type-vocab-size": 2,
}

# Marian and its fork for browsers number the same kind of tensor in two ways.
INTGEMM8 = (0x10001, 0x4101)

# Width, layers of each side, and what differs.
KINDS = {
    # As the students for Firefox: one table for both sides and for scores.
    "tied": {"dim-emb": 32, "enc-depth": 2, "dec-depth": 2, "tied-embeddings-all": True, "transformer-rnn-projection": False},
    # The same file in 8 bits, as Firefox ships it.
    "int8": {"dim-emb": 64, "enc-depth": 2, "dec-depth": 1, "tied-embeddings-all": True, "transformer-rnn-projection": False},
    # As its fork for browsers writes it: the table in 8 bits too, and the scales of activations, which Firefox computes with.
    "firefox": {"dim-emb": 64, "enc-depth": 1, "dec-depth": 2, "tied-embeddings-all": True, "transformer-rnn-projection": False},
    # Two vocabularies, a projection behind the cell, another feed-forward width and norm place.
    "separate": {
        "dim-emb": 32,
        "enc-depth": 1,
        "dec-depth": 3,
        "tied-embeddings": True,
        "transformer-rnn-projection": True,
        "transformer-ffn-activation": "swish",
        "transformer-decoder-dim-ffn": 40,
    },
    # One vocabulary, of whose tokens each side has a table, and scores a matrix of their own.
    "two-tables": {"dim-emb": 16, "enc-depth": 1, "dec-depth": 1, "transformer-rnn-projection": False},
}


def weights(config, sizes, random):
    width = config["dim-emb"]
    tensors = {}

    def matrix(name, rows, columns, scale=1.0):
        tensors[name] = random.normal(0, scale / np.sqrt(rows), (rows, columns)).astype(np.float32)

    def vector(name, size, scale=0.1):
        tensors[name] = random.normal(0, scale, (1, size)).astype(np.float32)

    def norm(name):
        vector(f"{name}_bias", width)
        tensors[f"{name}_scale"] = (1 + random.normal(0, 0.1, (1, width))).astype(np.float32)

    def attention(prefix):
        for part in "qkv":
            matrix(f"{prefix}_W{part}", width, width, 1.5)
            vector(f"{prefix}_b{part}", width)
        matrix(f"{prefix}_Wo", width, width)
        vector(f"{prefix}_bo", width)
        norm(f"{prefix}_Wo_ln")

    def feed_forward(prefix, inner):
        matrix(f"{prefix}_W1", width, inner)
        vector(f"{prefix}_b1", inner)
        matrix(f"{prefix}_W2", inner, width, 2)
        vector(f"{prefix}_b2", width)
        norm(f"{prefix}_ffn_ln")

    def recurrence(prefix):
        matrix(f"{prefix}_W", width, width, 2)
        matrix(f"{prefix}_Wf", width, width, 2)
        vector(f"{prefix}_bf", width)
        if config["transformer-rnn-projection"]:
            matrix(f"{prefix}_Wo", width, width)
            vector(f"{prefix}_bo", width)
        norm(f"{prefix}_ffn_ln")

    source, target = sizes
    if config.get("tied-embeddings-all"):
        tensors["Wemb"] = random.normal(0, 1.5 * width**-0.5, (source, width)).astype(np.float32)
    else:
        tensors["encoder_Wemb"] = random.normal(0, 1.5 * width**-0.5, (source, width)).astype(np.float32)
        tensors["decoder_Wemb"] = random.normal(0, 1.5 * width**-0.5, (target, width)).astype(np.float32)
    if not (config["tied-embeddings-all"] or config["tied-embeddings"]):
        matrix("decoder_ff_logit_out_W", width, target, 2)
    for layer in range(1, config["enc-depth"] + 1):
        attention(f"encoder_l{layer}_self")
        feed_forward(f"encoder_l{layer}_ffn", config["transformer-dim-ffn"])
    for layer in range(1, config["dec-depth"] + 1):
        if config["transformer-decoder-autoreg"] == "self-attention":
            attention(f"decoder_l{layer}_self")
        else:
            recurrence(f"decoder_l{layer}_rnn")
        attention(f"decoder_l{layer}_context")
        feed_forward(f"decoder_l{layer}_ffn", config["transformer-decoder-dim-ffn"])
    vector("decoder_ff_logit_out_b", target, 0.5)
    # Ends come soon enough for n-best lists to hold whole outputs.
    tensors["decoder_ff_logit_out_b"][0, 0] += 1
    # Marian rules the unknown token out of what it has normalised; so unlikely, it makes no difference to the others.
    tensors["decoder_ff_logit_out_b"][0, 1] = -20
    return tensors


def marian(*arguments, text=None):
    code = "import sys, _pymarian; sys.exit(_pymarian.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr[-4000:])
    return done.stdout


def vocabulary(path, size, texts):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_prefix=str(path.with_suffix("")), vocab_size=size, model_type="unigram",
        bos_id=-1, pad_id=-1, eos_id=0, unk_id=1, hard_vocab_limit=False, normalization_rule_name="identity", minloglevel=2,
    )
    path.with_suffix(".model").rename(path)
    path.with_suffix(".vocab").unlink()
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def make(kind, own, seed):
    folder = TARGET / kind
    folder.mkdir(parents=True, exist_ok=True)
    config = {**COMMON, "transformer-heads": 4, "transformer-dim-ffn": 48, "transformer-decoder-dim-ffn": 48,
              "tied-embeddings": False, "tied-embeddings-src": False, **own}
    config.setdefault("tied-embeddings-all", False)
    if kind == "separate":
        names = ["srcvocab.aaen.spm", "trgvocab.aaen.spm"]
        sides = [vocabulary(folder / names[0], 60, CORPUS), vocabulary(folder / names[1], 48, CORPUS[::-1] + ["zwei"])]
    else:
        names = ["vocab.aaen.spm"] * 2
        sides = [vocabulary(folder / names[0], 64, CORPUS)] * 2
    source, target = sides
    sizes = [source.vocab_size(), target.vocab_size()]
    config["dim-vocabs"] = sizes
    tensors = weights(config, sizes, np.random.default_rng(seed))
    text = yaml.dump(config)
    with tempfile.TemporaryDirectory() as workspace:
        plain = Path(workspace) / "model.npz"
        np.savez(plain, **tensors, **{"special:model.yml": np.frombuffer(text.encode() + b"\0", np.int8)})
        gemm = "intgemm8" if kind == "int8" else "float32"
        binary = folder / ("model.aaen.intgemm.alphas.bin" if kind == "firefox" else "model.bin")
        if kind == "firefox":
            binary.write_bytes(browser_file(tensors, text))
        else:
            marian("convert", "--from", plain, "--to", binary, "--gemm-type", gemm)
        read = binary
        if kind in ("int8", "firefox"):
            # Marian computes in 8 bits; what is compared is the de-quantised model in fp32.
            read = Path(workspace) / "dequantised.npz"
            np.savez(read, **dequantised(binary, tensors), **{"special:model.yml": np.frombuffer(text.encode() + b"\0", np.int8)})
        arguments = ["decode", "-m", read, "-v", folder / names[0], folder / names[1], "--cpu-threads", 1, "--quiet",
                     "--max-length-factor", 3, "--normalize", 1, "--word-scores", "--n-best", "--mini-batch", 1]
        best = [parsed(line) for line in marian(*arguments, "-b", 1, text="\n".join(TEXTS) + "\n").splitlines()]
        beams = [parsed(line) for line in marian(*arguments, "-b", 4, text="\n".join(TEXTS) + "\n").splitlines()]
    rows = []
    for index, line in enumerate(TEXTS):
        _, said, scores, _ = next(one for one in best if one[0] == index)
        rows.append({
            "text": line,
            "source": [*source.encode(line), 0],
            "said": said,
            "logProbs": scores,
            "beam": [{"said": one[1], "logProbs": one[2], "score": one[3]} for one in beams if one[0] == index],
        })
    (folder / "expected.json").write_text(json.dumps({"rows": rows}) + "\n")
    print(kind, binary.stat().st_size, [row["said"] for row in rows])


def parsed(line):
    """`number ||| text ||| WordScores= .. ||| F0= total ||| normalised`."""
    number, said, words, *_, score = line.split(" ||| ")
    scores = [float(one) for one in words.replace("WordScores=", "").split()]
    return int(number), said, scores, float(score)


def browser_file(tensors, config):
    """A file as the converter of Marian's fork for browsers writes it."""
    items = []

    def add(name, kind, shape, data):
        items.append((name, kind, shape, data + bytes(-len(data) % 256)))

    for name, values in sorted(tensors.items()):
        if name.rsplit("_", 1)[-1] in ("Wq", "Wk", "Wv", "Wo", "W", "Wf", "W1", "W2", "Wemb"):
            scale = np.float32(127 / np.abs(values).max())
            whole = np.rint(values * scale).astype(np.int8)
            stored = whole if name == "Wemb" else whole.T
            add(name, 0x4101, values.shape, stored.tobytes() + struct.pack("<f", scale))
            add(f"{name}_QuantMultA", 0x404, (1, 1), struct.pack("<f", 20.0))
        else:
            add(name, 0x404, values.shape, values.tobytes())
    add("special:model.yml", 0x101, (len(config) + 1,), config.encode() + b"\0")
    head = struct.pack("<QQ", 1, len(items))
    head += b"".join(struct.pack("<QQQQ", len(name) + 1, kind, len(shape), len(data)) for name, kind, shape, data in items)
    head += b"".join(name.encode() + b"\0" for name, *_ in items)
    head += b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, _, shape, _ in items)
    padding = -(len(head) + 8) % 256
    return head + struct.pack("<Q", padding) + bytes(padding) + b"".join(data for *_, data in items)


def dequantised(path, tensors):
    """The tensors of a file of Marian as fp32, in the layout of an archive."""
    data = path.read_bytes()
    version, count = struct.unpack_from("<QQ", data)
    assert version == 1
    headers = [struct.unpack_from("<QQQQ", data, 16 + 32 * index) for index in range(count)]
    at = 16 + 32 * count
    names = []
    for length, *_ in headers:
        names.append(data[at : at + length - 1].decode())
        at += length
    shapes = []
    for _, _, rank, _ in headers:
        shapes.append(struct.unpack_from(f"<{rank}i", data, at))
        at += 4 * rank
    (padding,) = struct.unpack_from("<Q", data, at)
    at += 8 + padding
    found = {}
    for name, shape, (_, kind, _, size) in zip(names, shapes, headers):
        values = int(np.prod(shape))
        if kind == 0x0404:
            found[name] = np.frombuffer(data, np.float32, values, at).reshape(shape)
        elif kind in INTGEMM8:
            (scale,) = struct.unpack_from("<f", data, at + values)
            whole = np.frombuffer(data, np.int8, values, at).astype(np.float32) / scale
            found[name] = whole.reshape(shape) if name.endswith("Wemb") else whole.reshape(shape[::-1]).T.copy()
            assert np.abs(found[name] - tensors[name]).max() < 0.51 / scale, name
        at += size
    assert at == len(data)
    return {name: values for name, values in found.items() if name in tensors}


if __name__ == "__main__":
    for seed, (kind, own) in enumerate(KINDS.items()):
        if len(sys.argv) < 2 or kind in sys.argv[1:]:
            make(kind, own, 20 + seed)
