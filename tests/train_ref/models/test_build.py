"""Models by name: what they answer, what they want, and that a seed fixes them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from train_ref.config import Config
from train_ref.errors import TrainError
from train_ref.models import build

pytest.importorskip("timm", minversion="1.0.12", reason="no timm (extra: train)")

CLASSES = ("훼손", "창틀,문틀수정", "<b>")


@pytest.mark.parametrize(
    ("model", "image_size", "side", "width", "interpolation", "crop_share"),
    [
        ("tiny", None, 32, 32, "bilinear", 1.0),
        ("small_resnet", None, 96, 128, "bilinear", 1.0),
        ("small_resnet", 64, 64, 128, "bilinear", 1.0),
        ("resnet18", None, 224, 512, "bilinear", 224 / 256),
        ("efficientnet_b0", 96, 96, 1280, "bicubic", 224 / 256),
        ("vit_b_16", 64, 64, 768, "bilinear", 224 / 256),
        ("timm:test_resnet", None, 160, 96, "bilinear", 0.95),
        ("timm:test_vit", 64, 64, 64, "bicubic", 0.95),
    ],
)
def test_a_model_makes_features_and_logits_of_its_images(
    model: str,
    image_size: int | None,
    side: int,
    width: int,
    interpolation: str,
    crop_share: float,
) -> None:
    built = build(Config(model=model, image_size=image_size, pretrained=False), CLASSES)
    assert (built.input.size, built.model.width) == (side, width)
    assert (built.input.interpolation, built.input.crop_share) == (interpolation, crop_share)
    assert isinstance(built.model.head, nn.Linear)
    assert not built.frozen_body
    with torch.no_grad():
        built.model.eval()
        images = torch.randn(2, 3, side, side)
        features = built.model.features(images)
        assert features.shape == (2, width)
        torch.testing.assert_close(built.model(images), built.model.head(features))
    assert built.model(images).shape == (2, 3)


@pytest.mark.parametrize("model", ["efficientnet_b4", "timm:test_vit"])
def test_size_mean_and_std_are_the_models_own(model: str) -> None:
    wanted = build(Config(model=model, pretrained=False), CLASSES).input
    half = (0.5, 0.5, 0.5)
    expected = {
        "efficientnet_b4": (380, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "timm:test_vit": (160, half, half),
    }
    assert (wanted.size, wanted.mean, wanted.std) == expected[model]


@pytest.mark.parametrize("model", ["tiny", "resnet18", "timm:test_vit"])
def test_a_seed_fixes_the_weights_and_torchs_generator_stays(model: str) -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    config = Config(model=model, pretrained=False, seed=3)
    one, other = (build(config, CLASSES).model.state_dict() for _ in range(2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(one[name], other[name]) for name in one)
    another = build(config.replace(seed=4), CLASSES).model.state_dict()
    assert not torch.equal(one["head.weight"], another["head.weight"])


def test_small_resnet_is_small_and_learns_what_it_sees() -> None:
    model = build(Config(model="small_resnet"), CLASSES).model
    parameters = sum(one.numel() for one in model.parameters())
    assert 300_000 < parameters < 700_000
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(12, 3, 32, 32, generator=generator)
    labels = torch.arange(12) % 3
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(12):
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    # log 3 = 1.1 is what guessing costs.
    assert loss.item() < 0.1


def test_dropout_is_in_front_of_the_head() -> None:
    model = build(Config(model="tiny", dropout=0.5), CLASSES).model.eval()
    images = torch.randn(1, 3, 32, 32)
    assert torch.equal(model(images), model(images))
    model.dropout.train()
    assert not torch.equal(model(images), model(images))
    assert torch.equal(model.features(images), model.features(images))


@pytest.mark.parametrize(("dropout", "own"), [(0.0, 0.2), (0.5, 0.0)])
def test_the_users_dropout_takes_the_place_of_the_models_own(dropout: float, own: float) -> None:
    config = Config(model="efficientnet_b0", pretrained=False, dropout=dropout)
    model = build(config, CLASSES).model
    assert [one.p for one in model.body.modules() if isinstance(one, nn.Dropout)] == [own]
    assert model.dropout.p == dropout


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("resnet19", "resnet18"),
        ("small_resnt", "small_resnet"),
        ("timm:resnet19", "Is it resnet"),
        ("keras:x", "no library 'keras'"),
        ("googlenet", "auxiliary heads"),
        ("squeezenet1_0", "no linear head"),
        ("timm:deit_tiny_distilled_patch16_224", "not one head alone"),
    ],
)
def test_what_is_no_model_is_told_with_what_may_be_meant(model: str, message: str) -> None:
    with pytest.raises(TrainError, match=message):
        build(Config(model=model, pretrained=False), CLASSES)


def test_an_image_size_that_patches_do_not_divide_is_told() -> None:
    with pytest.raises(TrainError, match="--image-size 65 is none that vit_b_16 can take"):
        build(Config(model="vit_b_16", pretrained=False, image_size=65), CLASSES)
