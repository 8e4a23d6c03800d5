"""Views of a canvas are what torchvision makes of the picture."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F

import fastload
from train_ref.config import Config
from train_ref.data import evaluation_loader
from train_ref.errors import TrainError
from train_ref.models.classifier import InputConfig
from train_ref.tta import TTA, make_views

WANTED = InputConfig(size=28, crop_share=0.875)  # of 32
TRANSPOSITIONS = [None, *Image.Transpose]


# The centre first, then the corners, of which torchvision has the centre last.
CUTS = (4, 0, 1, 2, 3)


def cut(place: int, image: Image.Image) -> Image.Image:
    return F.five_crop(image, [28, 28])[place]


def canvas(side: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8, generator=generator)


def picture(pixels: torch.Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def pixels_of(image: Image.Image) -> bytes:
    return image.tobytes()


def seen(names: list[str], wanted: InputConfig) -> list[torch.Tensor]:
    views = make_views(names, wanted)
    found = list(views(canvas(views.canvas.size)))
    assert len(found) == len(views)
    assert all(view.dtype == torch.uint8 for view in found)
    assert all(view.shape == (2, 3, wanted.size, wanted.size) for view in found)
    return found


def test_the_plain_view_is_the_canvas() -> None:
    views = make_views([], WANTED)
    assert views.canvas == WANTED
    (only,) = views(canvas(28))
    assert torch.equal(only, canvas(28))


def test_flip_is_as_it_is_and_mirrored() -> None:
    plain, mirrored = seen(["flip"], WANTED)
    assert torch.equal(plain, canvas(28))
    assert torch.equal(mirrored, F.horizontal_flip(canvas(28)))


def test_dihedral_is_each_way_to_turn_and_mirror_a_picture_once() -> None:
    found = {pixels_of(picture(view[0])) for view in seen(["dihedral"], WANTED)}
    original = picture(canvas(28)[0])
    assert found == {
        pixels_of(original if how is None else original.transpose(how)) for how in TRANSPOSITIONS
    }
    assert len(found) == 8


def test_dihedral_has_the_flip_already() -> None:
    both, one = make_views(["flip", "dihedral"], WANTED), make_views(["dihedral"], WANTED)
    assert both == one


def test_multi_crop_is_torchvisions_five_crop() -> None:
    centre, *corners = seen(["multi-crop"], WANTED)
    *expected, middle = F.five_crop(canvas(32), [28, 28])
    assert torch.equal(centre, middle)
    assert all(map(torch.equal, corners, expected))


def test_flip_and_multi_crop_are_torchvisions_ten_crop() -> None:
    found = {pixels_of(picture(view[0])) for view in seen(["multi-crop", "flip"], WANTED)}
    expected = {pixels_of(picture(view[0])) for view in F.ten_crop(canvas(32), [28, 28])}
    assert found == expected and len(found) == 10


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("wanted", "side", "sides"),
    [
        (InputConfig(size=28, crop_share=0.875), 32, [28, 32, 24]),
        (InputConfig(size=32, crop_share=1.0), 32, [28, 32, 24]),
    ],
)
def test_multi_scale_is_the_centre_from_three_distances(
    wanted: InputConfig, side: int, sides: list[int], interpolation: str
) -> None:
    wanted = replace(wanted, interpolation=interpolation)
    mode = InterpolationMode(interpolation)
    for view, of in zip(seen(["multi-scale"], wanted), sides, strict=True):
        cut = v2.Compose([v2.CenterCrop(of), v2.Resize(wanted.size, mode, antialias=True)])
        assert torch.equal(view, cut(canvas(side)))
        # Pillow, that the loader's own resize agrees with, rounds some values the other way.
        image = cut(picture(canvas(side)[0]))
        apart = np.asarray(image, int) - view[0].permute(1, 2, 0).numpy()
        assert abs(apart).max() <= 1


def test_crops_of_a_model_that_looks_at_all_of_the_image_are_enlarged() -> None:
    wanted = InputConfig(size=32, crop_share=1.0)
    assert {view.side for view in make_views(["multi-crop"], wanted).views} == {28}
    centre, first, *_ = seen(["multi-crop"], wanted)
    assert torch.equal(first, F.resize(canvas(32)[..., :28, :28], [32, 32], antialias=True))
    assert not torch.equal(centre, first)


def test_crops_and_scales_share_the_centre() -> None:
    assert len(make_views(["multi-crop", "multi-scale", "flip"], WANTED)) == 14


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_from_files_to_views_all_is_as_torchvision_makes_it(
    small_pack: Path, interpolation: str
) -> None:
    dataset = fastload.ImageFolder(small_pack)
    wanted = replace(WANTED, interpolation=interpolation)
    resize = v2.Resize(32, InterpolationMode(interpolation))
    for names, cuts in (
        (["flip"], [v2.CenterCrop(28), v2.Compose([v2.CenterCrop(28), F.horizontal_flip])]),
        (["multi-crop"], [v2.Compose([v2.CenterCrop(32), partial(cut, place)]) for place in CUTS]),
    ):
        views = make_views(names, wanted)
        loader = evaluation_loader(dataset, Config(device="cpu", workers=2), views.canvas)
        batches = [list(views(canvases)) for canvases, _ in loader]
        for view, how in zip(map(torch.cat, zip(*batches, strict=True)), cuts, strict=True):
            expected = [F.pil_to_tensor(how(resize(image))) for image, _ in dataset]
            assert torch.equal(view, torch.stack(expected))


@given(
    st.lists(st.sampled_from(TTA), unique=True),
    st.integers(8, 600),
    st.floats(0.5, 1.0),
)
@example(["multi-scale"], 300, 0.75)
def test_views_lie_in_the_canvas_and_differ(names: list[str], size: int, share: float) -> None:
    views = make_views(names, InputConfig(size=size, crop_share=share))
    side = views.canvas.size
    for view in views.views:
        assert view.side > 0
        assert 0 <= view.top <= side - view.side and 0 <= view.left <= side - view.side
    if side >= 32:
        assert len(set(views.views)) == len(views)


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(TrainError, match="--tta 'flop' is none of flip, dihedral"):
        make_views(["flip", "flop"], WANTED)
