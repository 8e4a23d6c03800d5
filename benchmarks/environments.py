"""The peers' virtual environments: ``python -m benchmarks.environments [peer ...]`` makes them.

They lie outside the repository, in ``~/.cache/fastload-bench`` or where ``FASTLOAD_BENCH_CACHE``
says. An environment sees the packages of the interpreter that made it (torch is not installed four
times) after its own, so that its own versions win.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.peers import PEERS, Peer

ROOT = Path(__file__).resolve().parent.parent
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
        raise NotInstalledError(error.read_text().splitlines()[0])
    raise NotInstalledError(f"not installed: python -m benchmarks.environments {name}")


def install(name: str) -> None:
    """Make a peer's environment anew, and import its adapter there once.

    Raises:
        NotInstalledError: a step failed; the message names the system packages that it may miss
            and ends with the step's most telling line. All that it said is in ``error.txt``.

    """
    peer, home = PEERS[name], folder(name)
    venv.create(home, clear=True, with_pip=False)
    python = str(home / "bin" / "python")
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    (packages / "runner.pth").write_text(sysconfig.get_path("purelib") + "\n")
    system = _install_system(peer.system)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", *peer.requirements]
    trial = [python, "-c", f"import benchmarks.peers.{name}"]
    for step, what in ((pip, f"pip install {' '.join(peer.requirements)}"), (trial, trial[-1])):
        done = _run(step, peer.build)
        if done.returncode:
            needs = f" (it needs: apt-get install {' '.join(peer.system)})" if peer.system else ""
            message = f"{what} failed{needs}: {telling_line(done.stdout)}"
            (home / ERROR).write_text(f"{message}\n\n{system}{done.stdout}")
            raise NotInstalledError(message)
    (home / MARK).write_text(_wanted(peer))


def _run(command: Sequence[str], more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout; what it says on either stream is its ``stdout``."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **more},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def _install_system(packages: Sequence[str]) -> str:
    """Install those packages that are missing; what the attempt said, for it may fail.

    Whether something is really missing shows when the peer is built and imported.
    """
    if not packages or not shutil.which("dpkg-query"):
        return ""
    known = _run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *packages], {})
    missing = [name for name in packages if f"{name} installed" not in known.stdout.splitlines()]
    return _run(["tools/system_packages.sh", *missing], {}).stdout if missing else ""


def telling_line(said: str) -> str:
    r"""Of all that a failed command said, the line that says most about why.

    >>> telling_line("building\nx.h:1: fatal error: jpeglib.h: No such file\nERROR: failed")
    'x.h:1: fatal error: jpeglib.h: No such file'
    >>> telling_line("Traceback\nImportError: libavutil.so is missing\nRetry!\n")
    'ImportError: libavutil.so is missing'
    """
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it said nothing"]
    compilers = [line for line in lines if "fatal error:" in line]
    errors = [line for line in lines if "error:" in line.lower()]
    return (compilers[:1] or errors[-1:] or lines[-1:])[0]


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
            print(f"{name}: {error}\n{name}: all of it is in {folder(name) / ERROR}")


if __name__ == "__main__":
    main(sys.argv[1:])
