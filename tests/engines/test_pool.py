"""Pools and their jobs end in whatever order garbage collection takes them."""

from __future__ import annotations

import gc
from pathlib import Path

import psutil
import pytest
from torchvision.transforms import v2

import fastload
from fastload.engines.pool import Pool


@pytest.mark.parametrize("waited", [False, True])
def test_a_pool_that_is_closed_first_stops_behind_its_jobs(
    small_pack: Path, monkeypatch: pytest.MonkeyPatch, waited: bool
) -> None:
    pools: list[Pool] = []
    opened = Pool.job_opened

    def noted(pool: Pool) -> None:
        pools.append(pool)
        opened(pool)

    monkeypatch.setattr(Pool, "job_opened", noted)
    gc.collect()
    before = psutil.Process().num_threads()
    crop = v2.Compose([v2.RandomResizedCrop(64), v2.PILToTensor()])
    loader = fastload.DataLoader(
        fastload.ImageFolder(small_pack, crop), 4, num_workers=2, engine="native"
    )
    expected = [images for images, _ in loader]
    running = iter(loader)
    pools[0].close()
    assert psutil.Process().num_threads() > before
    if waited:
        assert len([images for images, _ in zip(running, range(2), strict=False)]) == 2
    running.close()
    assert psutil.Process().num_threads() <= before
    assert len(expected) == 6
