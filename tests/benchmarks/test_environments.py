from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import environments
from benchmarks.environments import NotInstalledError, install, main, python_of
from benchmarks.peers import PEERS, Peer


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FASTLOAD_BENCH_CACHE", str(tmp_path))
    peer = Peer("Planted", "the same", requirements=("planted==1",), system=("libplanted-dev",))
    monkeypatch.setitem(PEERS, "planted", peer)
    return tmp_path


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """pip's command lines; nothing is installed."""
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, int("broken==1" in command), "no compiler", "")

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
    monkeypatch.setitem(PEERS, "planted", Peer("Planted", "the same", requirements=("planted==2",)))
    with pytest.raises(NotInstalledError):
        python_of("planted")


def test_a_failed_build_is_told_again_by_the_runner(
    pip: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Peer("Broken", "the same", requirements=("broken==1",), system=("libplanted-dev",))
    monkeypatch.setitem(PEERS, "planted", broken)
    main(["planted"])
    assert "no compiler" in capsys.readouterr().out
    with pytest.raises(
        NotInstalledError, match=r"broken==1 failed.*apt-get install libplanted-dev"
    ):
        python_of("planted")
