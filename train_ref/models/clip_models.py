"""CLIP by open_clip: its image tower as a body, its text tower as the first head.

Features are image embeddings of length 1 and the head's rows are the embeddings of class
sentences times the logit scale, so that an untrained model answers as CLIP does (Radford et al.,
2021, section 3.1) and training goes on from there (Wortsman et al., 2022, begin fine-tuning so).
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models.assembly import find_weights
from train_ref.models.classifier import Built, Classifier, InputConfig
from train_ref.models.download import Download, cached_on_hub, hub_url
from train_ref.models.loading import fill, is_of_classifier, load_weights
from train_ref.models.prompts import read_prompts
from train_ref.models.weights import State

__all__ = ["ClipBody", "build_clip"]

SENTENCES_AT_ONCE = 256
"""As many go through the text tower together."""
PREFERRED = ("datacomp_xl", "laion2b_s", "laion2b", "")
"""Beginnings of the tags of weights, the better ones first."""
HUB_FILE = "open_clip_model.safetensors"


class ClipBody(nn.Module):
    """CLIP's image tower: (n, 3, h, w) -> embeddings of length 1, shape (n, width)."""

    def __init__(self, visual: nn.Module) -> None:
        super().__init__()
        self.visual = visual

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the embeddings."""
        embeddings = self.visual(images)
        # CoCa's tower has its tokens beside the embedding.
        if isinstance(embeddings, tuple):
            embeddings = embeddings[0]
        return F.normalize(embeddings, dim=-1)


def build_clip(name: str, config: Config, classes: tuple[str, ...]) -> Built:
    """Build a CLIP model; without weights it has a random head, for its text tower knows nothing.

    Args:
        name: as in `open_clip.list_models()`; behind a colon the tag of its weights, as in
            `open_clip.list_pretrained()`, which also says how images are normalised and which
            activation they were trained with: give it with a file of weights, too.
        config: `clip_mode`: "fine-tune" trains all; "linear-probe" and "zero-shot" leave the
            body as it is. `prompts`: see :mod:`train_ref.models.prompts`.
        classes: that it is to tell apart.

    Raises:
        TrainError: open_clip is not installed or has no such model, the weights do not fit, or
            the prompts do not.
    """
    open_clip = _library(name)
    architecture, trained = _parse(open_clip, name)
    sentences = read_prompts(Path(config.prompts) if config.prompts else None, classes)
    create = _creator(open_clip, architecture, trained, config.image_size)
    net = create(None)
    width = open_clip.get_model_config(architecture)["embed_dim"]
    head = nn.Linear(width, len(classes))
    model = Classifier(ClipBody(net.visual), head, width, config.dropout)
    # Directions at random, until there are those of sentences or those that were trained.
    _set_head(head, net, F.normalize(torch.randn_like(head.weight), dim=-1))
    weights, origin = find_weights(config, _download(trained, create))
    if weights is not None and is_of_classifier(weights.state):
        origin += load_weights(model, weights, "head", classes)
    elif weights is not None:
        fill(net, weights.state)
        _set_head(head, net, _embed(net, _tokenizer(open_clip, architecture), sentences))
        origin += ", its head made of sentences"
    frozen = config.clip_mode != "fine-tune"
    model.body.requires_grad_(not frozen)
    return Built(model, _input_of(net, trained), origin + ".", frozen)


def _library(name: str) -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise TrainError(
            f"--model clip:{name}: open_clip is not installed; pip install 'fastload[clip]'."
        ) from error
    return open_clip


def _parse(open_clip: Any, name: str) -> tuple[str, dict[str, Any]]:
    """Architecture, and what open_clip knows of the weights by their tag."""
    architecture, _, tag = name.partition(":")
    known = open_clip.list_models()
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, n=3)
        meant = f" Is it {' or '.join(near)}?" if near else ""
        raise TrainError(f"--model clip:{name}: open_clip has no such model.{meant}")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if tag and tag not in tags:
        raise TrainError(
            f"--model clip:{name}: there are no weights {tag!r} of {architecture}; "
            f"there are {', '.join(tags) or 'none'}."
        )
    tag = tag or _default_tag(open_clip, architecture, tags)
    known_of_it = open_clip.get_pretrained_cfg(architecture, tag) if tag else {}
    return architecture, {**known_of_it, "tag": tag}


def _default_tag(open_clip: Any, architecture: str, tags: list[str]) -> str:
    """Weights whose activation is the architecture's, if any are; "" where there are none."""
    wanted = open_clip.get_model_config(architecture).get("quick_gelu", False)
    fitting = [
        tag
        for tag in tags
        if open_clip.get_pretrained_cfg(architecture, tag).get("quick_gelu", False) == wanted
    ]
    ranked = [tag for start in PREFERRED for tag in fitting or tags if tag.startswith(start)]
    return ranked[0] if ranked else ""


def _creator(
    open_clip: Any, architecture: str, trained: dict[str, Any], image_size: int | None
) -> Callable[[str | None], Any]:
    def create(pretrained: str | None) -> Any:
        try:
            with _quiet():
                return open_clip.create_model(
                    architecture,
                    pretrained,
                    # What was trained keeps its size: positions are fitted when it is loaded.
                    force_image_size=image_size if pretrained is None else None,
                    force_quick_gelu=trained.get("quick_gelu", False),
                    pretrained_text=False,
                )
        except (RuntimeError, ValueError, AssertionError) as error:
            raise TrainError(f"--model clip:{architecture} cannot be built: {error}") from error

    return create


def _download(trained: dict[str, Any], create: Callable[[str | None], Any]) -> Download | None:
    if not trained["tag"]:
        return None
    repository = trained.get("hf_hub", "").rstrip("/")
    cached = cached_on_hub(repository, HUB_FILE) if repository.count("/") == 1 else None

    def state() -> State:
        found: State = create(str(cached) if cached else trained["tag"]).state_dict()
        return found

    url = hub_url() if repository else trained["url"]
    return Download(f"open_clip's {trained['tag']}", url, cached is not None, state)


def _input_of(net: Any, trained: dict[str, Any]) -> InputConfig:
    """What open_clip says of the images; the whole shorter side of each is seen."""
    images = {**net.visual.preprocess_cfg, **trained}
    size = net.visual.image_size
    side = size if isinstance(size, int) else min(size)
    return replace(
        InputConfig(size=side, crop_share=1.0),
        mean=tuple(images["mean"]),
        std=tuple(images["std"]),
        interpolation=images["interpolation"],
    )


def _tokenizer(open_clip: Any, architecture: str) -> Callable[[list[str]], torch.Tensor]:
    try:
        tokenize: Callable[[list[str]], torch.Tensor] = open_clip.get_tokenizer(architecture)
    # Some are transformers' own, which it downloads.
    except (OSError, ValueError, ImportError) as error:
        raise TrainError(
            f"--model clip:{architecture}: its tokenizer cannot be had: {error}"
        ) from error
    return tokenize


@torch.no_grad()
def _embed(
    net: Any, tokenize: Callable[[list[str]], torch.Tensor], sentences: list[list[str]]
) -> torch.Tensor:
    """Embed each class's sentences: the mean of their directions, as a direction again.

    Returns:
        Shape (classes, width), rows of length 1.
    """
    net.eval()
    flat = [sentence for of_class in sentences for sentence in of_class]
    parts = [
        net.encode_text(tokenize(flat[start : start + SENTENCES_AT_ONCE]), normalize=True)
        for start in range(0, len(flat), SENTENCES_AT_ONCE)
    ]
    net.train()
    of_classes = torch.split(torch.cat(parts), [len(of_class) for of_class in sentences])
    return F.normalize(torch.stack([rows.mean(dim=0) for rows in of_classes]), dim=-1)


@torch.no_grad()
def _set_head(head: nn.Linear, net: Any, directions: torch.Tensor) -> None:
    """Make a head of directions, with the scale and the bias that CLIP's logits have."""
    head.weight.copy_(net.logit_scale.exp() * directions)
    bias = getattr(net, "logit_bias", None)
    head.bias.fill_(0.0 if bias is None else bias.item())


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave it to `Built.origin` to say where weights come from."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
