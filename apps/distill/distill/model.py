"""Plain PyTorch Marian (post-norm, SiLU, sinusoidal positions) and its CTC student.

Parameter names, after `to_hugging_face`, are those of Hugging Face `MarianMTModel`, so one checkpoint serves
Hugging Face, CTranslate2 and Foretoken's importer. Attention keeps one fused query-key-value matrix while
training, because the CPU spends more time launching small products than computing them.
"""
from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class MarianShape:
    vocabulary_size: int
    width: int = 128
    heads: int = 4
    feed_forward: int = 256
    encoder_layers: int = 4
    decoder_layers: int = 4
    max_positions: int = 256

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class DropoutPool:
    """Dropout masks cut at random offsets from one precomputed pool: drawing fresh ones costs more than the layer."""

    def __init__(self, rate: float, seed: int, size: int = 1 << 23) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.rate = rate
        self.size = size
        keep = torch.rand(size + (1 << 22), generator=generator) >= rate
        self.mask = keep.float() / (1.0 - rate)
        self.offsets = torch.Generator().manual_seed(seed + 1)

    def __call__(self, x: Tensor) -> Tensor:
        if self.rate == 0.0 or not torch.is_grad_enabled():
            return x
        count = x.numel()
        if count > (1 << 22):
            return F.dropout(x, self.rate)
        start = int(torch.randint(self.size, (1,), generator=self.offsets))
        return x * self.mask[start : start + count].view(x.shape)


def sinusoids(positions: int, width: int) -> Tensor:
    """Sines in the first half, cosines in the second, as Marian lays them out."""
    half = width // 2
    rates = torch.exp(torch.arange(half, dtype=torch.float64) * (-2.0 * math.log(10000.0) / width))
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, cross: bool) -> None:
        super().__init__()
        self.heads, self.cross = heads, cross
        if cross:
            self.query = nn.Linear(width, width)
            self.key_value = nn.Linear(width, 2 * width)
        else:
            self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, memory: Tensor | None, mask: Tensor | None, causal: bool) -> Tensor:
        if self.cross:
            query = self.query(x)
            key, value = self.key_value(memory).chunk(2, dim=-1)
        else:
            query, key, value = self.query_key_value(x).chunk(3, dim=-1)
        # Under autocast the products run in bf16, twice as fast; the backward pass of attention would be eight times slower.
        with torch.autocast("cpu", enabled=False):
            attended = F.scaled_dot_product_attention(
                self.split(query.float()), self.split(key.float()), self.split(value.float()), attn_mask=mask,
                is_causal=causal,
            )
        return self.out(attended.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, shape: MarianShape, cross: bool, feed_forward: int | None = None) -> None:
        super().__init__()
        hidden = feed_forward or shape.feed_forward
        self.self_attn = Attention(shape.width, shape.heads, cross=False)
        self.self_attn_layer_norm = nn.LayerNorm(shape.width)
        if cross:
            self.encoder_attn = Attention(shape.width, shape.heads, cross=True)
            self.encoder_attn_layer_norm = nn.LayerNorm(shape.width)
        self.cross = cross
        self.fc1 = nn.Linear(shape.width, hidden)
        self.fc2 = nn.Linear(hidden, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(
        self, x: Tensor, drop: DropoutPool, self_mask: Tensor | None, causal: bool,
        memory: Tensor | None = None, memory_mask: Tensor | None = None,
    ) -> Tensor:
        x = self.self_attn_layer_norm(x + drop(self.self_attn(x, None, self_mask, causal)))
        if self.cross:
            x = self.encoder_attn_layer_norm(x + drop(self.encoder_attn(x, memory, memory_mask, False)))
        return self.final_layer_norm(x + drop(self.fc2(F.silu(self.fc1(x)))))


class Marian(nn.Module):
    """Encoder-decoder with one embedding shared by source, target and output."""

    def __init__(self, shape: MarianShape) -> None:
        super().__init__()
        self.shape = shape
        self.shared = nn.Embedding(shape.vocabulary_size, shape.width)
        self.encoder = nn.ModuleList(Layer(shape, cross=False) for _ in range(shape.encoder_layers))
        self.decoder = nn.ModuleList(Layer(shape, cross=True) for _ in range(shape.decoder_layers))
        self.final_logits_bias = nn.Parameter(torch.zeros(shape.vocabulary_size))
        self.register_buffer("positions", sinusoids(shape.max_positions, shape.width), persistent=False)
        nn.init.normal_(self.shared.weight, std=shape.width**-0.5)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    @torch.no_grad()
    def reshaped(self, encoder_layers: int, decoder_layers: int) -> Marian:
        """A model of other depths that starts from this one's weights."""
        other = Marian(replace(self.shape, encoder_layers=encoder_layers, decoder_layers=decoder_layers))
        other.shared.load_state_dict(self.shared.state_dict())
        other.final_logits_bias.copy_(self.final_logits_bias)
        for side in ("encoder", "decoder"):
            known = list(getattr(self, side))
            for index, layer in enumerate(getattr(other, side)):
                layer.load_state_dict(known[min(index, len(known) - 1)].state_dict())
        return other

    def embed(self, token_ids: Tensor) -> Tensor:
        return self.shared(token_ids) * math.sqrt(self.shape.width) + self.positions[: token_ids.shape[1]]

    def encode(self, source: Tensor, source_mask: Tensor, drop: DropoutPool) -> Tensor:
        x = drop(self.embed(source))
        for layer in self.encoder:
            x = layer(x, drop, source_mask, False)
        return x

    def decode(self, target: Tensor, memory: Tensor, memory_mask: Tensor, drop: DropoutPool) -> Tensor:
        x = drop(self.embed(target))
        for layer in self.decoder:
            x = layer(x, drop, None, True, memory, memory_mask)
        return x


class CtcStudent(nn.Module):
    """CTC head on a frozen encoder: source states are refined, each becomes `upsample` frames, and those are refined.

    Layers before the upsampling see half the positions and so cost half as much. The head scores only `token_ids` (the
    tokens that occur in the training targets) and the blank, its last row. The states are those after the encoder's first
    `encoder_layers`, 0 for its embeddings; by default its last ones.
    """

    def __init__(self, shape: MarianShape, token_ids: Tensor, upsample: int = 2, source_layers: int = 2,
                 frame_layers: int = 2, feed_forward: int = 512, encoder_layers: int | None = None) -> None:
        super().__init__()
        self.shape, self.upsample, self.feed_forward = shape, upsample, feed_forward
        self.encoder_layers = encoder_layers
        self.up = nn.Linear(shape.width, upsample * shape.width)
        self.source_layers = nn.ModuleList(Layer(shape, False, feed_forward) for _ in range(source_layers))
        self.frame_layers = nn.ModuleList(Layer(shape, False, feed_forward) for _ in range(frame_layers))
        self.head = nn.Parameter(torch.empty(len(token_ids) + 1, shape.width))
        self.head_bias = nn.Parameter(torch.zeros(len(token_ids) + 1))
        self.register_buffer("token_ids", token_ids)
        self.register_buffer("positions", sinusoids(upsample * shape.max_positions, shape.width), persistent=False)
        nn.init.normal_(self.head, std=shape.width**-0.5)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, states: Tensor, source_mask: Tensor, drop: DropoutPool) -> Tensor:
        return self.exits(states, source_mask, drop)[-1]

    def exits(self, states: Tensor, source_mask: Tensor, drop: DropoutPool) -> list[Tensor]:
        """The frames after each frame layer; the head reads the last, and in training an earlier one as well."""
        batch, length, width = states.shape
        x = drop(states)
        for layer in self.source_layers:
            x = layer(x, drop, source_mask, False)
        x = self.up(x).view(batch, length * self.upsample, width)
        x = drop(x + self.positions[: x.shape[1]])
        frame_mask = source_mask.repeat_interleave(self.upsample, dim=-1)
        exits = []
        for layer in self.frame_layers:
            x = layer(x, drop, frame_mask, False)
            exits.append(x)
        return exits

    @torch.no_grad()
    def continue_from(self, other: CtcStudent) -> None:
        """Takes over another student's weights; a layer it lacks starts as a copy of its last one."""
        for side in ("source_layers", "frame_layers"):
            known = list(getattr(other, side))
            for index, layer in enumerate(getattr(self, side)):
                layer.load_state_dict(known[min(index, len(known) - 1)].state_dict())
        self.up.load_state_dict(other.up.state_dict())
        self.head.copy_(other.head)
        self.head_bias.copy_(other.head_bias)
