"""A second reader, from docs/format.md alone: tarfile, pyarrow and Pillow; checks all it reads."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
from PIL import Image

from tests.plain_dct import jpeg_of

OF_FILES = {".bmp", ".gif", ".jpg", ".png", ".ppm", ".tif", ".webp", ".img"}
EXTENSIONS = {0: {".jpg"}, 1: {".dct"}, 2: {".qoi"}, 3: OF_FILES}
CRC32C = list(range(256))
for _ in range(8):
    CRC32C = [byte >> 1 ^ 0x82F63B78 * (byte & 1) for byte in CRC32C]


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ CRC32C[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def sound(path, entry):
    data = path.read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["size"], entry["sha256"]), path
    return io.BytesIO(data)


def as_name(raw):
    return raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw


def contents(shard, has_cls):
    """Of each record: number, extension, place, bytes, and the label of its .cls member."""
    with tarfile.open(fileobj=shard) as tar:
        members = iter(tar.getmembers())
        for member in members:
            assert (member.mode, member.uid, member.gid, member.mtime) == (0o644, 0, 0, 0)
            stem, _, extension = member.name.partition(".")
            label = None
            if has_cls:
                cls = next(members)
                assert cls.name == f"{stem}.cls"
                label = int(tar.extractfile(cls).read())
            payload = tar.extractfile(member).read()
            yield int(stem), f".{extension}", member.offset_data, payload, label


def read(pack):
    """The class names and, in ImageFolder's order, (path, label, RGB image, stored bytes)."""
    manifest = json.loads((Path(pack) / "pack.json").read_text("utf-8"))
    assert (manifest["format"], manifest["version"][0]) == ("fastload-pack", 1)
    features = set(manifest["required_features"])
    assert features <= {"binary-paths", "dct", "appended", "unlabelled"}
    appended = manifest["source"]["appended"] if "appended" in features else []
    assert ("appended" in features) == bool(appended) == ("name" in manifest["index"])
    newest = 2 if features & {"appended", "unlabelled"} else 1
    assert manifest["version"][1] >= newest
    classes = manifest["classes"]
    assert not ("unlabelled" in features and (classes or manifest["options"]["cls"]))
    names = [as_name(bytes.fromhex(c["bytes"])) if "bytes" in c else c["name"] for c in classes]
    index_name = manifest["index"].get("name", "index.arrow")
    assert index_name == (f"index-{len(appended) + 1}.arrow" if appended else "index.arrow")
    index = sound(Path(pack) / index_name, manifest["index"])
    rows = pa.ipc.open_file(index).read_all().to_pylist()
    assert ("dct" in features) == any(row["codec"] == 1 for row in rows)
    assert len(rows) == manifest["records"]
    counts = [c["count"] for c in classes] if "unlabelled" not in features else [len(rows)]
    assert [sum(row["label"] == k for row in rows) for k in range(len(counts))] == counts
    begins = len(rows) - sum(part["records"] for part in appended)
    for part in appended:
        assert part["records"] and (
            begins == 0 or rows[begins - 1]["shard"] < rows[begins]["shard"]
        )
        begins += part["records"]
    images = []
    for number, entry in enumerate(manifest["shards"]):
        shard = sound(Path(pack) / "shards" / entry["name"], entry)
        members = contents(shard, manifest["options"]["cls"])
        for record, (stem, extension, offset, payload, label) in enumerate(members, len(images)):
            row = rows[record]
            place = (row["shard"], row["offset"], row["length"])
            assert (record, *place) == (stem, number, offset, len(payload))
            assert label in (None, row["label"])
            assert extension in EXTENSIONS[row["codec"]]
            assert crc32c(payload) == row["crc32c"]
            file = jpeg_of(payload) if row["codec"] == 1 else payload
            images.append((Image.open(io.BytesIO(file)).convert("RGB"), payload))
            assert images[-1][0].size == (row["width"], row["height"])
    order = [row["listing"] for row in rows]
    assert sorted(order) == list(range(len(images)))
    listed = [(row["label"], *as_name(row["path"]).rpartition("/")) for row in rows]
    assert [listed[r] for r in order] == sorted(listed)
    return names, [(as_name(rows[r]["path"]), rows[r]["label"], *images[r]) for r in order]


def read_split(pack, name):
    """Of each fold: the paths to train with and those to validate with, in ImageFolder's order."""
    manifest = json.loads((Path(pack) / "pack.json").read_text("utf-8"))
    table = pa.ipc.open_file((Path(pack) / "splits" / f"{name}.arrow").read_bytes()).read_all()
    facts = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert (facts["format"], facts["version"].split(".")[0]) == ("fastload-split", "1")
    assert facts["index_sha256"] == manifest["index"]["sha256"]
    folds = int(facts["folds"])
    assert ("val" in facts) == (folds == 1)
    fold_of = table.column("fold").to_pylist()
    assert len(fold_of) == manifest["records"] and set(fold_of) <= set(range(-1, folds))
    rows = pa.ipc.open_file((Path(pack) / "index.arrow").read_bytes()).read_all().to_pylist()
    listed = [(as_name(rows[r["listing"]]["path"]), fold_of[r["listing"]]) for r in rows]
    return [
        ([path for path, f in listed if f != fold], [path for path, f in listed if f == fold])
        for fold in range(folds)
    ]
