"""Weights by a library's own download, where the machine has a network."""

from __future__ import annotations

import os
import queue
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from train_ref.models.weights import State, Weights

__all__ = ["Download", "cached_on_hub", "fetch", "hub_url"]

SECONDS_TO_CONNECT = 4.0
"""A network that does not answer in this time is taken for none."""
SECONDS_OF_SILENCE = 20.0
"""A download that has stopped is given up after so long."""


@dataclass(frozen=True)
class Download:
    """Weights that a library fetches.

    Attributes:
        name: of the weights, for the user.
        url: that they come from.
        cached: they are on this machine already, and no network is asked for.
        state: fetches them: the state dict of the library's own network.
    """

    name: str
    url: str
    cached: bool
    state: Callable[[], State]


def fetch(download: Download) -> tuple[Weights | None, str]:
    """Download weights, or find soon that it cannot be done.

    Returns:
        The weights, or None and the reason why there are none.
    """
    if not download.cached and not _answers(download.url):
        return None, f"{urlsplit(download.url).hostname} does not answer"
    try:
        with _impatient_sockets():
            return Weights(download.state(), None), ""
    # Libraries end downloads in errors of many kinds: urllib's, httpx's, their own.
    except Exception as error:  # noqa: BLE001
        first_line = str(error).strip().partition("\n")[0]
        return None, f"the download failed ({type(error).__name__}: {first_line})"


def hub_url() -> str:
    """Return where Hugging Face's hub is for this machine."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co")


def cached_on_hub(repository: str, file: str) -> Path | None:
    """Return where a file of the hub is on this machine, or None."""
    from huggingface_hub import try_to_load_from_cache

    name, _, revision = repository.partition("@")
    found = try_to_load_from_cache(name, file, revision=revision or None)
    return Path(found) if isinstance(found, str) else None


def _answers(url: str) -> bool:
    """Whether a host takes connections, directly or by the proxy that the environment names.

    In a thread, since looking up a name knows no time limit.
    """
    host, port = _door(url)
    answers: queue.Queue[bool] = queue.Queue()

    def connect() -> None:
        try:
            socket.create_connection((host, port), SECONDS_TO_CONNECT).close()
        except OSError:
            answers.put(False)
        else:
            answers.put(True)

    threading.Thread(target=connect, daemon=True).start()
    try:
        return answers.get(timeout=SECONDS_TO_CONNECT)
    except queue.Empty:
        return False


def _door(url: str) -> tuple[str, int]:
    """Host and port to connect to first on the way to a URL."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(host):
        parts = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
    ports = {"https": 443, "http": 80}
    return parts.hostname or "", parts.port or ports.get(parts.scheme, 443)


@contextmanager
def _impatient_sockets() -> Iterator[None]:
    """Let connections time out whose library sets no limit, as torch.hub."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SECONDS_OF_SILENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
