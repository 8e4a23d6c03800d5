from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import environments
from benchmarks.environments import NotInstalledError, install, main, python_of
from benchmarks.peers import PEERS, Peer

BROKEN = "Building broken\nbroken.c:1: fatal error: planted.h: No such file\nERROR: it failed\n"


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FASTLOAD_BENCH_CACHE", str(tmp_path))
    peer = Peer("{}", "planted", requirements=("planted==1",), system=("libplanted-dev",))
    monkeypatch.setitem(PEERS, "planted", peer)
    return tmp_path


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """pip's command lines; nothing is installed."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, int("broken==1" in command), BROKEN)

    monkeypatch.setattr(environments.subprocess, "run", run)
    return calls


def test_a_peer_without_requirements_runs_here() -> None:
    assert python_of("imagefolder") == sys.executable


def test_a_missing_environment_says_what_makes_it() -> None:
    with pytest.raises(NotInstalledError, match=r"python -m benchmarks\.environments planted"):
        python_of("planted")


def test_an_environment_is_made_once(pip: list[list[str]], cache: Path) -> None:
    main([])
    assert python_of("planted") == str(cache / "environments" / "planted" / "bin" / "python")
    installs = len(pip)
    main([])
    assert len(pip) == installs


def test_an_environment_sees_the_runners_packages_after_its_own(pip: list[list[str]]) -> None:
    install("planted")
    show = [python_of("planted"), "-c", "import sys; print('\\n'.join(sys.path))"]
    with subprocess.Popen(show, stdout=subprocess.PIPE, text=True) as process:
        path = process.communicate()[0].splitlines()
    own = [place for place in path if "planted" in place]
    runners = [place for place in sys.path if place.endswith("site-packages")]
    assert own
    assert path.index(runners[0]) > path.index(own[-1])


def test_other_requirements_want_a_new_environment(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("planted")
    monkeypatch.setitem(PEERS, "planted", Peer("{}", "planted", requirements=("planted==2",)))
    with pytest.raises(NotInstalledError):
        python_of("planted")


def test_a_failed_build_is_told_again_by_the_runner(
    pip: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cache: Path,
) -> None:
    broken = Peer("{}", "broken", requirements=("broken==1",), system=("libplanted-dev",))
    monkeypatch.setitem(PEERS, "planted", broken)
    main(["planted"])
    whole = cache / "environments" / "planted" / "error.txt"
    assert str(whole) in capsys.readouterr().out
    assert BROKEN in whole.read_text()
    with pytest.raises(
        NotInstalledError,
        match=r"broken==1 failed.*apt-get install libplanted-dev\): .*planted\.h: No such file$",
    ):
        python_of("planted")


def test_an_adapter_that_cannot_be_imported_counts_as_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The peer's own package is there, and the system's library that it opens is not.
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        imports = command[-1] == "import benchmarks.peers.planted"
        return subprocess.CompletedProcess(command, int(imports), "ImportError: no libplanted.so")

    monkeypatch.setattr(environments.subprocess, "run", run)
    with pytest.raises(NotInstalledError, match=r"libplanted-dev\): ImportError: no libplanted"):
        install("planted")
    with pytest.raises(NotInstalledError, match=r"no libplanted\.so"):
        python_of("planted")


@pytest.mark.parametrize(("known", "asked"), [("", True), ("libplanted-dev installed\n", False)])
def test_only_missing_system_packages_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, known: str, asked: bool
) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0, known)

    monkeypatch.setattr(environments.subprocess, "run", run)
    monkeypatch.setattr(environments.shutil, "which", lambda name: f"/usr/bin/{name}")
    install("planted")
    assert (["tools/system_packages.sh", "libplanted-dev"] in calls) is asked
