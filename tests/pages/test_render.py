from __future__ import annotations

import re
from pathlib import Path

import pytest

from fastload.pages import render


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package whose page shows a name and has a style and a script of its own."""
    page = tmp_path / "paged_package" / "page"
    page.mkdir(parents=True)
    (page.parent / "__init__.py").touch()
    (page / "one.html").write_text(
        '{% extends "frame.html" %}{% block content %}<p title="{{ name }}">{{ name }}</p>'
        "{% endblock %}"
    )
    (page / "style.css").write_text(".own { color: red; }")
    (page / "page.js").write_text("window.own = 1;")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "paged_package"


def test_names_are_text(package: str) -> None:
    page = render(package, "one.html", title="<b>", name="<script>alert('1')</script>\n\u202e")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\\n\\u202e" in page
    assert "<title>&lt;b&gt;</title>" in page


def test_nothing_is_fetched_and_one_script_runs(package: str) -> None:
    page = render(package, "one.html", title="t", name="n")
    assert "window.own = 1;" in page
    assert ".own { color: red; }" in page
    assert re.findall(r'(?:src|href)="(?!#)([^"]*)"', page) == ["data:,"]
    policy = re.search(r'Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "connect-src &#39;none&#39;" in policy[1]
