"""Which paths of an index may become files, and where a folder's counterpart lies."""

from __future__ import annotations

from pathlib import Path

__all__ = ["beside", "path_fault"]


def beside(folder: Path, suffix: str) -> Path:
    """The path next to a folder with a suffix added to its name; links are not followed.

    >>> beside(Path("/data/photos/"), ".pack")
    PosixPath('/data/photos.pack')
    """
    named = folder.absolute()
    if named.name in ("", ".."):
        named = folder.resolve()
    return named.with_name(named.name + suffix)


def path_fault(path: str, class_name: str | None) -> str | None:
    """Why a record's path cannot be one of its folder, or None where it can.

    A pack may come from anywhere: a path that is absolute, climbs with ``..`` or lies in another
    class's folder must never be written to.

    Args:
        path: of the record.
        class_name: of its class, or None where the images have no classes.

    >>> path_fault("cat/a.jpg", "cat") is None
    True
    >>> path_fault("cat/../../etc/passwd", "cat")
    "its path 'cat/../../etc/passwd' leaves the folder"
    """
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        return f"its path {path!r} leaves the folder"
    if class_name is not None and (len(parts) < 2 or parts[0] != class_name):
        return f"its path {path!r} is not in the folder of its class {class_name!r}"
    return None
