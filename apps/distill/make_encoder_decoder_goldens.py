"""Writes tiny random encoder-decoders as weights folders, one for each kind of config, with what transformers computes of them:
the goldens that hold Foretoken's importer of such models to another implementation. Texts become tokens by the tokenizers of
transformers, on SentencePiece models of a few dozen pieces that are trained here.

    python make_encoder_decoder_goldens.py --out ../../packages/models/test/goldens/encoder-decoder
"""
from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import sentencepiece
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import (
    BartConfig, M2M100Config, M2M100Tokenizer, MarianConfig, MarianTokenizer, MBart50TokenizerFast, MBartConfig,
    MBartTokenizerFast, MT5Config, NllbTokenizerFast, PegasusConfig, PretrainedConfig, T5Config, T5Tokenizer, T5TokenizerFast,
)

TEXTS = ["hello world", "a dog runs", "the quick brown fox jumps over the lazy dog", "ja", "two dogs and a cat see the old house"]
CORPUS = [*TEXTS, "hallo welt", "ein hund rennt", "der schnelle braune fuchs", "zwei hunde und eine katze sehen das alte haus"] * 20
NEW_TOKENS = 20
SIZES = {
    "d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
    "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "max_position_embeddings": 64,
}
T5_SIZES = {"d_model": 16, "d_kv": 6, "num_heads": 2, "d_ff": 24, "num_layers": 2, "num_decoder_layers": 3}


def pieces(folder: Path, name: str, size: int, **options) -> sentencepiece.SentencePieceProcessor:
    """A SentencePiece model of a few pieces."""
    text = folder / "corpus.txt"
    text.write_text("\n".join(CORPUS))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / name), vocab_size=size, hard_vocab_limit=False, minloglevel=2,
        normalization_rule_name="identity", **options,
    )
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / f"{name}.model"))


def vocabulary(processor: sentencepiece.SentencePieceProcessor, first: list[str], last: list[str]) -> dict[str, int]:
    tokens = dict.fromkeys([*first, *(processor.id_to_piece(i) for i in range(processor.get_piece_size()))])
    return {token: index for index, token in enumerate([*(token for token in tokens if token not in last), *last])}


def marian_tokenizer(work: Path, separate: bool) -> MarianTokenizer:
    source, target = pieces(work, "source", 40), pieces(work, "target", 46)
    shared = vocabulary(source, ["</s>", "<unk>"], [])
    theirs = vocabulary(target, ["</s>", "<unk>"], [])
    if not separate:
        shared = {token: i for i, token in enumerate(dict.fromkeys([*shared, *theirs, "<pad>"]))}
    else:
        shared, theirs = shared | {"<pad>": len(shared)}, theirs | {"<pad>": len(theirs)}
    for name, content in (("vocab.json", shared), ("target_vocab.json", theirs)):
        (work / name).write_text(json.dumps(content))
    return MarianTokenizer(
        source_spm=str(work / "source.model"), target_spm=str(work / "target.model"), vocab=str(work / "vocab.json"),
        target_vocab_file=str(work / "target_vocab.json") if separate else None, separate_vocabs=separate,
    )


def m2m_tokenizer(work: Path) -> M2M100Tokenizer:
    (work / "vocab.json").write_text(json.dumps(vocabulary(pieces(work, "m2m", 40), ["<s>", "<pad>", "</s>", "<unk>"], [])))
    return M2M100Tokenizer(vocab_file=str(work / "vocab.json"), spm_file=str(work / "m2m.model"), src_lang="en", tgt_lang="de")


def fairseq_pieces(work: Path) -> str:
    pieces(work, "fairseq", 40)
    return str(work / "fairseq.model")


def t5_pieces(work: Path) -> str:
    pieces(work, "t5", 40, pad_id=0, eos_id=1, unk_id=2, bos_id=-1)
    return str(work / "t5.model")


def bart_tokenizer(work: Path):
    """Byte pairs without merges: letters are tokens."""
    from transformers import BartTokenizerFast
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *[chr(97 + i) for i in range(26)], "Ġ", "<mask>"]
    (work / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (work / "merges.txt").write_text("#version: 0.2\n")
    return BartTokenizerFast(vocab_file=str(work / "vocab.json"), merges_file=str(work / "merges.txt"))


@dataclass
class Kind:
    """A config, made for the sizes and tokens of a tokenizer; which languages each text is in; what the folder says instead."""
    tokenizer: Callable[[Path], object]
    config: Callable[[object], PretrainedConfig]
    languages: list[tuple[str | None, str | None]] = field(default_factory=lambda: [(None, None)])
    change: Callable[[Path], None] = lambda folder: None
    adapt: Callable[[torch.nn.Module], None] | None = None
    # Of the weights of layers: less, where sums in another order come near what logits may differ by.
    spread: float = 0.9
    keep: tuple[str, ...] = ("tokenizer.json", "tokenizer_config.json", "source.spm", "target.spm", "vocab.json", "target_vocab.json", "sentencepiece.bpe.model")


def edit_config(folder: Path, **fields) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields, indent=2) + "\n")


def drop_positions(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({name: tensor for name, tensor in load_file(path).items() if "embed_positions" not in name}, path)


def old_normed(folder: Path) -> None:
    """An OPUS model of an old release whose embeddings are normalised: BART with positions that no file holds."""
    drop_positions(folder)
    edit_config(folder, static_position_embeddings=True, normalize_embedding=True, normalize_before=False, add_final_layer_norm=False)


def only_pieces(folder: Path) -> None:
    (folder / "tokenizer.json").unlink(missing_ok=True)


def marian(**fields):
    def config(tokenizer):
        pad = tokenizer.convert_tokens_to_ids("<pad>")
        return MarianConfig(
            **SIZES, vocab_size=len(tokenizer.encoder), pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0,
            forced_eos_token_id=0, bad_words_ids=[[pad]], scale_embedding=True, **fields,
        )
    return config


def separate(tokenizer):
    # Padding of outputs has another number than that of sources.
    pad = max(tokenizer.decoder)
    return MarianConfig(
        **SIZES, vocab_size=len(tokenizer.encoder), decoder_vocab_size=len(tokenizer.decoder), pad_token_id=tokenizer.encoder["<pad>"],
        decoder_start_token_id=pad, eos_token_id=0, forced_eos_token_id=None, share_encoder_decoder_embeddings=False,
        activation_function="relu", scale_embedding=True,
    )


def own_target_table(model: torch.nn.Module) -> None:
    """transformers makes both tables of the size of the source's."""
    table = torch.nn.Embedding(model.config.decoder_vocab_size, model.config.d_model)
    model.model.set_decoder_input_embeddings(table)
    model.lm_head.weight = table.weight


def ids(tokenizer) -> dict:
    return {"vocab_size": len(tokenizer), "bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}


KINDS: dict[str, Kind] = {
    "marian-separate": Kind(lambda work: marian_tokenizer(work, True), separate, adapt=own_target_table),
    "marian-old": Kind(
        lambda work: marian_tokenizer(work, False), marian(activation_function="swish"),
        change=lambda folder: edit_config(
            folder, model_type="bart", static_position_embeddings=True, normalize_embedding=False, normalize_before=False,
            add_final_layer_norm=False, extra_pos_embeddings=0,
        ),
        spread=0.6,
    ),
    "marian-gelu": Kind(lambda work: marian_tokenizer(work, False), marian(activation_function="gelu")),
    "marian-normed": Kind(
        lambda work: marian_tokenizer(work, False),
        lambda tokenizer: BartConfig(
            **SIZES, vocab_size=len(tokenizer.encoder), pad_token_id=tokenizer.convert_tokens_to_ids("<pad>"), eos_token_id=0,
            decoder_start_token_id=tokenizer.convert_tokens_to_ids("<pad>"), forced_eos_token_id=None, scale_embedding=True,
            activation_function="relu",
        ),
        change=old_normed,
    ),
    "bart": Kind(
        bart_tokenizer,
        lambda tokenizer: BartConfig(**SIZES, **ids(tokenizer), decoder_start_token_id=2, forced_bos_token_id=0, forced_eos_token_id=2),
    ),
    "mbart": Kind(
        lambda work: MBartTokenizerFast(fairseq_pieces(work), src_lang="en_XX", tgt_lang="ro_RO"),
        lambda tokenizer: MBartConfig(
            **SIZES, **ids(tokenizer), decoder_start_token_id=tokenizer.convert_tokens_to_ids("ro_RO"), scale_embedding=True,
        ),
        languages=[(None, None), ("de_DE", "ro_RO")],
    ),
    "mbart50": Kind(
        lambda work: MBart50TokenizerFast(fairseq_pieces(work), src_lang="en_XX", tgt_lang="de_DE"),
        lambda tokenizer: MBartConfig(
            **SIZES, **ids(tokenizer), decoder_start_token_id=2, forced_bos_token_id=tokenizer.convert_tokens_to_ids("fr_XX"),
            activation_function="relu",
        ),
        languages=[(None, "fr_XX"), ("de_DE", "en_XX")],
    ),
    "m2m100": Kind(
        m2m_tokenizer,
        lambda tokenizer: M2M100Config(
            **SIZES, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2, scale_embedding=True,
            # Padding within an output would have no place of its own.
            bad_words_ids=[[1]],
            vocab_size=len(tokenizer.encoder) + 108,
        ),
        languages=[(None, None), ("fr", "en"), ("de", "zu")],
    ),
    "nllb": Kind(
        lambda work: NllbTokenizerFast(fairseq_pieces(work), src_lang="eng_Latn", tgt_lang="deu_Latn"),
        lambda tokenizer: M2M100Config(
            **SIZES | {"encoder_layers": 1}, **ids(tokenizer), decoder_start_token_id=2, scale_embedding=True, activation_function="gelu",
            bad_words_ids=[[1]],
        ),
        languages=[("eng_Latn", "deu_Latn"), ("deu_Latn", "zho_Hans")],
    ),
    "pegasus": Kind(
        lambda work: T5TokenizerFast(t5_pieces(work), extra_ids=0),
        lambda tokenizer: PegasusConfig(
            **SIZES, vocab_size=len(tokenizer), pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, forced_eos_token_id=1,
            scale_embedding=True, activation_function="relu", tie_word_embeddings=True,
        ),
    ),
    "t5": Kind(
        lambda work: T5TokenizerFast(t5_pieces(work), extra_ids=4),
        lambda tokenizer: T5Config(
            **T5_SIZES, vocab_size=len(tokenizer) + 2, decoder_start_token_id=0, relative_attention_num_buckets=8,
            relative_attention_max_distance=16,
        ),
    ),
    "mt5": Kind(
        lambda work: T5Tokenizer(t5_pieces(work), extra_ids=0, legacy=False),
        lambda tokenizer: MT5Config(
            **T5_SIZES, vocab_size=len(tokenizer), feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0,
        ),
        change=only_pieces,
        keep=("spiece.model", "tokenizer_config.json"),
    ),
    "mt5-tied": Kind(
        lambda work: T5Tokenizer(t5_pieces(work), extra_ids=0, legacy=False),
        lambda tokenizer: MT5Config(
            **T5_SIZES | {"d_kv": 5}, vocab_size=len(tokenizer), feed_forward_proj="gated-gelu", tie_word_embeddings=True,
            decoder_start_token_id=0,
        ),
        change=only_pieces,
        keep=("spiece.model", "tokenizer_config.json"),
    ),
    # With a spread of 0.5 transformers itself, given its channels in another order, differs by 1.8e-4 from what 64 bits give: attention
    # is not scaled, so sums in another order choose other keys.
    "t5-gated-silu": Kind(
        lambda work: T5TokenizerFast(t5_pieces(work), extra_ids=6),
        lambda tokenizer: T5Config(
            **T5_SIZES | {"d_kv": 8}, vocab_size=len(tokenizer), feed_forward_proj="gated-silu", tie_word_embeddings=False,
            decoder_start_token_id=0,
        ),
        spread=0.3,
    ),
}


def randomise(model: torch.nn.Module, seed: int, layers: float) -> None:
    """Weights that tell positions and tokens apart: attention is sharp, norms and biases are not what they start as."""
    generator = torch.Generator().manual_seed(seed)
    tensors = [*model.named_parameters(), *((name, tensor) for name, tensor in model.named_buffers() if "bias" in name)]
    for name, tensor in tensors:
        # What tables of tokens say is less than what layers make of it, so that outputs are not one token again and again.
        table = "embed" in name or "shared" in name
        spread = (0.4 if table else layers) if tensor.dim() > 1 else 0.2
        values = torch.randn(tensor.shape, generator=generator) * spread
        norm = tensor.dim() == 1 and "norm" in name and name.endswith("weight")
        with torch.no_grad():
            if tensor.requires_grad or "bias" in name:
                tensor.copy_(values + (1 if norm else 0))


@torch.no_grad()
def liveliest(model: transformers.PreTrainedModel, tokenizer, layers: float) -> int:
    """The seed of a few whose outputs have the most different tokens: such weights show more of what they compute."""
    def tokens(seed: int) -> int:
        randomise(model, seed, layers)
        options = {"max_new_tokens": NEW_TOKENS, "do_sample": False, "use_cache": False, "num_beams": 1}
        rows = [model.generate(tokenizer(text, return_tensors="pt").input_ids, **options)[0].tolist() for text in TEXTS[:3]]
        return sum(len(set(row)) for row in rows)
    return max(range(6), key=tokens)


def trimmed(tokens: list[int], end: int) -> list[int]:
    """The output without its end token and what comes after."""
    return tokens[: tokens.index(end)] if end in tokens else tokens


@torch.no_grad()
def row(model: transformers.PreTrainedModel, tokenizer, text: str, source: str | None, target: str | None) -> dict:
    """Logits after every token of the best output, greedy outputs, and the n-best lists of beam search."""
    if source is not None:
        default, tokenizer.src_lang = tokenizer.src_lang, source
    input_ids = tokenizer(text, return_tensors="pt").input_ids
    if source is not None:
        tokenizer.src_lang = default
    config = model.config
    beginning = [config.decoder_start_token_id]
    if model.generation_config.forced_bos_token_id is not None:
        beginning.append(model.generation_config.forced_bos_token_id)
    wanted = target or getattr(tokenizer, "tgt_lang", None)
    if wanted is not None and config.decoder_start_token_id == config.eos_token_id:
        token = tokenizer.get_lang_id(wanted) if hasattr(tokenizer, "get_lang_id") else tokenizer.convert_tokens_to_ids(wanted)
        beginning = [config.decoder_start_token_id, token]
    end = config.eos_token_id
    # The usual call: a forced token is one more new token, and counts in the length that scores are divided by.
    forced = beginning[1:]
    options = {
        "decoder_input_ids": torch.tensor([beginning[:1]]), "max_new_tokens": NEW_TOKENS + len(forced), "do_sample": False,
        "forced_bos_token_id": forced[0] if forced else None, "forced_eos_token_id": None, "use_cache": False, "renormalize_logits": True,
    }
    greedy = model.generate(input_ids, **options)[0, len(beginning):].tolist()
    beam = model.generate(input_ids, **options, num_beams=4, num_return_sequences=4, output_scores=True, return_dict_in_generate=True)
    output = trimmed(greedy, end)
    logits = model(input_ids, decoder_input_ids=torch.tensor([[*beginning, *output[:8]]])).logits[0]
    return {
        "text": text, "sourceLanguage": source, "targetLanguage": target, "source": input_ids[0].tolist(), "beginning": beginning,
        "logits": [[round(value, 6) for value in values] for values in logits[-4:].tolist()],
        "prefix": [*beginning, *output[:8]],
        "greedy": output,
        "said": tokenizer.decode(output, skip_special_tokens=True, clean_up_tokenization_spaces=False),
        "beam": [trimmed(tokens[len(beginning):].tolist(), end) for tokens in beam.sequences],
        "scores": [round(score, 6) for score in beam.sequences_scores.tolist()],
    }


def write(kind: Kind, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        tokenizer = kind.tokenizer(work)
        config = kind.config(tokenizer)
        config._attn_implementation = "eager"
        model = transformers.AutoModelForSeq2SeqLM.from_config(config)
        if kind.adapt is not None:
            kind.adapt(model)
        model.eval()
        randomise(model, liveliest(model, tokenizer, kind.spread), kind.spread)
        if kind.change is old_normed:
            from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding
            sinusoids = MarianSinusoidalPositionalEmbedding(64, 16)
            sinusoids._init_weight()
            for side in (model.model.encoder, model.model.decoder):
                side.embed_positions.weight.data[2:] = sinusoids.weight
        model.save_pretrained(folder)
        tokenizer.save_pretrained(work / "tokenizer")
        for name in kind.keep:
            if (work / "tokenizer" / name).exists():
                shutil.copy(work / "tokenizer" / name, folder / name)
        if kind.adapt is None:
            model = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
        else:
            # Beam search of transformers counts the tokens of the source.
            model.config.vocab_size = model.config.decoder_vocab_size
        model.eval()
        rows = [row(model, tokenizer, text, *kind.languages[index % len(kind.languages)]) for index, text in enumerate(TEXTS)]
        suppressed = [words[0] for words in model.generation_config.bad_words_ids or []]
        kind.change(folder)
        (folder / "expected.json").write_text(json.dumps({"suppressed": suppressed, "rows": rows}) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=None)
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name, kind in KINDS.items():
        if args.only not in (None, name):
            continue
        shutil.rmtree(args.out / name, ignore_errors=True)
        torch.manual_seed(0)
        write(kind, args.out / name)


if __name__ == "__main__":
    main()
