"""What a user can mend: said in one message, without a traceback."""

from __future__ import annotations

__all__ = ["TrainError"]


class TrainError(Exception):
    """A setting, file or state that training cannot go on with; says what, where, what to do."""
