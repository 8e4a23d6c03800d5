"""The server: on this machine alone, numbers for addresses, nothing else."""

from __future__ import annotations

import http.client
import io
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fastload
from benchmarks.many_rows import repeat_rows
from fastload.store import open_pack
from fastload.survey.serve import PageServer
from fastload.survey.thumbnails import Thumbnails
from tests.survey.conftest import SCRIPT, serving


@pytest.fixture(scope="module")
def server(odd_pack: Path) -> Iterator[PageServer]:
    with serving(odd_pack) as opened:
        yield opened


def ask(
    server: PageServer, path: str, method: str = "GET", host: str | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_it_listens_on_this_machine_alone(server: PageServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_thumbnails_by_number(server: PageServer) -> None:
    for sample in range(len(server.dataset)):
        response, body = ask(server, f"/thumbnail/{sample}")
        assert response.status == 200 and response.headers["Content-Type"] == "image/jpeg"
        with Image.open(io.BytesIO(body)) as image, server.dataset[sample][0] as stored:
            longer = max(stored.size)
            assert max(image.size) == (min(longer, 120) if min(stored.size) > 3 else 4000)


def test_the_images_of_a_class_page_by_page(server: PageServer, odd_pack: Path) -> None:
    label = server.dataset.class_to_idx[SCRIPT]
    found = json.loads(ask(server, f"/class/{label}/0")[1])
    samples = [sample for sample, *_ in found]
    assert samples == [one for one, target in enumerate(server.dataset.targets) if target == label]
    sample, path, width, height = found[3]
    assert server.dataset.samples[sample][0] == str(odd_pack / path)
    assert server.dataset[sample][0].size == (width, height)
    assert json.loads(ask(server, f"/class/{label}/1")[1]) == []


@pytest.mark.parametrize(
    "path",
    [
        "/thumbnail/999999",
        "/thumbnail/-1",
        "/thumbnail/0x1",
        "/thumbnail/1/",
        "/thumbnail/" + "9" * 40,
        "/thumbnail/../pack.json",
        "/../../etc/passwd",
        "/%2e%2e/pack.json",
        "/pack.json",
        "/class/99/0",
        "/class/0",
        "/?x",
        "http://127.0.0.1/",
    ],
)
def test_everything_else_is_not_there(server: PageServer, path: str) -> None:
    response, body = ask(server, path)
    assert (response.status, body) == (404, b"Not Found")


def test_other_names_of_this_machine_are_refused(server: PageServer) -> None:
    port = server.server_port
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil:{port}"):
        response, body = ask(server, "/", host=host)
        assert response.status == 421 and b"class" not in body
    assert ask(server, "/", host=f"localhost:{port}")[0].status == 200


def test_a_browser_may_leave_early(server: PageServer, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        leaving = socket.create_connection(("127.0.0.1", server.server_port))
        # Closed at once, so that what the server writes is refused.
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        head = f"GET / HTTP/1.1\r\nHost: localhost:{server.server_port}\r\n\r\n"
        leaving.sendall(head.encode() * 50)
        leaving.close()
    assert ask(server, "/")[0].status == 200
    time.sleep(0.2)
    assert capfd.readouterr().err == ""


def test_thumbnails_may_end_while_a_browser_asks(odd_pack: Path) -> None:
    dataset = fastload.ImageFolder(odd_pack)
    samples = np.arange(len(dataset))

    def ask(thumbnails: Thumbnails, first: threading.Barrier) -> None:
        first.wait()
        while thumbnails.of(samples, 16):
            pass

    for _ in range(10):
        thumbnails, first = Thumbnails(dataset, 2), threading.Barrier(4)
        asking = [
            threading.Thread(target=ask, args=(thumbnails, first), daemon=True) for _ in range(3)
        ]
        for thread in asking:
            thread.start()
        first.wait()
        thumbnails.close()
        for thread in asking:
            thread.join(timeout=20)
            assert not thread.is_alive()
        assert thumbnails.of(samples, 16) == {}


def test_it_only_reads(server: PageServer) -> None:
    assert ask(server, "/", "POST")[0].status == 501
    response, body = ask(server, "/", "HEAD")
    assert response.status == 200 and body == b""
    assert response.headers["Content-Length"] == str(len(server.page))


def test_other_pages_get_nothing_of_it(server: PageServer) -> None:
    headers = ask(server, "/thumbnail/0")[0].headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in headers
    assert "Python" not in headers["Server"]


def test_the_page_pages_through_a_class(server: PageServer, look: Any) -> None:
    opened = look(server.address)
    assert "base64" not in opened.page.locator(".strip").first.inner_html()
    opened.page.locator(".class button").first.click()
    opened.until("document.querySelectorAll('.sheet img').length === 40")
    opened.until("document.querySelector('.sheet img').naturalWidth > 0")
    assert "all 40 shown" in opened.page.locator(".sheet").inner_text()
    assert opened.page.get_by_role("button", name="Show more").count() == 0
    assert opened.complaints == []


def test_large_classes_show_more_on_demand(look: Any, tmp_path: Path, odd_pack: Path) -> None:
    repeat_rows(str(odd_pack), 2 * len(open_pack(odd_pack)), tmp_path / "twice.pack")
    with serving(tmp_path / "twice.pack") as twice:
        opened = look(twice.address)
        opened.page.locator(".class button").first.click()
        opened.until("document.querySelectorAll('.sheet img').length === 60")
        assert "60 of 80 shown" in opened.page.locator(".sheet").inner_text()
        opened.page.get_by_role("button", name="Show more").click()
        opened.until("document.querySelectorAll('.sheet img').length === 80")
        assert opened.page.get_by_role("button", name="Show more").count() == 0
        assert opened.complaints == []
