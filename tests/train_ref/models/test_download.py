"""The library's own download, with and without a network, and never for long without one."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from train_ref.config import Config
from train_ref.models import build, download
from train_ref.models.download import Download, fetch

timm = pytest.importorskip("timm", minversion="1.0.12", reason="no timm (extra: train)")

CLASSES = ("a", "b", "c")


@pytest.fixture
def door() -> Iterator[int]:
    """A port that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def shut() -> int:
    """A port that takes none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def weights_at(url: str, cached: bool = False) -> Download:
    return Download("these", url, cached, lambda: {"weight": torch.ones(1)})


def test_weights_are_fetched_where_the_host_answers(door: int) -> None:
    weights, reason = fetch(weights_at(f"http://127.0.0.1:{door}/w.pt"))
    assert weights is not None
    assert torch.equal(weights.state["weight"], torch.ones(1))
    assert reason == ""


def test_a_host_that_refuses_is_told(shut: int) -> None:
    assert fetch(weights_at(f"http://127.0.0.1:{shut}/w.pt")) == (None, "127.0.0.1 does not answer")


def test_what_is_on_this_machine_needs_no_network(shut: int) -> None:
    weights, _ = fetch(weights_at(f"http://127.0.0.1:{shut}/w.pt", cached=True))
    assert weights is not None


def test_a_network_that_swallows_packets_and_names_is_given_up_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def swallow(address: tuple[str, int], timeout: float) -> socket.socket:
        time.sleep(2)
        raise OSError

    monkeypatch.setattr(download, "SECONDS_TO_CONNECT", 0.05)
    monkeypatch.setattr(socket, "create_connection", swallow)
    start = time.monotonic()
    weights, reason = fetch(weights_at("https://weights.invalid/w.pt"))
    assert (weights, reason) == (None, "weights.invalid does not answer")
    assert time.monotonic() - start < 1


def test_a_proxy_is_asked_in_the_place_of_the_host(
    monkeypatch: pytest.MonkeyPatch, door: int, shut: int
) -> None:
    there = weights_at("https://weights.invalid/w.pt")
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{door}")
    assert fetch(there)[0] is not None
    monkeypatch.setenv("https_proxy", f"127.0.0.1:{shut}")
    assert fetch(there)[0] is None


def test_a_download_that_fails_is_told_and_sockets_have_a_limit_meanwhile(door: int) -> None:
    limits = []

    def fail() -> dict[str, torch.Tensor]:
        limits.append(socket.getdefaulttimeout())
        raise OSError("broken pipe\nand more")

    before = socket.getdefaulttimeout()
    weights, reason = fetch(Download("these", f"http://127.0.0.1:{door}/", False, fail))
    assert weights is None
    assert reason == "the download failed (OSError: broken pipe)"
    assert limits == [download.SECONDS_OF_SILENCE]
    assert socket.getdefaulttimeout() == before


def test_torchvisions_weights_come_with_a_new_head(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    net = torchvision.models.mobilenet_v3_small()
    file = torchvision.models.MobileNet_V3_Small_Weights.DEFAULT.url.rpartition("/")[2]
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(net.state_dict(), tmp_path / "hub" / "checkpoints" / file)
    built = build(Config(model="mobilenet_v3_small"), CLASSES)
    assert built.origin == (
        "mobilenet_v3_small with torchvision's MobileNet_V3_Small_Weights.IMAGENET1K_V1, "
        "with a new head for 3 classes as theirs is for 1000."
    )
    ours = built.model.get_parameter("body.features.0.0.weight")
    assert torch.equal(ours, net.features[0][0].weight)


def test_timms_weights_come_from_the_hubs_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    net = timm.create_model("test_vit")
    folder = tmp_path / "models--timm--test_vit.r160_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("0123")
    (folder / "snapshots" / "0123").mkdir(parents=True)
    save_file(net.state_dict(), folder / "snapshots" / "0123" / "model.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.file_download.HF_HUB_CACHE", str(tmp_path), raising=False)
    built = build(Config(model="timm:test_vit", image_size=80), CLASSES)
    assert built.origin == (
        "timm:test_vit with timm's test_vit.r160_in1k, "
        "with a new head for 3 classes as theirs is for 1000."
    )
    assert torch.equal(built.model.get_parameter("body.norm.weight"), net.norm.weight)
    assert built.model.get_parameter("body.pos_embed").shape == (1, 26, 64)


@pytest.mark.parametrize("model", ["resnet18", "timm:test_vit"])
def test_without_a_network_it_is_from_scratch_and_said_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(download, "_answers", lambda url: False)
    origin = build(Config(model=model), CLASSES).origin
    host = "download.pytorch.org" if model == "resnet18" else "huggingface.co"
    assert origin == f"{model} from scratch: {host} does not answer."


def test_nothing_is_asked_of_the_network_where_it_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(url: str) -> bool:
        raise AssertionError(url)

    monkeypatch.setattr(download, "_answers", asked)
    origin = build(Config(model="timm:test_vit", pretrained=False), CLASSES).origin
    assert origin == "timm:test_vit from scratch, as --no-pretrained asks."
