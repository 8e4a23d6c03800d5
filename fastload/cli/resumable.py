"""Commands that write a pack: progress is shown, Ctrl-C says how to go on, errors are one line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from fastload.cli.watching import watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastload.pack.flow import Progress

__all__ = ["INTERRUPTED", "resumable"]

# What shells give for a program that SIGINT ended.
INTERRUPTED = 130


@contextlib.contextmanager
def resumable(doing: str) -> Iterator[Callable[[Progress], None]]:
    """What such a command does, its errors turned into messages and exit codes.

    Args:
        doing: what is done to the images, for the line that says how far it is.

    Yields:
        what is to be called with how far it is.
    """
    try:
        with watching(doing) as show:
            yield lambda progress: show(
                progress.files, progress.files_in_all, progress.bytes, progress.bytes_in_all
            )
    except KeyboardInterrupt:
        click.echo("Interrupted. Run the same command again: it goes on from here.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error
