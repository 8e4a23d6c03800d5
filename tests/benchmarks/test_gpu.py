"""The GPU's benchmark runs through on the CPU, all its rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks import gpu


def test_a_dry_run_fills_every_row(label_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main([str(label_folder), "--dry"]) == 0
    printed = capsys.readouterr().out
    assert "44 images are the same" in printed
    for name in ("torchvision.io.decode_jpeg", "native, jpeg, cold", "native, dct, cached"):
        assert printed.count(name) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(label_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main([str(label_folder)]) == 2
    assert "no CUDA GPU" in capsys.readouterr().err
