"""Answers of several models and views: probabilities, their mean, one decoding an image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import fastload
from train_ref.adjustment import adjusted
from train_ref.checkpoint import Loaded
from train_ref.config import Config
from train_ref.data import evaluation_loader
from train_ref.ensemble import Member, agreed_columns, mean_shares, predict_shares
from train_ref.errors import TrainError
from train_ref.models.classifier import Classifier, InputConfig
from train_ref.tta import make_views

CPU = torch.device("cpu")
CONFIG = Config(batch_size=8, device="cpu", workers=2)
WANTED = InputConfig(size=28, crop_share=0.875)
COUNTS = np.array([9, 6, 2, 5])
CLASSES = ("ant", "bee", "cat", "dog")


class Corners(nn.Module):
    """Means of the four quarters of each colour, so that mirrored pictures differ."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return nn.functional.adaptive_avg_pool2d(images, 2).flatten(1)


def member(seed: int = 0, wanted: InputConfig = WANTED, tau: float = 0.0) -> Member:
    torch.manual_seed(seed)
    model = Classifier(Corners(), nn.Linear(12, 4), 12).eval()
    loaded = Loaded(model, CONFIG, wanted, CLASSES, COUNTS, tau)
    return Member(loaded, torch.arange(4), CPU)


def logits_of(one: Member, images: torch.Tensor) -> np.ndarray:
    """What the model says, as a plain formula of the uint8 pixels."""
    mean = torch.tensor(one.loaded.input.mean).view(3, 1, 1)
    std = torch.tensor(one.loaded.input.std).view(3, 1, 1)
    with torch.inference_mode():
        return one.loaded.model((images / 255 - mean) / std).double().numpy()


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (6, 3, 28, 28), dtype=torch.uint8, generator=generator)


def shares_of(members: list[Member], images: torch.Tensor, *tta: str) -> np.ndarray:
    labels = torch.zeros(len(images), dtype=torch.int64)
    batches = [(images[:4], labels[:4]), (images[4:], labels[4:])]
    return mean_shares(members, batches, make_views(tta, members[0].loaded.input))


def test_one_model_and_one_view_give_its_probabilities(images: torch.Tensor) -> None:
    one = member()
    np.testing.assert_allclose(shares_of([one], images), softmax(logits_of(one, images)), atol=1e-6)


def test_logits_are_adjusted_by_the_models_own_tau(images: torch.Tensor) -> None:
    one, other = member(tau=1.5), member(seed=1, tau=-0.5)
    expected = [
        softmax(adjusted(logits_of(one, images), COUNTS, 1.5)),
        softmax(adjusted(logits_of(other, images), COUNTS, -0.5)),
    ]
    np.testing.assert_allclose(
        shares_of([one, other], images), np.mean(expected, axis=0), atol=1e-6
    )


def test_views_are_averaged_as_probabilities(images: torch.Tensor) -> None:
    one = member()
    plain, mirrored = (logits_of(one, seen) for seen in (images, images.flip(-1)))
    of_shares = (softmax(plain) + softmax(mirrored)) / 2
    of_logits = softmax((plain + mirrored) / 2)
    assert abs(of_shares - of_logits).max() > 1e-4
    np.testing.assert_allclose(shares_of([one], images, "flip"), of_shares, atol=1e-6)


def test_each_model_has_its_own_mean_and_std(images: torch.Tensor) -> None:
    one = member()
    other = member(seed=1, wanted=replace(WANTED, mean=(0.5, 0.4, 0.3), std=(0.1, 0.2, 0.3)))
    expected = [softmax(logits_of(each, images)) for each in (one, other)]
    np.testing.assert_allclose(
        shares_of([one, other], images), np.mean(expected, axis=0), atol=1e-6
    )


def test_columns_put_a_models_classes_in_the_ensembles_order(images: torch.Tensor) -> None:
    one = member()
    turned = replace(one, columns=torch.tensor([3, 2, 1, 0]))
    np.testing.assert_array_equal(shares_of([turned], images), shares_of([one], images)[:, ::-1])


def test_ten_views_for_two_models_decode_each_image_once(small_pack: Path) -> None:
    dataset = fastload.ImageFolder(small_pack)
    members, views = [member(), member(seed=1)], make_views(["flip", "multi-crop"], WANTED)
    loader = evaluation_loader(dataset, CONFIG, views.canvas)
    shares = mean_shares(members, loader, views)
    assert len(views) == 10
    assert loader.stats().images == len(dataset) == len(shares)


def test_answers_are_in_the_order_of_the_images_for_models_of_several_sizes(
    small_pack: Path,
) -> None:
    dataset = fastload.ImageFolder(small_pack)
    small, large = member(), member(seed=1, wanted=InputConfig(size=40, crop_share=1.0))
    expected = []
    for one in (small, large):
        loader = evaluation_loader(dataset, CONFIG, one.loaded.input)
        expected.append(softmax(logits_of(one, torch.cat([images for images, _ in loader]))))
    found = predict_shares([small, large], dataset, CONFIG)
    assert found.dtype == np.float32 and found.shape == (22, 4)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-6)


def test_classes_are_matched_by_name_in_either_form() -> None:
    composed, decomposed = "\uac00", "\u1100\u1161"
    assert agreed_columns({"a": ["x", composed, "y"], "b": [decomposed, "y", "x"]}) == [
        [0, 1, 2],
        [2, 0, 1],
    ]


@pytest.mark.parametrize("others", [["ant"], ["ant", "bee", "cat"], ["ant", "cow"]])
def test_checkpoints_of_other_classes_are_refused(others: list[str]) -> None:
    with pytest.raises(TrainError, match=r"b\.pt is of other classes than a\.pt"):
        agreed_columns({"a.pt": ["ant", "bee"], "b.pt": others})
