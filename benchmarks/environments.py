"""The peers' virtual environments: ``python -m benchmarks.environments [peer ...]`` makes them.

They lie outside the repository, in ``~/.cache/fastload-bench`` or where ``FASTLOAD_BENCH_CACHE``
says. An environment sees the packages of the interpreter that made it (torch is not installed four
times) after its own, so that its own versions win.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers import PEERS, Peer

MARK = "installed.txt"
ERROR = "error.txt"


class NotInstalledError(Exception):
    """A peer's environment is not there; the message says why and what to do."""


def cache() -> Path:
    """Where environments and cut photos are kept."""
    default = Path.home() / ".cache" / "fastload-bench"
    return Path(os.environ.get("FASTLOAD_BENCH_CACHE", default)).expanduser().resolve()


def folder(name: str) -> Path:
    """The environment of a peer."""
    return cache() / "environments" / name


def _wanted(peer: Peer) -> str:
    return "\n".join([sys.executable, *peer.requirements])


def python_of(name: str) -> str:
    """The interpreter that runs a peer's adapter.

    Raises:
        NotInstalledError: its environment is missing, failed to build, or was made by another
            interpreter.

    """
    name = PEERS[name].environment or name
    peer = PEERS[name]
    if not peer.requirements:
        return sys.executable
    mark, error = folder(name) / MARK, folder(name) / ERROR
    if mark.is_file() and mark.read_text() == _wanted(peer):
        return str(folder(name) / "bin" / "python")
    if error.is_file():
        raise NotInstalledError(error.read_text())
    raise NotInstalledError(f"not installed: python -m benchmarks.environments {name}")


def install(name: str) -> None:
    """Make a peer's environment anew.

    Raises:
        NotInstalledError: pip failed; the message names the system packages that it may miss and
            ends with pip's last words.

    """
    peer, home = PEERS[name], folder(name)
    venv.create(home, clear=True, with_pip=False)
    python = home / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    (packages / "runner.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", *peer.requirements]
    done = subprocess.run(pip, env={**os.environ, **peer.build}, text=True, capture_output=True)
    if done.returncode:
        message = f"pip install {' '.join(peer.requirements)} failed"
        if peer.system:
            message += f" (it needs: apt-get install {' '.join(peer.system)})"
        (home / ERROR).write_text(message)
        raise NotInstalledError(f"{message}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    (home / MARK).write_text(_wanted(peer))


def main(names: Sequence[str]) -> None:
    """Install the named peers, or all that are missing; one that fails gets a row in the tables."""
    for name in names or [name for name, peer in PEERS.items() if peer.requirements]:
        try:
            if not names:
                python_of(name)
                print(f"{name}: there already")
                continue
        except NotInstalledError:
            pass
        print(f"{name}: installing {' '.join(PEERS[name].requirements)} ...", flush=True)
        try:
            install(name)
            print(f"{name}: in {folder(name)}")
        except NotInstalledError as error:
            print(f"{name}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
