"""What is the DALI engine's own: its graphs, its feeding, and whom it hands what it cannot do."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

import fastload
from tests.test_dataset import damaged_copy

pytest.importorskip("nvidia.dali")

CROP = [v2.RandomResizedCrop(32), v2.RandomHorizontalFlip(), v2.PILToTensor()]


def loader_of(pack: Path, *transforms: Any, **arguments: Any) -> fastload.DataLoader:
    defaults = {"batch_size": 8, "shuffle": True, "seed": 3, "num_workers": 2, "engine": "dali"}
    dataset = fastload.ImageFolder(pack, v2.Compose(transforms))
    return fastload.DataLoader(dataset, **(defaults | arguments))


@pytest.fixture(params=[True, False], ids=["dali decodes", "native decodes"], autouse=True)
def dali_decodes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """As on a GPU, or as on the CPU."""
    decodes: bool = request.param
    monkeypatch.setattr("fastload.engines.dali.engine.decodes_files", lambda device: decodes)
    return decodes


def graphs_built(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The batch sizes of the graphs that are built from now on."""
    from fastload.engines.dali import runner

    built: list[int] = []
    build = runner.build

    def counted(recipe: Any, device: Any, threads: int, most: int, in_flight: int) -> Any:
        built.append(most)
        return build(recipe, device, threads, most, in_flight)

    monkeypatch.setattr(runner, "build", counted)
    return built


def test_another_resolution_is_the_same_graph(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = graphs_built(monkeypatch)
    loader = loader_of(small_pack, *CROP)
    sizes = []
    for side in (32, 48, 16):
        loader.set_resolution(side)
        sizes.append({tuple(images.shape[2:]) for images, _ in loader})
    loader.close()
    assert sizes == [{(32, 32)}, {(48, 48)}, {(16, 16)}]
    assert len(built) == 1


def test_larger_batches_build_anew_and_smaller_ones_do_not(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = graphs_built(monkeypatch)
    batches = [[0, 1, 2], [3, 4], [5, 6, 7, 8, 9], [0]]
    loader = loader_of(small_pack, *CROP, batch_size=1, shuffle=None, batch_sampler=batches)
    assert [len(images) for images, _ in loader] == [3, 2, 5, 1]
    loader.close()
    assert built == [3, 5]


def test_the_batch_is_handed_over_without_a_copy(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastload.engines.dali import runner

    made: list[int] = []
    from_dlpack = runner.from_dlpack

    def noted(tensor: Any) -> torch.Tensor:
        images: torch.Tensor = from_dlpack(tensor)
        made.append(images.data_ptr())
        return images

    monkeypatch.setattr(runner, "from_dlpack", noted)
    for images, _ in loader_of(small_pack, *CROP, num_workers=0):
        assert images.data_ptr() == made[-1]


def test_what_dali_cannot_do_is_said_and_done(
    small_pack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = v2.Resize((20, 20), interpolation=v2.InterpolationMode.BOX)
    loader = loader_of(small_pack, box, v2.PILToTensor())
    loader.explain()
    assert "no box and no Hamming filter" in capsys.readouterr().out
    native = loader_of(small_pack, box, v2.PILToTensor(), engine="native")
    for (images, _), (expected, _) in zip(loader, native, strict=True):
        assert torch.equal(images, expected)


def test_one_bad_record_costs_itself_and_the_batch_is_computed(
    small_pack: Path, tmp_path: Path
) -> None:
    pack = damaged_copy(small_pack, tmp_path, 5)
    loader = loader_of(pack, *CROP, shuffle=False, on_error="skip")
    whole = loader_of(small_pack, *CROP, shuffle=False)
    images = torch.cat([batch for batch, _ in loader])
    expected = torch.cat([batch for batch, _ in whole])
    kept = [row for row in range(len(expected)) if row != 5]
    assert torch.equal(images, expected[kept])
    assert len(loader.errors) == 1


def test_a_batch_that_dali_fails_on_is_the_native_engines(
    small_pack: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    dali_decodes: bool,
) -> None:
    from fastload.engines.dali import runner

    if not dali_decodes:
        pytest.skip("given pixels, there is nothing in a batch to fail on")
    given = runner._give
    calls: list[int] = []

    def spoilt(graph: Any, feed: Any) -> None:
        calls.append(0)
        # Behind the runs that the graph begins with: the first batch.
        if len(calls) == 4:
            feed.inputs["encoded"][2] = np.zeros(100, np.uint8)
        given(graph, feed)

    monkeypatch.setattr(runner, "_give", spoilt)
    with caplog.at_level(logging.WARNING, "fastload"):
        images = [batch for batch, _ in loader_of(small_pack, *CROP)]
    expected = [batch for batch, _ in loader_of(small_pack, *CROP, engine="native")]
    assert "DALI has failed on a batch" in caplog.text
    assert torch.equal(images[0], expected[0])
    assert len(images) == len(expected)
    assert (torch.cat(images[1:]) != torch.cat(expected[1:])).any()


def test_importing_the_library_does_not_import_dali() -> None:
    code = "import fastload, sys; assert 'nvidia.dali' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_dali_it_says_what_to_install() -> None:
    code = """
import sys, torch
sys.modules["nvidia.dali"] = None
from fastload.engines import engine_class
from fastload.errors import EngineError
try:
    engine_class("dali", torch.device("cpu"))
except EngineError as error:
    assert "fastload[dali]" in str(error), error
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
