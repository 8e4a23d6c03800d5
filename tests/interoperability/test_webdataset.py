"""The webdataset library opens the shards of a pack as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import run
from tests.interoperability.conftest import records

wds = pytest.importorskip("webdataset")


def shards(pack: Path) -> str:
    """The pattern that the command gives."""
    result = run("export", pack, "--to", "webdataset")
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()[-1]


def test_all_samples_in_order(jpeg_pack: Path) -> None:
    dataset = wds.WebDataset(shards(jpeg_pack), shardshuffle=False)
    shown = list(dataset.decode("rgb8").to_tuple("__key__", "jpg", "cls"))
    for number, ((key, image, label), (_, pixels, wanted)) in enumerate(
        zip(shown, records(jpeg_pack), strict=True)
    ):
        assert (key.rpartition("/")[2], label) == (f"{number:09d}", wanted)
        np.testing.assert_array_equal(image, pixels)


def test_bytes_are_the_records(jpeg_pack: Path) -> None:
    dataset = wds.WebDataset(shards(jpeg_pack), shardshuffle=False)
    for (jpeg, label), (payload, _, wanted) in zip(
        dataset.to_tuple("jpg", "cls"), records(jpeg_pack), strict=True
    ):
        assert (jpeg, int(label)) == (payload, wanted)


def test_its_loader_shuffles_over_workers(jpeg_pack: Path) -> None:
    dataset = wds.WebDataset(shards(jpeg_pack), shardshuffle=10, seed=1).shuffle(20)
    loader = wds.WebLoader(dataset.decode("rgb8").to_tuple("cls"), num_workers=2, batch_size=None)
    labels = [label for (label,) in loader]
    assert sorted(labels) == sorted(label for _, _, label in records(jpeg_pack))
