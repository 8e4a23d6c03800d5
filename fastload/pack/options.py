"""What the user may ask of a pack, checked once."""

from __future__ import annotations

from dataclasses import Field, asdict, dataclass, fields
from typing import Any

from fastload.errors import PackError

__all__ = ["CODECS", "DEFAULT_SHARD_SIZE", "Options"]

# Large enough for sequential reads from any disk, small enough to write again after a crash.
DEFAULT_SHARD_SIZE = 256 * 10**6

# How what came as JPEG, or was made one, is stored.
CODECS = ("jpeg", "dct")

# A header, one block of payload, and the end of the archive.
_SMALLEST_SHARD = 4 * 512
_SEEDS = 2**63


@dataclass(frozen=True)
class Options:
    """The options that decide the bytes of a pack.

    Attributes:
        max_side: images with a longer side are made this small (pixels), or None.
        quality: everything is stored as JPEG of this quality (1 to 100), or None.
        verbatim: the very bytes of the source are kept.
        shard_size: bytes a shard may have (a single larger image has a shard of its own).
        cls: each image is followed by a ``.cls`` member.
        seed: of the order in which records are spread over the shards.
        codec: how JPEG images are stored, one of :data:`CODECS`.

    Raises:
        ValueError: a value is out of range or two options exclude each other.
    """

    max_side: int | None = None
    quality: int | None = None
    verbatim: bool = False
    shard_size: int = DEFAULT_SHARD_SIZE
    cls: bool = True
    seed: int = 0
    codec: str = "jpeg"

    def __post_init__(self) -> None:
        if self.max_side is not None and self.max_side < 1:
            raise ValueError(f"--max-side is {self.max_side}, it takes a number of pixels")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise ValueError(f"--quality is {self.quality}, it takes 1 to 100")
        if self.verbatim and self.lossy:
            raise ValueError("--verbatim keeps the very bytes: leave out --max-side and --quality")
        if self.codec not in CODECS:
            raise ValueError(f"--codec is {self.codec!r}, it takes {' or '.join(CODECS)}")
        if self.verbatim and self.codec != "jpeg":
            raise ValueError(f"--verbatim keeps the very bytes: leave out --codec {self.codec}")
        if self.shard_size < _SMALLEST_SHARD:
            raise ValueError(f"--shard-size is {self.shard_size} bytes, the least is 2048")
        if not 0 <= self.seed < _SEEDS:
            raise ValueError(f"--seed is {self.seed}, it takes 0 to 2**63 - 1")

    @staticmethod
    def from_json(content: dict[str, Any], where: str) -> Options:
        """The options of a pack that is there, the default for what its ``pack.json`` leaves out.

        Args:
            content: as ``pack.json`` has it; what this version does not know decides no bytes.
            where: the pack, for the message.

        Raises:
            PackError: a value is none that an option takes.

        >>> Options.from_json({"cls": False, "max_side": 64}, "data.pack").max_side
        64
        """
        # A pack that does not speak of .cls members has none.
        given: dict[str, Any] = {"cls": False}
        try:
            for option in fields(Options):
                if option.name in content:
                    given[option.name] = _checked(option, content[option.name])
            return Options(**given)
        except ValueError as error:
            raise PackError(
                f"{where}: its options cannot be followed ({error}). Upgrade fastload, or pack the "
                "label folder again."
            ) from error

    @property
    def lossy(self) -> bool:
        """Whether pixels may differ from the source's."""
        return self.max_side is not None or self.quality is not None

    def to_json(self) -> dict[str, Any]:
        """The options as ``pack.json`` keeps them."""
        return asdict(self)


def _checked(option: Field[Any], value: Any) -> Any:
    kinds = (int, type(None)) if option.default is None else (type(option.default),)
    if type(value) not in kinds:
        raise ValueError(f"{option.name} is {value!r}")
    return value
