"""Commands that write a pack: Ctrl-C tells how to go on, and refusals are one message."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["resumable"]

# What shells give for a program that SIGINT ended.
_INTERRUPTED = 130


@contextlib.contextmanager
def resumable() -> Iterator[None]:
    """What such a command does, its errors turned into messages and exit codes."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Interrupted. Run the same command again: it goes on from here.", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from None
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
