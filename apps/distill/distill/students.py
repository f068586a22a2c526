"""Non-autoregressive students on the frozen states of a Marian encoder, in plain PyTorch.

Each is a stack of Marian layers whose weights can start from the teacher's decoder; what they predict differs:
a canvas (CMLM, NAT), the edits of a text (Levenshtein), or the vertices and links of a directed acyclic graph.
"""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import CtcStudent, DropoutPool, Layer, Marian, MarianShape, sinusoids

LENGTH_CLASSES = 64
LENGTH_OFFSET = 32


def initialise(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)


@torch.no_grad()
def widened(layer: Layer, other: Layer) -> None:
    """Copies `other` into `layer`, whose feed-forward may be a multiple as wide: units are repeated and their outputs shared
    out, so that the function stays the same (Chen et al., 2016, "Net2Net"); a little noise lets the copies part."""
    state = {k: v.clone() for k, v in other.state_dict().items()}
    times = layer.fc1.weight.shape[0] // other.fc1.weight.shape[0]
    if times > 1:
        fc1 = state["fc1.weight"].repeat(times, 1)
        state["fc1.weight"] = fc1 + 0.05 * fc1.std() * torch.randn(fc1.shape)
        state["fc1.bias"] = state["fc1.bias"].repeat(times)
        state["fc2.weight"] = state["fc2.weight"].repeat(1, times) / times
    layer.load_state_dict(state)


def laid_out(hints: list[Tensor], time: int, shift: int) -> Tensor:
    """Hints `[tokens, features]` on canvases of `time` positions, zeros before and after them."""
    out = torch.zeros(len(hints), time, hints[0].shape[1])
    for row, hint in enumerate(hints):
        count = min(len(hint), time - shift)
        if count > 0:
            out[row, shift : shift + count] = hint[:count]
    return out


class CanvasStudent(nn.Module):
    """Predicts every position of a canvas at once: masked positions from the others and from the source.

    `embedding [vocab, width]` belongs to the encoder and stays as it is; without an encoder it is the student's own.
    The head scores only `token_ids`. With `reads_hints` each position is also given the token that a hint of the CTC student
    has there, and the student's state of it: the source read in the target's order, where a NAT's decoder gets copies of source
    tokens (Gu et al., 2018, "Non-Autoregressive Neural Machine Translation", section 3.1).
    """

    def __init__(self, shape: MarianShape, token_ids: Tensor, mask_token: int, layers: int = 4, feed_forward: int = 512,
                 cross: bool = True, reads_hints: bool = False) -> None:
        super().__init__()
        self.shape, self.mask_token, self.feed_forward, self.cross = shape, mask_token, feed_forward, cross
        self.reads_hints = reads_hints
        width = shape.width
        self.layers = nn.ModuleList(Layer(shape, cross, feed_forward) for _ in range(layers))
        self.mask = nn.Parameter(torch.randn(width) * 0.5)
        self.head = nn.Parameter(torch.randn(len(token_ids), width) * width**-0.5)
        self.head_bias = nn.Parameter(torch.zeros(len(token_ids)))
        if cross:
            self.length_hidden = nn.Linear((3 if reads_hints else 2) * width, width)
            self.length_out = nn.Linear(width, LENGTH_CLASSES)
        self.register_buffer("token_ids", token_ids)
        self.register_buffer("positions", sinusoids(shape.max_positions, width), persistent=False)
        if cross:
            self.register_buffer("embedding", torch.zeros(shape.vocabulary_size, width), persistent=False)
        else:
            self.embedding = nn.Parameter(torch.randn(shape.vocabulary_size, width) * width**-0.5)
        initialise(self)
        if reads_hints:
            self.hints = nn.Linear(2 * width, width, bias=False)
            # A student that did not read it before goes on as it was.
            nn.init.zeros_(self.hints.weight)

    @torch.no_grad()
    def start_from_teacher(self, teacher: Marian) -> None:
        for index, layer in enumerate(self.layers):
            widened(layer, teacher.decoder[min(index, len(teacher.decoder) - 1)])
        self.head.copy_(teacher.shared.weight[self.token_ids])
        self.head_bias.copy_(teacher.final_logits_bias[self.token_ids])
        self.embedding.copy_(teacher.shared.weight)
        # The start token's embedding means "say something here" to the teacher's decoder.
        self.mask.copy_(teacher.shared.weight[-1] * math.sqrt(self.shape.width))

    def hidden(self, tokens: Tensor, valid: Tensor, states: Tensor | None, source_mask: Tensor | None, drop: DropoutPool,
               hints: list[Tensor] | None = None, shift: int = 0) -> Tensor:
        """`tokens`, `valid` `[batch, time]`; the hidden states of every position.

        `hints` are `[tokens, 2 * width]`, states and embeddings of their tokens. `shift` positions come before a hint.
        """
        embedded = F.embedding(tokens, self.embedding) * math.sqrt(self.shape.width)
        embedded = torch.where((tokens == self.mask_token)[..., None], self.mask, embedded)
        if self.reads_hints:
            embedded = embedded + self.hints(laid_out(hints, tokens.shape[1], shift))
        x = drop(embedded + self.positions[: tokens.shape[1]])
        for layer in self.layers:
            x = layer(x, drop, valid[:, None, None, :], False, states, source_mask)
        return x

    def length_logits(self, states: Tensor, source_mask: Tensor, hints: list[Tensor] | None = None) -> Tensor:
        keep = source_mask[:, 0, 0, :, None]
        mean = (states * keep).sum(dim=1) / keep.sum(dim=1)
        most = states.masked_fill(~keep, -1e4).amax(dim=1)
        pooled = [mean, most]
        if self.reads_hints:
            more = torch.tensor([len(hint) for hint in hints]) - keep[:, :, 0].sum(dim=1)
            pooled.append(self.positions[(more + LENGTH_OFFSET).clamp(0, LENGTH_CLASSES - 1)])
        return self.length_out(F.silu(self.length_hidden(torch.cat(pooled, dim=-1))))


class EditStudent(CanvasStudent):
    """A canvas student that also says what to delete and where to insert (Gu et al., 2019, "Levenshtein Transformer")."""

    def __init__(self, shape: MarianShape, token_ids: Tensor, mask_token: int, layers: int = 4, feed_forward: int = 512,
                 max_placeholders: int = 15, reads_hints: bool = False) -> None:
        super().__init__(shape, token_ids, mask_token, layers, feed_forward, reads_hints=reads_hints)
        del self.length_hidden, self.length_out
        self.max_placeholders = max_placeholders
        self.deletion = nn.Linear(shape.width, 2)
        self.placeholder = nn.Linear(2 * shape.width, max_placeholders + 1)

    def gap_logits(self, hidden: Tensor) -> Tensor:
        return self.placeholder(torch.cat([hidden[:, :-1], hidden[:, 1:]], dim=-1))


class DagStudent(nn.Module):
    """Vertices with tokens and links between them (Huang et al., 2022, "Directed Acyclic Transformer").

    The stack is that of the CTC student, a vertex for a frame; vertex 0 says the start token, the last one the end token.
    """

    def __init__(self, shape: MarianShape, token_ids: Tensor, upsample: int = 2, source_layers: int = 2,
                 frame_layers: int = 4, feed_forward: int = 512, link_heads: int = 4) -> None:
        super().__init__()
        width = shape.width
        self.trunk = CtcStudent(shape, token_ids[:0], upsample, source_layers, frame_layers, feed_forward)
        self.shape, self.upsample, self.feed_forward, self.link_heads = shape, upsample, feed_forward, link_heads
        self.head = nn.Parameter(torch.randn(len(token_ids), width) * width**-0.5)
        self.head_bias = nn.Parameter(torch.zeros(len(token_ids)))
        self.query, self.key, self.gate = nn.Linear(2 * width, width), nn.Linear(2 * width, width), nn.Linear(2 * width, link_heads)
        self.register_buffer("token_ids", token_ids)
        for part in (self.query, self.key, self.gate):
            initialise(part)

    @torch.no_grad()
    def start_from_ctc(self, student: CtcStudent, teacher: Marian) -> None:
        """Takes over the stack, and the head for the tokens both know; the student may have fewer vertices a state."""
        wider = self.trunk
        for side in ("source_layers", "frame_layers"):
            known = list(getattr(student, side))
            for index, layer in enumerate(getattr(wider, side)):
                layer.load_state_dict(known[min(index, len(known) - 1)].state_dict())
        width = self.shape.width
        for vertex in range(self.upsample):
            frame = vertex * student.upsample // self.upsample
            for ours, theirs in ((wider.up.weight, student.up.weight), (wider.up.bias, student.up.bias)):
                ours[vertex * width : (vertex + 1) * width].copy_(theirs[frame * width : (frame + 1) * width])
        self.head.copy_(teacher.shared.weight[self.token_ids])
        known_rows = {int(t): row for row, t in enumerate(student.token_ids)}
        for row, token in enumerate(self.token_ids.tolist()):
            if token in known_rows:
                self.head[row].copy_(student.head[known_rows[token]])
                self.head_bias[row].copy_(student.head_bias[known_rows[token]])

    def vertices(self, states: Tensor, source_mask: Tensor, drop: DropoutPool, given: Tensor | None = None) -> Tensor:
        """Hidden states `[batch, vertices, width]`; `given` is added to the vertices' inputs (glancing)."""
        trunk = self.trunk
        batch, length, width = states.shape
        x = drop(states)
        for layer in trunk.source_layers:
            x = layer(x, drop, source_mask, False)
        x = trunk.up(x).view(batch, length * self.upsample, width) + trunk.positions[: length * self.upsample]
        if given is not None:
            x = x + given
        x = drop(x)
        mask = source_mask.repeat_interleave(self.upsample, dim=-1)
        for layer in trunk.frame_layers:
            x = layer(x, drop, mask, False)
        return x

    def links(self, hidden: Tensor, valid: Tensor) -> Tensor:
        """Natural-log probabilities of the edges `[batch, from, to]`; `valid [batch, vertices]`."""
        batch, count, width = hidden.shape
        features = torch.cat([hidden, self.trunk.positions[:count].expand(batch, -1, -1)], dim=-1)
        split = lambda x: x.unflatten(-1, (self.link_heads, -1)).transpose(1, 2)
        scores = split(self.query(features)) @ split(self.key(features)).transpose(2, 3) / math.sqrt(width // self.link_heads)
        later = torch.ones(count, count, dtype=torch.bool).triu(1)
        allowed = later[None, None] & valid[:, None, None, :]
        # A finite bound: the last vertex has no edge, and a row of -inf would have no softmax.
        edges = scores.masked_fill(~allowed, -1e9).log_softmax(dim=-1)
        gates = self.gate(features).log_softmax(dim=-1).transpose(1, 2)[..., None]
        return (edges + gates).logsumexp(dim=1).masked_fill(~allowed[:, 0], -1e9)
