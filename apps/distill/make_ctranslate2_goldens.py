"""Writes tiny random encoder-decoders as CTranslate2 stores them, in each of its element types, with what CTranslate2 computes of
them in fp32: the goldens of Foretoken's reader of its `model.bin`. It needs the packages `ctranslate2` (4.8.5) and `sentencepiece`
beside those of requirements.txt. Models of transformers go through CTranslate2's own loaders; one is laid out as OpenNMT-py's are.

    python make_ctranslate2_goldens.py --out ../../packages/importers/test/goldens/ctranslate2

With `--all` every model is written in every element type, for a wider check than the one that is committed.
"""
from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from ctranslate2.converters.transformers import BartLoader, M2M100Loader, MarianMTLoader, MBartLoader, T5Loader
from ctranslate2.specs import common_spec, transformer_spec
from transformers import (
    BartConfig, BartForConditionalGeneration, M2M100Config, M2M100ForConditionalGeneration, MarianConfig, MarianMTModel, MBartConfig,
    MBartForConditionalGeneration, T5Config, T5ForConditionalGeneration,
)

from make_encoder_decoder_goldens import pieces, randomise, vocabulary

STORAGES = ["float32", "float16", "bfloat16", "int8_float32", "int8_float16", "int8_bfloat16", "int16"]
SOURCES = 50
NEW_TOKENS = 8
WIDTH = 8
SIZES = {
    "d_model": WIDTH, "encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 12, "decoder_ffn_dim": 12, "max_position_embeddings": 20,
}


@dataclass
class Made:
    """A model: its spec, what its config says, its vocabularies, how sources and outputs are framed, files beside it."""
    spec: transformer_spec.TransformerSpec
    source: list[str]
    target: list[str]
    config: dict
    # What comes before and behind the pieces of a source, and what outputs begin with after the start token.
    before: list[str]
    behind: list[str]
    prefix: list[str]
    pieces: dict[str, Path]
    # What a text is read with.
    languages: dict[str, str] | None = None
    text_vocabularies: bool = False


def processor_of(work: Path, name: str):
    import sentencepiece
    return sentencepiece.SentencePieceProcessor(model_file=str(work / f"{name}.model"))


def seeded(model, seed: int, spread: float = 0.7):
    model.eval()
    randomise(model, seed, spread)
    with torch.no_grad():
        for _, parameter in model.named_parameters():
            parameter.copy_(parameter.half().float())
    return model


def opus(work: Path) -> Made:
    """OPUS-MT: outputs begin with a zero embedding, and the padding token is left out."""
    source, target = pieces(work, "source", 40), pieces(work, "target", 42)
    names = [*dict.fromkeys([*vocabulary(source, ["</s>", "<unk>"], []), *vocabulary(target, [], [])]), "<pad>"]
    config = MarianConfig(
        **SIZES, vocab_size=len(names), pad_token_id=len(names) - 1, decoder_start_token_id=len(names) - 1, eos_token_id=0,
        activation_function="swish", scale_embedding=True,
    )
    model = seeded(MarianMTModel(config), 12)
    with torch.no_grad():
        # The padding token embeds as nothing.
        model.model.shared.weight[-1] = 0
        model.final_logits_bias.copy_(torch.randn(1, len(names), generator=torch.Generator().manual_seed(5)) * 0.3)
    return Made(
        MarianMTLoader().get_model_spec(model), names[:-1], names[:-1],
        {"unk_token": "<unk>", "eos_token": "</s>", "decoder_start_token": "</s>"},
        [], ["</s>"], [], {"source.spm": work / "source.model", "target.spm": work / "target.model"},
    )


LANGUAGES = ["deu_Latn", "eng_Latn", "zho_Hans"]


def nllb(work: Path) -> Made:
    """NLLB: languages are tokens before sources and at the beginning of outputs."""
    names = [*vocabulary(pieces(work, "nllb", 40), ["<s>", "<pad>", "</s>", "<unk>"], []), *LANGUAGES, "<mask>", "madeupword0"]
    config = M2M100Config(
        **SIZES, vocab_size=len(names), bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, scale_embedding=True,
    )
    return Made(
        M2M100Loader().get_model_spec(seeded(M2M100ForConditionalGeneration(config), 4)), names, names,
        {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "decoder_start_token": "</s>"},
        ["eng_Latn"], ["</s>"], ["deu_Latn"], {"sentencepiece.bpe.model": work / "nllb.model"},
        {"sourceLanguage": "eng_Latn", "targetLanguage": "deu_Latn"},
    )


def bart(work: Path) -> Made:
    """BART: learned positions, embeddings are normalised."""
    names = list(vocabulary(pieces(work, "bart", 40), ["<s>", "<pad>", "</s>", "<unk>"], []))
    config = BartConfig(**SIZES, vocab_size=len(names), bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2)
    config.normalize_before = False
    return Made(
        BartLoader().get_model_spec(seeded(BartForConditionalGeneration(config), 6)), names, names,
        {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "decoder_start_token": "</s>"},
        [], ["</s>"], [], {"sentencepiece.bpe.model": work / "bart.model"},
    )


def mbart50(work: Path) -> Made:
    """mBART-50: layers normalise before, embeddings are normalised too."""
    names = [*vocabulary(pieces(work, "mbart", 40), ["<s>", "<pad>", "</s>", "<unk>"], []), "de_DE", "en_XX", "<mask>"]
    config = MBartConfig(**SIZES, vocab_size=len(names), bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, scale_embedding=True)
    config.normalize_before = True
    return Made(
        MBartLoader().get_model_spec(seeded(MBartForConditionalGeneration(config), 8)), names, names,
        {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>", "decoder_start_token": "</s>"},
        ["en_XX"], ["</s>"], ["de_DE"], {"sentencepiece.bpe.model": work / "mbart.model"},
        {"sourceLanguage": "en_XX", "targetLanguage": "de_DE"},
    )


def t5(work: Path) -> Made:
    """T5: positions are distances, norms are of the root mean square."""
    names = [*vocabulary(pieces(work, "t5", 40, pad_id=0, eos_id=1, unk_id=2, bos_id=-1), [], []), "<extra_id_0>"]
    config = T5Config(
        d_model=WIDTH, d_kv=3, num_heads=2, d_ff=12, num_layers=1, num_decoder_layers=2, vocab_size=len(names), pad_token_id=0,
        eos_token_id=1, decoder_start_token_id=0, relative_attention_num_buckets=8, relative_attention_max_distance=16,
    )
    return Made(
        T5Loader().get_model_spec(seeded(T5ForConditionalGeneration(config), 9, 0.5)), names, names,
        {"unk_token": "<unk>", "bos_token": "<pad>", "eos_token": "</s>", "decoder_start_token": "<pad>"},
        [], ["</s>"], [], {"spiece.model": work / "t5.model"},
    )


def fill(spec, generator: np.random.Generator, sizes: dict[str, int], biased: bool, positions: bool) -> None:
    """Random weights of a spec whose shapes nothing else says."""
    def matrix(rows: int, columns: int, spread: float = 0.7) -> np.ndarray:
        return (generator.normal(size=(rows, columns)) * spread).astype(np.float16).astype(np.float32)

    def vector(size: int, around: float = 0.0) -> np.ndarray:
        return (around + generator.normal(size=size) * 0.2).astype(np.float16).astype(np.float32)

    def linear(layer, rows: int, columns: int, with_bias: bool) -> None:
        layer.weight = matrix(rows, columns)
        if with_bias:
            layer.bias = vector(rows)

    def norm(layer) -> None:
        layer.gamma, layer.beta = vector(WIDTH, 1.0), vector(WIDTH)

    for side, table in (("encoder", sizes["source"]), ("decoder", sizes["target"])):
        own = getattr(spec, side)
        embeddings = own.embeddings[0] if side == "encoder" else own.embeddings
        embeddings.weight = matrix(table, WIDTH, 0.4)
        if positions:
            own.position_encodings.encodings = matrix(sizes["positions"], WIDTH, 0.5)
        for name in ("layer_norm", "layernorm_embedding"):
            if hasattr(own, name):
                norm(getattr(own, name))
        for layer in own.layer:
            linear(layer.self_attention.linear[0], 3 * WIDTH, WIDTH, biased)
            linear(layer.self_attention.linear[1], WIDTH, WIDTH, biased)
            norm(layer.self_attention.layer_norm)
            if side == "decoder":
                linear(layer.attention.linear[0], WIDTH, WIDTH, biased)
                linear(layer.attention.linear[1], 2 * WIDTH, WIDTH, biased)
                linear(layer.attention.linear[2], WIDTH, WIDTH, biased)
                norm(layer.attention.layer_norm)
            linear(layer.ffn.linear_0, sizes["ffn"], WIDTH, True)
            linear(layer.ffn.linear_1, WIDTH, sizes["ffn"], True)
            norm(layer.ffn.layer_norm)
    spec.decoder.projection.weight = matrix(sizes["target"], WIDTH, 0.4)
    spec.decoder.projection.bias = vector(sizes["target"])


def onmt(work: Path) -> Made:
    """OpenNMT-py: vocabularies and tables of their own, projections of attention without biases, sources without an end."""
    both = pieces(work, "onmt", 40)
    names = list(vocabulary(both, ["<unk>", "<blank>", "<s>", "</s>"], []))
    target = [*names[:4], *reversed(names[4:]), "▁only_here"]
    spec = transformer_spec.TransformerSpec.from_config((1, 2), 2, pre_norm=True)
    fill(spec, np.random.default_rng(12), {"source": len(names), "target": len(target), "positions": 24, "ffn": 12}, False, True)
    return Made(
        spec, names, target, {"decoder_start_token": "<s>"}, [], [], [], {"sentencepiece.model": work / "onmt.model"},
        text_vocabularies=True,
    )


def argos(work: Path) -> Made:
    """As Argos Translate has them: the same, with one vocabulary and one table."""
    names = list(vocabulary(pieces(work, "argos", 40), ["<unk>", "<blank>", "<s>", "</s>"], []))
    spec = transformer_spec.TransformerSpec.from_config((1, 2), 2, pre_norm=True)
    fill(spec, np.random.default_rng(19), {"source": len(names), "target": len(names), "positions": 20, "ffn": 12}, False, True)
    spec.encoder.embeddings[0].weight = spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.encoder.position_encodings.encodings = spec.decoder.position_encodings.encodings
    return Made(spec, names, names, {"decoder_start_token": "<s>"}, [], [], [], {"sentencepiece.model": work / "argos.model"})


def tf(work: Path) -> Made:
    """OpenNMT-tf: no table of positions; here with layers that normalise behind, Marian's GELU, and one vocabulary with a start and an end."""
    names = list(vocabulary(pieces(work, "tf", 40), ["<blank>", "<s>", "</s>", "<unk>"], []))
    spec = transformer_spec.TransformerSpec.from_config((1, 2), 2, pre_norm=False, activation=common_spec.Activation.GELUSigmoid)
    fill(spec, np.random.default_rng(15), {"source": len(names), "target": len(names), "ffn": 12}, True, False)
    return Made(spec, names, names, {"add_source_eos": True}, [], ["</s>"], [], {"source.spm": work / "tf.model", "target.spm": work / "tf.model"})


KINDS: dict[str, Callable[[Path], Made]] = {"opus": opus, "nllb": nllb, "onmt": onmt, "argos": argos, "tf": tf, "bart": bart, "mbart50": mbart50, "t5": t5}
COMMITTED = [
    ("opus", "int8_float32"), ("nllb", "float16"), ("bart", "int8_float16"), ("onmt", "bfloat16"), ("argos", "int16"),
    ("tf", "int8_bfloat16"), ("t5", "float32"),
]
# A token id is one character in expected.json.
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def packed(ids: list[int]) -> str:
    return "".join(DIGITS[index] for index in ids)


def save(kind: str, storage: str, folder: Path, work: Path) -> Made:
    made = KINDS[kind](work)
    spec = made.spec
    spec.register_source_vocabulary(made.source)
    spec.register_target_vocabulary(made.target)
    for name, value in made.config.items():
        setattr(spec.config, name, value)
    spec.validate()
    spec.optimize(quantization=storage)
    folder.mkdir(parents=True)
    spec.save(str(folder))
    for name, path in made.pieces.items():
        shutil.copy(path, folder / name)
    if made.text_vocabularies:
        for path in folder.glob("*_vocabulary.json"):
            path.with_suffix(".txt").write_text("".join(f"{token}\n" for token in json.loads(path.read_text())), encoding="utf-8")
            path.unlink()
    return made


def run(folder: Path, made: Made, sources: list[list[str]]) -> dict:
    translator = ctranslate2.Translator(str(folder), compute_type="float32", intra_threads=1)
    # CTranslate2 puts these before and behind sources itself.
    given = [source[: len(source) - 1] if made.config.get("add_source_eos") else source for source in sources]
    options = {
        "max_decoding_length": NEW_TOKENS + len(made.prefix), "min_decoding_length": 0, "length_penalty": 1.0, "return_scores": True,
        "target_prefix": [made.prefix] * len(given) if made.prefix else None, "batch_type": "examples", "max_batch_size": 1,
    }
    ids = {token: index for index, token in reversed(list(enumerate(made.target)))}

    def output(tokens: list[str]) -> list[int]:
        return [ids[token] for token in tokens[len(made.prefix):]]

    greedy = translator.translate_batch(given, beam_size=1, **options)
    beam = translator.translate_batch(given, beam_size=4, num_hypotheses=4, **options)
    return {
        "greedy": [packed(output(row.hypotheses[0])) for row in greedy],
        "beam": [packed(output(row.hypotheses[0])) for row in beam],
        # Of the best and the last of them.
        "scores": [[round(row.scores[at], 5) for at in (0, -1)] for row in beam],
    }


def sources_of(made: Made, count: int) -> list[list[str]]:
    generator = np.random.default_rng(21)
    inner = [token for token in made.source if not token.startswith(("<", "madeup")) and "_" not in token]
    return [
        [*made.before, *(inner[at] for at in generator.integers(len(inner), size=int(generator.integers(1, 10)))), *made.behind]
        for _ in range(count)
    ]


def texts_of(folder: Path, made: Made) -> list[dict]:
    """Texts, and the token ids that their pieces have in the vocabulary."""
    import sentencepiece
    name = "source.spm" if "source.spm" in made.pieces else next(iter(made.pieces))
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / name))
    ids = {token: index for index, token in reversed(list(enumerate(made.source)))}
    unknown = ids["<unk>"]
    texts = ["the quick brown fox", "zwei hunde", "a dog runs in Zürich"]
    return [
        {"text": text, "source": [ids.get(token, unknown) for token in [*made.before, *processor.encode(text, out_type=str), *made.behind]]}
        for text in texts
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    shutil.rmtree(options.out, ignore_errors=True)
    wanted = [(kind, storage) for kind in KINDS for storage in STORAGES] if options.all else COMMITTED
    expected: dict[str, dict] = {}
    for kind, storage in wanted:
        folder = options.out / f"{kind}-{storage}"
        with tempfile.TemporaryDirectory() as temporary:
            made = save(kind, storage, folder, Path(temporary))
        found = expected.setdefault(kind, {"runs": {}})
        sources = sources_of(made, SOURCES)
        ids = {token: index for index, token in reversed(list(enumerate(made.source)))}
        found["sources"] = [packed([ids[token] for token in source]) for source in sources]
        found["prefix"] = [made.target.index(token) for token in made.prefix]
        found["languages"] = made.languages
        found["texts"] = texts_of(folder, made)
        found["runs"][storage] = run(folder, made, sources)
        different = len({tuple(row) for row in found["runs"][storage]["greedy"]})
        print(kind, storage, (folder / "model.bin").stat().st_size, "bytes,", different, "different outputs")
    (options.out / "expected.json").write_text(
        json.dumps({"newTokens": NEW_TOKENS, "models": expected}, separators=(",", ":")) + "\n", encoding="utf-8"
    )
    print(sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file()), "bytes in all")


if __name__ == "__main__":
    main()
