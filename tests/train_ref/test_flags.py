"""Flags are made of the settings; flags come before the file, the file before the defaults."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from train_ref.config import CHOICES, RANGES, Config, flag_of, load_yaml
from train_ref.errors import TrainError
from train_ref.flags import config_of, names_in, settings_flags


def parsed(*words: str, file: Path | None = None) -> Config:
    made: list[Config] = []

    @click.command()
    @settings_flags
    def command(**flags: Any) -> None:
        made.append(config_of(file, flags))

    CliRunner().invoke(command, words, catch_exceptions=False, standalone_mode=False)
    return made[0]


def test_without_flags_all_is_the_default() -> None:
    assert parsed() == Config()


@pytest.mark.parametrize("field", [field.name for field in fields(Config)])
def test_each_setting_has_a_flag_of_its_type(field: str) -> None:
    default = getattr(Config(), field)
    flag = flag_of(field)
    if isinstance(default, bool):
        shown = parsed(flag_of(f"no_{field}") if default else flag)
        assert getattr(shown, field) is not default
        return
    least, most = RANGES.get(field, (0, math.inf))
    number = 0.5 if most <= 1 else max(8, least)
    text = CHOICES[field][-1] if field in CHOICES else str(number)
    found = getattr(parsed(flag, text), field)
    kind = str(Config.__annotations__[field])
    if "tuple" in kind:
        assert found == ("8",)
    elif "float" in kind or "int" in kind:
        assert found == number and not isinstance(found, str)
    else:
        assert found == text


def test_mirroring_and_its_exceptions_are_two_flags() -> None:
    config = parsed("--no-hflip", "--no-hflip-classes", 'a,"창틀,문틀수정"')
    assert config.hflip is False
    assert config.no_hflip_classes == ("a", "창틀,문틀수정")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b", ("a", "b")),
        (r"a\,b, c", ("a,b", "c")),
        ('"a,b"', ("a,b",)),
        ("", ()),
        ("a,", ("a",)),
    ],
)
def test_names_are_taken_apart_at_commas(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


def test_flags_come_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("epochs: 7\nbatch-size: 16\nno_hflip_classes: [a, b]\n")
    config = parsed("--epochs", "3", file=file)
    assert (config.epochs, config.batch_size, config.lr) == (3, 16, None)
    assert config.no_hflip_classes == ("a", "b")


def test_what_a_run_wrote_is_what_is_read(tmp_path: Path) -> None:
    config = Config(data="훼손.pack", lr=0.5, folds=3, progressive=("0:64",), name="x")
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert asdict(Config(**load_yaml(tmp_path / "config.yaml"))) == asdict(config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch: 3", "no setting 'epoch'"),
        ("epochs: many", "epochs cannot be 'many'"),
        ("- 1", "has no settings"),
        ("a: [", "cannot be read as YAML"),
        ("!!python/object/apply:os.system ['true']", "cannot be read as YAML"),
    ],
)
def test_files_that_are_no_settings_are_one_message(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(TrainError, match=words):
        config_of(tmp_path / "x.yaml", {})
