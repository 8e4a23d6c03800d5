"""python -m train_ref predict: from checkpoints and images to a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import fastload
from tests.conftest import COUNTS, write_label_folder
from train_ref.checkpoint import Loaded, load_model, model_state, save_state
from train_ref.commands.predict import checkpoint_files, command
from train_ref.config import Config
from train_ref.data import evaluation_loader
from train_ref.errors import TrainError
from train_ref.evaluation import predict_logits
from train_ref.models import build
from train_ref.models.classifier import Classifier

CPU = torch.device("cpu")
CLASSES = ("개미", "bee, wild", "cat", "dog")


@torch.no_grad()
def spread_answers(model: Classifier) -> None:
    """Let a model that has learnt nothing answer with several classes."""
    head = model.head
    assert isinstance(head, torch.nn.Linear)
    colours = torch.rand(64, 3, 1, 1).mul(4).sub(2).expand(-1, -1, 32, 32)
    torch.nn.init.normal_(head.weight, std=3.0)
    head.bias -= model(colours).mean(dim=0)


def write_checkpoint(
    path: Path, seed: int = 0, classes: tuple[str, ...] = CLASSES, **settings: object
) -> Path:
    config = Config(
        model="tiny",
        device="cpu",
        workers=2,
        batch_size=8,
        seed=seed,
        **settings,  # type: ignore[arg-type]
    )
    built = build(config, classes)
    torch.manual_seed(seed)
    spread_answers(built.model.eval())
    counts = np.arange(1, len(classes) + 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    loaded = Loaded(built.model, config, built.input, classes, counts, 0.0)
    save_state(path, model_state(loaded))
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("run") / "best.pt")


def predict(out: Path, *arguments: str | Path) -> list[dict[str, str]]:
    words = ["--device", "cpu", "--out", str(out), *map(str, arguments)]
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    with out.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def best_classes(checkpoint: Path, pack: Path) -> list[str]:
    """What the model says of each image, without any of predict's code."""
    loaded = load_model(checkpoint, CPU)
    loader = evaluation_loader(fastload.ImageFolder(pack), loaded.config, loaded.input)
    logits, _ = predict_logits(loaded.model, loader, loaded.input, CPU)
    return [CLASSES[label] for label in logits.argmax(axis=1)]


def plain_folder(root: Path, names: Sequence[str]) -> Path:
    """A folder of images without classes."""
    labelled = write_label_folder(root / "labelled", {"any": len(names)})
    folder = root / "plain"
    folder.mkdir()
    for file, name in zip(sorted((labelled / "any").iterdir()), names, strict=True):
        file.rename(folder / f"{name}{file.suffix}")
    return folder


def test_a_row_an_image_in_the_order_of_the_pack(
    checkpoint: Path, small_pack: Path, tmp_path: Path
) -> None:
    rows = predict(tmp_path / "out.csv", "--data", small_pack, "--ckpt", checkpoint)
    assert [row["id"] for row in rows][:2] == ["ant/000.jpg", "ant/001.jpg"]
    assert len(rows) == sum(COUNTS.values())
    labels = [row["label"] for row in rows]
    assert labels == best_classes(checkpoint, small_pack)
    assert len(set(labels)) > 1


def test_a_label_folder_finds_the_pack_next_to_it(checkpoint: Path, tmp_path: Path) -> None:
    folder = write_label_folder(tmp_path / "photos", {"x": 3, "y": 2})
    rows = predict(tmp_path / "out.csv", "--data", folder, "--ckpt", checkpoint)
    again = predict(tmp_path / "out.csv", "--data", tmp_path / "photos.pack", "--ckpt", checkpoint)
    assert rows == again
    assert [row["id"][:2] for row in rows] == ["x/"] * 3 + ["y/"] * 2


def test_a_plain_folder_is_packed_without_classes(checkpoint: Path, tmp_path: Path) -> None:
    folder = plain_folder(tmp_path, ["TEST_1", "TEST_0", "TEST_2"])
    (folder / "notes.txt").write_text("no image")
    first = predict(tmp_path / "out.csv", "--data", folder, "--ckpt", checkpoint, "--id", "stem")
    assert [row["id"] for row in first] == ["TEST_0", "TEST_1", "TEST_2"]
    assert fastload.ImageFolder(tmp_path / "plain.pack").classes == []
    again = predict(tmp_path / "out.csv", "--data", folder, "--ckpt", checkpoint, "--id", "stem")
    assert again == first


def test_a_sample_has_the_last_word_on_ids_and_order(checkpoint: Path, tmp_path: Path) -> None:
    folder = plain_folder(tmp_path, ["TEST_1", "TEST_0", "TEST_2"])
    sample = tmp_path / "sample.csv"
    sample.write_text("image,answer\nTEST_2,?\nTEST_0,?\nTEST_1,?\n")
    plain = predict(tmp_path / "a.csv", "--data", folder, "--ckpt", checkpoint, "--id", "stem")
    rows = predict(
        tmp_path / "b.csv", "--data", folder, "--ckpt", checkpoint, "--sample-submission", sample
    )
    assert [row["image"] for row in rows] == ["TEST_2", "TEST_0", "TEST_1"]
    answers = {row["id"]: row["label"] for row in plain}
    assert [row["answer"] for row in rows] == [answers[row["image"]] for row in rows]


def test_what_is_wrong_with_a_sample_is_said_before_any_image_is_read(
    checkpoint: Path, small_pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train_ref.ensemble.predict_shares", lambda *_: pytest.fail("too late"))
    (tmp_path / "sample.csv").write_text("id,label\nant/000.jpg,?\n")
    with pytest.raises(TrainError, match="lacks 21 of the images"):
        predict(
            tmp_path / "out.csv",
            *("--data", small_pack, "--ckpt", checkpoint),
            *("--sample-submission", tmp_path / "sample.csv"),
        )


def test_views_and_models_are_averaged(small_pack: Path, tmp_path: Path) -> None:
    one = write_checkpoint(tmp_path / "runs" / "fold0" / "best.pt", seed=0)
    other = write_checkpoint(tmp_path / "runs" / "fold1" / "best.pt", seed=1)

    def shares(*arguments: str | Path) -> np.ndarray:
        rows = predict(
            tmp_path / "out.csv", "--data", small_pack, "--probabilities", "--tta", *arguments
        )
        assert list(rows[0]) == ["id", "label", *CLASSES]
        return np.array([[float(row[name]) for name in CLASSES] for row in rows])

    of_one, of_other = (shares("flip", "--ckpt", path) for path in (one, other))
    together = shares("flip", "--ckpt", tmp_path / "runs")
    np.testing.assert_allclose(together, (of_one + of_other) / 2, atol=2e-6)
    assert abs(of_one - shares("", "--ckpt", one)).max() > 1e-3
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


def test_files_that_cannot_be_read_are_told_of(checkpoint: Path, tmp_path: Path) -> None:
    folder = plain_folder(tmp_path, ["a", "b"])
    (folder / "c.png").write_bytes(b"no image")
    words = ["--data", str(folder), "--ckpt", str(checkpoint), "--out", str(tmp_path / "out.csv")]
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert "out.csv: 2 rows" in done.stdout
    assert "1 files cannot be read and have no row" in done.stderr


@pytest.mark.parametrize(
    ("settings", "tta", "told"),
    [
        ({"no_hflip_classes": ("개미", "cat")}, "flip,multi-crop", "without mirroring 개미, cat;"),
        ({"no_hflip_classes": ("개미", "cat")}, "multi-crop", None),
        ({"hflip": False}, "dihedral", "without mirroring any image;"),
        ({}, "flip", None),
    ],
)
def test_views_that_mirror_what_training_did_not_are_told_of(
    small_pack: Path, tmp_path: Path, settings: dict[str, object], tta: str, told: str | None
) -> None:
    one = write_checkpoint(tmp_path / "one.pt", **settings)
    words = ["--data", small_pack, "--ckpt", one, "--out", tmp_path / "out.csv", "--tta", tta]
    done = CliRunner().invoke(command, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0
    assert told in done.stderr if told else "without mirroring" not in done.stderr


def test_checkpoints_of_other_classes_are_refused(
    checkpoint: Path, small_pack: Path, tmp_path: Path
) -> None:
    other = write_checkpoint(tmp_path / "other.pt", classes=("a", "b"))
    with pytest.raises(TrainError, match="is of other classes than"):
        predict(tmp_path / "out.csv", "--data", small_pack, "--ckpt", checkpoint, "--ckpt", other)


def test_checkpoints_are_found_in_folders(tmp_path: Path) -> None:
    for place in ("runs/b/best.pt", "runs/a/best.pt", "runs/c/last.pt", "alone.pt"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    runs = tmp_path / "runs"
    a, b = runs / "a" / "best.pt", runs / "b" / "best.pt"
    assert checkpoint_files((runs,)) == [a, b]
    assert checkpoint_files((tmp_path / "alone.pt", runs / "b", b)) == [tmp_path / "alone.pt", b]
    with pytest.raises(TrainError, match=r"c has no best\.pt"):
        checkpoint_files((runs / "c",))
