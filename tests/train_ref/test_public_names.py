"""The trainer is a caller like any other: of fastload it knows what everybody is told of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import train_ref

PUBLIC = ("fastload", "fastload.augment", "fastload.duplicates")
FILES = sorted(Path(train_ref.__file__).parent.rglob("*.py"))


def names_of_fastload(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Module and name of all that is imported or reached by a dot; "" is the module itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastload"):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.name, "") for one in node.names if one.name.startswith("fastload"))
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "fastload":
            yield "fastload", node.attr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_only_public_names_are_used(file: Path) -> None:
    for module, name in names_of_fastload(ast.parse(file.read_text(encoding="utf-8"))):
        assert module in PUBLIC, f"{module} is not public"
        assert not name or name in import_module(module).__all__, f"{module}.{name} is not public"


def test_there_is_something_to_check() -> None:
    found = {
        module
        for file in FILES
        for module, _ in names_of_fastload(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert found == set(PUBLIC)
