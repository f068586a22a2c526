"""Translation models of random weights in the sizes that people use, and the packages they are made for: what `npm run bench -- models`
compares with, where no package brings weights.

    pip install numpy pyyaml sentencepiece
    pip install ctranslate2==4.8.5
    pip install --no-deps pymarian==1.12.42
    python translation_peer.py marian /tmp/weights        # as the students for Firefox, with a shortlist
    python translation_peer.py ctranslate2 /tmp/weights   # as OPUS-MT

The model is written into the folder. Each line in has a line out. `"sources"`: what is translated. `{"listed": true}`, with the shortlist, or
`{"listed": false}`: all sources decoded greedily one after the other, with the log-probability of each output, and seconds of processor
time.
"""
from __future__ import annotations

import itertools
import json
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml

sys.path.append(str(Path(__file__).resolve().parents[3] / "distill"))
from make_marian_bin_goldens import COMMON, CORPUS, marian, parsed, vocabulary, weights  # noqa: E402
from make_marian_shortlist_goldens import shortlist  # noqa: E402

SIZED = {**COMMON, "tied-embeddings": False, "tied-embeddings-src": False, "tied-embeddings-all": True, "transformer-heads": 8}
FREQUENT = BEST = 50
WORDS = 20

# Outputs, and the sum of the log-probabilities of each.
Decoded = tuple[list, list[float]]


def tensors(own: dict, size: int) -> dict[str, np.ndarray]:
    config = {**SIZED, "transformer-decoder-dim-ffn": own["transformer-dim-ffn"], "dim-vocabs": [size, size], **own}
    made = weights(config, config["dim-vocabs"], np.random.default_rng(7))
    # Else each token's own embedding would say it again.
    made[f"decoder_l{config['dec-depth']}_ffn_W2"] *= 8
    return {**made, "special:model.yml": np.frombuffer(yaml.dump(config).encode() + b"\0", np.int8)}


def made_up_words():
    syllables = ["".join(pair) for pair in itertools.product("bdfghklmnprstvwz", "aeiou")]
    return ("".join(word) for count in itertools.count(2) for word in itertools.product(syllables, repeat=count))


def piece(text: str) -> bytes:
    """A piece of a SentencePiece model with its score, which may be put behind those that are there."""
    spelled = text.encode()
    content = b"\x0a" + bytes([len(spelled)]) + spelled + b"\x15" + struct.pack("<f", -10)
    return b"\x0a" + bytes([len(content)]) + content


def firefox(folder: Path) -> tuple[list[str], Callable[[dict], Decoded]]:
    """The shape of Firefox's tiny models."""
    import _pymarian

    size = 32_000
    random = np.random.default_rng(8)
    spm, model, lexicon = folder / "vocab.aaen.spm", folder / "model.aaen.bin", folder / f"lex.{FREQUENT}.{BEST}.aaen.s2t.bin"
    trained = vocabulary(spm, 64, CORPUS)
    known = {trained.id_to_piece(index) for index in range(trained.vocab_size())}
    words = list(itertools.islice((word for word in made_up_words() if f"▁{word}" not in known), size - len(known)))
    with spm.open("ab") as file:
        file.write(b"".join(piece(f"▁{word}") for word in words))
    own = {"dim-emb": 256, "enc-depth": 6, "dec-depth": 2, "transformer-dim-ffn": 1536, "transformer-rnn-projection": False}
    plain = folder / "model.npz"
    np.savez(plain, **tensors(own, size))
    marian("convert", "--from", plain, "--to", model, "--gemm-type", "float32")
    plain.unlink()
    lists = [sorted(random.choice(size, count, replace=False).tolist()) for count in [*random.integers(0, BEST, size - 1), 2]]
    lexicon.write_bytes(shortlist(lists, FREQUENT, BEST))
    # A shortlist is of all texts of a batch, so each text is one.
    options = f"-m {model} -v {spm} {spm} --cpu-threads 1 --quiet -b 1 --mini-batch 1 --max-length-factor 1 --n-best --word-scores"
    translators = {listed: _pymarian.Translator(options + (f" --shortlist {lexicon} 1" if listed else "")) for listed in (True, False)}

    def decode(question: dict) -> Decoded:
        found = [parsed(translators[question["listed"]].translate(text).strip("\n")) for text in texts]
        return [said for _, said, _, _ in found], [sum(scores) for _, _, scores, _ in found]

    texts = [" ".join(random.choice(words, WORDS)) for _ in range(64)]
    return texts, decode


def opus(folder: Path) -> tuple[list[list[int]], Callable[[dict], Decoded]]:
    """The shape of OPUS-MT, from CTranslate2's own converter."""
    import ctranslate2

    size = 58_100
    names = ["</s>", "<unk>", *(f"▁{word}" for word in itertools.islice(made_up_words(), size - 2))]
    own = {"dim-emb": 512, "enc-depth": 6, "dec-depth": 6, "transformer-dim-ffn": 2048, "transformer-ffn-activation": "swish",
           "transformer-decoder-autoreg": "self-attention"}
    plain, listed = folder.parent / "model.npz", folder.parent / "vocab.yml"
    np.savez(plain, **tensors(own, size))
    listed.write_text("".join(f'"{name}": {index}\n' for index, name in enumerate(names)), encoding="utf-8")
    ctranslate2.converters.MarianConverter(str(plain), [str(listed), str(listed)]).convert(str(folder), force=True)
    plain.unlink()
    listed.unlink()
    translator = ctranslate2.Translator(str(folder), compute_type="float32", intra_threads=1)
    ids = {name: index for index, name in enumerate(names)}

    def decode(question: dict) -> Decoded:
        results = [
            translator.translate_batch([[names[index] for index in source[:-1]]], beam_size=1, max_decoding_length=WORDS, return_scores=True, length_penalty=0)[0]
            for source in sources
        ]
        return [[ids[token] for token in result.hypotheses[0]] for result in results], [result.scores[0] for result in results]

    # Sources end, which CTranslate2 sees to itself.
    sources = [[*np.random.default_rng(at).integers(2, size, WORDS).tolist(), 0] for at in range(12)]
    return sources, decode


def main() -> None:
    kind, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    sources, decode = {"marian": firefox, "ctranslate2": opus}[kind](folder)

    def answer(question: object) -> object:
        if question == "sources":
            return sources
        began = time.process_time()
        outputs, scores = decode(question)
        return {"outputs": outputs, "logProbs": scores, "seconds": time.process_time() - began}

    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
