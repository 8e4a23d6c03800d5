"""Running commands."""

from __future__ import annotations

from click.testing import CliRunner, Result

from fastload.cli import main


def run(*arguments: object) -> Result:
    """Run ``fastload`` with these arguments."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])
