"""Writes tiny random masked language models (BERT and its relatives) as weights folders, one for each kind of config, with what
transformers computes of them: the goldens that hold Foretoken's importer of such models to another implementation.

    python make_fill_mask_goldens.py --out ../../packages/models/test/goldens/fill-mask
"""
from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, DistilBertConfig, PretrainedConfig, PreTrainedTokenizerFast, RobertaConfig, XLMRobertaConfig

WORDS = "the capital of france is paris a dog runs over grass big red old new . , ! ? and in rome italy berlin".split()
PIECES = "##s ##ing ##ed ##ly ##n".split()
SIZES = {"hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4}
CANDIDATES = 5
TEXTS = [
    "The capital of France is {mask}.",
    "A {mask} dog {mask} over the {mask}.",
    "{mask} {mask} {mask}",
    "Rome, {mask} and Berlin! A zebra {mask}s in grass?",
    "the {mask}",
]


def wordpieces() -> PreTrainedTokenizerFast:
    named = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokens = [*named, *WORDS, *[chr(97 + i) for i in range(26)][1:], *PIECES]
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(named)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


ANGLED = ["<s>", "<pad>", "</s>", "<unk>"]
ANGLED_NAMES = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}


def bytes_in_pairs() -> PreTrainedTokenizerFast:
    """Byte-level BPE; the space before a mask belongs to the mask."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pairs = [("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("i", "n"), ("Ġ", "a"), ("o", "g"), ("Ġ", "d"), ("Ġd", "og"), ("r", "u"), ("Ġ", "ru")]
    tokens = [*ANGLED, *letters, *["".join(pair) for pair in pairs], "<mask>"]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, merges=pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return angled(tokenizer, processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False))


def pieces() -> PreTrainedTokenizerFast:
    """Unigram pieces."""
    words = ["▁" + word for word in ["The", "A", "Rome", "France", "Berlin", *WORDS]]
    letters = [chr(code) for start in (65, 97) for code in range(start, start + 26)]
    vocabulary = [(token, 0.0) for token in ANGLED] + [(word, -3.0) for word in words]
    vocabulary += [(letter, -8.0) for letter in ["▁", *letters, *".,!?"]] + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return angled(tokenizer, processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)],
    ))


def angled(tokenizer: Tokenizer, around: processors.PostProcessor) -> PreTrainedTokenizerFast:
    mask = AddedToken("<mask>", lstrip=True, special=True)
    tokenizer.add_special_tokens([*ANGLED, mask])
    tokenizer.post_processor = around
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ANGLED_NAMES, mask_token=mask)


def kinds() -> dict[str, tuple[PretrainedConfig, torch.dtype, PreTrainedTokenizerFast]]:
    """Each kind: its config, how its weights are stored, and its tokenizer."""
    of_bert, of_roberta, of_xlm = wordpieces(), bytes_in_pairs(), pieces()
    bert = SIZES | {"vocab_size": len(of_bert), "max_position_embeddings": 24}
    angled_sizes = SIZES | {"max_position_embeddings": 66, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_act": "gelu_new"}
    return {
        "bert": (BertConfig(**bert), torch.float32, of_bert),
        # As the first checkpoints name their norms, with a table of its own for the scores.
        "bert-old": (BertConfig(**bert, hidden_act="relu", tie_word_embeddings=False), torch.float16, of_bert),
        "roberta": (RobertaConfig(**angled_sizes, vocab_size=len(of_roberta)), torch.float32, of_roberta),
        "xlm-roberta": (XLMRobertaConfig(**angled_sizes, vocab_size=len(of_xlm)), torch.bfloat16, of_xlm),
        "distilbert": (
            DistilBertConfig(
                vocab_size=len(of_bert), max_position_embeddings=24, dim=32, hidden_dim=40, n_layers=2, n_heads=4,
                sinusoidal_pos_embds=True,
            ), torch.float32, of_bert,
        ),
    }


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights that tell positions and tokens apart: norms and biases are not what they start as."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in model.named_parameters():
        values = torch.randn(tensor.shape, generator=generator) * (0.25 if tensor.dim() > 1 else 0.2)
        norm = tensor.dim() == 1 and "norm" in name.lower() and name.endswith("weight")
        with torch.no_grad():
            tensor.copy_(values + (1 if norm else 0))


@torch.no_grad()
def goldens(model: transformers.PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> dict:
    """Logits at the masks of each text, all filled at once, and one after the other, the surest first."""
    mask = tokenizer.mask_token_id
    rows = []
    for template in TEXTS:
        text = template.replace("{mask}", tokenizer.mask_token)
        source = tokenizer(text).input_ids
        places = [place for place, token in enumerate(source) if token == mask]
        logits = model(torch.tensor([source])).logits[0]
        allowed = logits.clone()
        allowed[:, mask] = -torch.inf
        best = allowed[places].topk(CANDIDATES)
        at_once = best.indices[:, 0].tolist()
        rows.append({
            "text": text,
            "source": source,
            "logits": [[round(value, 6) for value in row] for row in logits[places].tolist()],
            "candidates": best.indices.tolist(),
            "probabilities": [
                [round(value, 8) for value in logits[place].softmax(-1)[ids].tolist()] for place, ids in zip(places, best.indices)
            ],
            "spelled": [tokenizer.decode([token]) for token in at_once],
            "atOnce": at_once,
            "filled": filled(tokenizer, source, places, at_once),
            "oneByOne": one_by_one(model, source, places, mask),
        })
    return {"mask": tokenizer.mask_token, "maskTokenId": mask, "rows": rows}


def filled(tokenizer: PreTrainedTokenizerFast, source: list[int], places: list[int], tokens: list[int]) -> str:
    whole = list(source)
    for place, token in zip(places, tokens):
        whole[place] = token
    return tokenizer.decode(whole, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def one_by_one(model: transformers.PreTrainedModel, source: list[int], places: list[int], mask: int) -> list[int]:
    whole, left = torch.tensor([source]), list(places)
    while left:
        scores = model(whole).logits[0].log_softmax(-1)
        scores[:, mask] = -torch.inf
        place = max(left, key=lambda at: scores[at].max().item())
        whole[0, place] = scores[place].argmax()
        left.remove(place)
    return whole[0, places].tolist()


def as_at_first(file: Path) -> None:
    """Norms as TensorFlow named them, and the bias of the scores without its second name."""
    tensors = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in load_file(file).items()
        if name != "cls.predictions.decoder.bias"
    }
    assert "cls.predictions.bias" in tensors and "cls.predictions.decoder.weight" in tensors
    save_file(tensors, file, {"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    for seed, (kind, (config, dtype, tokenizer)) in enumerate(kinds().items()):
        folder = args.out / kind
        shutil.rmtree(folder, ignore_errors=True)
        config._attn_implementation = "eager"
        config.pad_token_id = tokenizer.pad_token_id
        model = transformers.AutoModelForMaskedLM.from_config(config)
        randomise(model, seed)
        model.to(dtype).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        for unused in ("special_tokens_map.json", "vocab.txt"):
            (folder / unused).unlink(missing_ok=True)
        loaded = transformers.AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        (folder / "expected.json").write_text(json.dumps(goldens(loaded, tokenizer), ensure_ascii=False) + "\n")
        if kind == "bert-old":
            as_at_first(folder / "model.safetensors")


if __name__ == "__main__":
    main()
