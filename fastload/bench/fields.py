"""Values of a JSON document, each of the type that is wanted, or an error that names its place."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from fastload.errors import FastloadError

__all__ = ["Fields", "ResultsError"]

# Of a wrong value, so much is shown.
_SHOWN = 40


class ResultsError(FastloadError, ValueError):
    """A result document cannot be used; the message names the file, the field and what is wrong."""


class Fields:
    """An object of a JSON document.

    Args:
        values: what was read.
        file: name of the document.
        place: where in it the object stands, as ``benchmarks[3].extra_info``; "" for all of it.

    Raises:
        ResultsError: it is no object.
    """

    def __init__(self, values: Any, file: str, place: str = "") -> None:
        self.file = file
        self.place = place
        if not isinstance(values, Mapping):
            raise self.error("", "an object", values)
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A string."""
        value = self._value(name, default)
        if not isinstance(value, str):
            raise self.error(name, "a string", value)
        return value

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self._value(name)
        if not isinstance(value, bool):
            raise self.error(name, "true or false", value)
        return value

    def number(self, name: str, above: float = -math.inf) -> float:
        """A finite number, larger than ``above``."""
        return self._number(name, self._value(name), above)

    def whole(self, name: str) -> int:
        """A whole number."""
        value = self._value(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(name, "a whole number", value)
        return value

    def maybe_number(self, name: str) -> float | None:
        """A finite number; None where it is null or not there."""
        return self.number(name) if name in self else None

    def numbers(
        self, name: str, above: float = -math.inf, length: int | None = None
    ) -> tuple[float, ...]:
        """A list of finite numbers, each larger than ``above``; of ``length``, if one is given."""
        values = self._list(name)
        if length is not None and len(values) != length:
            raise self.error(name, f"a list of {length} numbers, one a round", values)
        return tuple(
            self._number(f"{name}[{place}]", value, above) for place, value in enumerate(values)
        )

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        values = self._list(name)
        for place, value in enumerate(values):
            if not isinstance(value, str):
                raise self.error(f"{name}[{place}]", "a string", value)
        return tuple(values)

    def inner(self, name: str) -> Fields:
        """An object in it."""
        return Fields(self._value(name), self.file, self._named(name))

    def objects(self, name: str) -> Iterator[Fields]:
        """The objects of a list in it."""
        for place, value in enumerate(self._list(name)):
            yield Fields(value, self.file, self._named(f"{name}[{place}]"))

    def items(self) -> Iterator[tuple[str, Fields]]:
        """The objects that it has, by name."""
        for name in self._values:
            yield name, self.inner(name)

    def error(self, name: str, wanted: str, value: Any) -> ResultsError:
        """The error that says so."""
        shown = json.dumps(value, default=str)
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
        return ResultsError(
            f"{self.file}: {self._named(name) or 'the document'} is {shown}, not {wanted}. Is it a "
            "result of `fastload bench --json` or of `pytest benchmarks --benchmark-json`?"
        )

    def _named(self, name: str) -> str:
        return ".".join(filter(None, (self.place, name)))

    def _value(self, name: str, default: Any = None) -> Any:
        value = self._values.get(name)
        return default if value is None else value

    def _list(self, name: str) -> list[Any]:
        value = self._value(name)
        if not isinstance(value, list):
            raise self.error(name, "a list", value)
        return value

    def _number(self, name: str, value: Any, above: float) -> float:
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not right or not math.isfinite(value) or value <= above:
            least = "" if above == -math.inf else f" above {above:g}"
            raise self.error(name, f"a finite number{least}", value)
        return float(value)
