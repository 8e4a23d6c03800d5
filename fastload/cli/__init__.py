"""The command line: `fastload COMMAND`; each command is `command` in the file of its name."""

from __future__ import annotations

from importlib import import_module

import click

from fastload.errors import FastloadError
from fastload.version import __version__

__all__ = ["main"]

COMMANDS = (
    "pack",
    "append",
    "info",
    "view",
    "verify",
    "duplicates",
    "split",
    "tune",
    "bench",
    "recode",
    "export",
    "unpack",
    "doctor",
)


class CommandFiles(click.Group):
    """A group that imports a command's file when the command is asked for.

    So a usage error, `--version` and a command that needs no torch answer at once.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which a pack meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"fastload.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what fastload refuses is one message and exit code 1, no traceback."""
        try:
            return super().invoke(ctx)
        except FastloadError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=CommandFiles, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fastload")
def main() -> None:
    """Pack a label folder once, then train from it several times faster."""
