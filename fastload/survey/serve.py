"""The page of a pack on this machine alone, its thumbnails made when they are asked for.

Addresses hold numbers of samples and classes, never a path. Whoever asks under another name than
this machine's is refused: a page elsewhere whose name leads here cannot read the pack (DNS
rebinding).
"""

from __future__ import annotations

import json
import re
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np

from fastload.survey.page import SIDE, samples_json, sheet_counts
from fastload.version import __version__

if TYPE_CHECKING:
    from fastload.dataset import ImageFolder
    from fastload.survey.thumbnails import Thumbnails

__all__ = ["LOCALHOST", "PAGE_OF_CLASS", "PageServer"]

LOCALHOST = "127.0.0.1"

PAGE_OF_CLASS = 60
"""Images that the script asks for at a time."""

_THUMBNAIL = re.compile(r"/thumbnail/(\d{1,18})", re.ASCII)
_CLASS = re.compile(r"/class/(\d{1,18})/(\d{1,18})", re.ASCII)

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class PageServer(ThreadingHTTPServer):
    """Gives the page, thumbnails and lists of classes' images.

    Args:
        page: HTML.
        dataset: the samples.
        thumbnails: makes them.
        port: to listen on; 0 for any that is free.

    Raises:
        OSError: the port is taken.
    """

    daemon_threads = True

    def __init__(
        self, page: str, dataset: ImageFolder, thumbnails: Thumbnails, port: int = 0
    ) -> None:
        super().__init__((LOCALHOST, port), _Answer)
        self.page = page.encode()
        self.dataset = dataset
        self.thumbnails = thumbnails
        self.ends = np.cumsum(sheet_counts(dataset))

    @property
    def address(self) -> str:
        """Where a browser finds the page."""
        return f"http://{LOCALHOST}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes elsewhere before it has its answer is no error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Media type and body of an address; None where there is nothing."""
        if path == "/":
            return "text/html; charset=utf-8", self.page
        if found := _THUMBNAIL.fullmatch(path):
            return self._thumbnail(int(found[1]))
        if found := _CLASS.fullmatch(path):
            return self._class(int(found[1]), int(found[2]))
        return None

    def _thumbnail(self, sample: int) -> tuple[str, bytes] | None:
        if sample >= len(self.dataset):
            return None
        made = self.thumbnails.of(np.array([sample], np.int64), SIDE)
        return ("image/jpeg", made[sample]) if sample in made else None

    def _class(self, label: int, page: int) -> tuple[str, bytes] | None:
        if label >= len(self.ends):
            return None
        end = int(self.ends[label])
        first = (int(self.ends[label - 1]) if label else 0) + page * PAGE_OF_CLASS
        told: list[Any] = samples_json(self.dataset, range(first, min(end, first + PAGE_OF_CLASS)))
        return "application/json", json.dumps(told).encode()


class _Answer(BaseHTTPRequestHandler):
    server: PageServer
    server_version = f"fastload/{__version__}"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._give(with_body=True)

    def do_HEAD(self) -> None:
        self._give(with_body=False)

    def _give(self, *, with_body: bool) -> None:
        port = self.server.server_port
        if self.headers.get("Host") not in (f"{LOCALHOST}:{port}", f"localhost:{port}"):
            status, found = HTTPStatus.MISDIRECTED_REQUEST, None
        else:
            found = self.server.answer(self.path)
            status = HTTPStatus.NOT_FOUND if found is None else HTTPStatus.OK
        kind, body = found or ("text/plain; charset=utf-8", status.phrase.encode())
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Nothing: the terminal is the user's."""
