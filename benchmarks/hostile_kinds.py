"""The ten kinds of input of `hostile.py`: what is valid, how it is malformed, how it is used."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hostile_inputs import (
    damaged_png,
    damaged_zip,
    hostile_text,
    json_text,
    mutated_bytes,
    mutated_text,
    mutated_tree,
    replaced_file,
    safetensors_with,
)

__all__ = ["KINDS", "Kind"]

# A job that is accepted is followed for this long, then cancelled: training may take its time.
FOLLOWED = 1.5

Rng = np.random.Generator
Use = Callable[[], object]

TOML = {
    "mask": 'label="l"\n[channels]\nDNA="p"\n[cells]\nfrom="mask"\ncolumn="m"\nobject="o"\n'
    "crop=16\n",
    "point": 'label="l"\ngroup="g"\n[channels]\nDNA="p"\nER="q"\n[cells]\nfrom="point"\n'
    'columns=["y","x"]\ncrop=16\n',
    "box": 'label="l"\nsplit="s"\n[channels]\nDNA="p"\n[cells]\nfrom="box"\n'
    'columns=["y","x","y1","x1"]\ncrop=16\n',
    "image": 'label="l"\n[image]\ncolumn="c"\naxes="CYX"\nchannels=["DNA","ER"]\n[cells]\n'
    'from="image"\ncrop=16\n',
    "segment": 'label="k"\n[channels]\nDNA="p"\n[cells]\nfrom="segment"\nchannel="DNA"\ncrop=16\n',
}
# Values that TOML itself allows.
LITERALS = (
    "0",
    "1",
    "-1",
    "3",
    "4",
    "64",
    "4096",
    "99999999",
    "2.5",
    "nan",
    "inf",
    "true",
    "false",
    '""',
    '" "',
    "[]",
    "{}",
    '"p"',
    '"c"',
    '"m"',
    '"l"',
    '"y"',
    '"zz"',
    '"t.csv"',
    '"../t.csv"',
    '"fifo"',
    '"YX"',
    '"XY"',
    '"CYX"',
    '"YXC"',
    '"CC"',
    '"ZYX"',
    '["y","x"]',
    '["x","y"]',
    '["y","y"]',
    '["y"]',
    '["y","x","y1","x1"]',
    '["DNA"]',
    '["DNA","DNA"]',
    '["",""]',
    '["p","q"]',
    "[1,2]",
    '"mask"',
    '"point"',
    '"box"',
    '"tile"',
    '"image"',
    '"segment"',
    '{l=["p"]}',
    '{l=["P"]}',
    "{l=[1]}",
    "1979-05-27",
    '"a\\u0000b"',
    "[[[[[]]]]]",
)
HEAD = 'name="x"\ntable="t.csv"\n'


def rows(group: str = "g", shift: int = 0) -> str:
    """Four rows of cells; shifted by some pixels, so that no two rows are of the same pixels."""
    return "".join(
        f"a.tif,b.tif,m.tif,c.tif,{y + shift},{x},{y + 9},{x + 9},{'pq'[i % 2]},{group}{i},{part},"
        f"{i + 1},p\n"
        for i, (y, x, part) in enumerate(
            [(20, 20, "train"), (20, 44, "test"), (44, 20, "train"), (44, 44, "test")]
        )
    )


TABLE = "p,q,m,c,y,x,y1,x1,l,g,s,o,k\n" + rows()


def images(folder: Path) -> None:
    """A field of view of four cells in two channels, its mask, and both channels in one file."""
    import tifffile

    yy, xx = np.mgrid[:64, :64]
    labels = np.zeros((64, 64), np.uint16)
    pixels = np.random.default_rng(0).normal(200, 10, (2, 64, 64))
    for index, (y, x) in enumerate([(20, 20), (20, 44), (44, 20), (44, 44)], 1):
        disc = (yy - y) ** 2 + (xx - x) ** 2 < 49
        labels[disc] = index
        pixels[:, disc] += 1000 * index
    stack = pixels.astype(np.uint16)
    tifffile.imwrite(folder / "a.tif", stack[0])
    tifffile.imwrite(folder / "b.tif", stack[1])
    tifffile.imwrite(folder / "m.tif", labels)
    tifffile.imwrite(folder / "c.tif", stack, photometric="minisblack")
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "empty").write_bytes(b"")
    with contextlib.suppress(FileExistsError):
        os.mkfifo(folder / "fifo")
        os.mkfifo(folder / "fifo.tif")


def open_and_read(folder: Path) -> object:
    """What every entrance does with a data set: open it, read cells, tell its warnings."""
    import napari_channelmix as cm

    cells = cm.open_dataset(folder / "d.toml")
    cells.read(slice(0, 8))
    return len(cells), cells.warnings


class Kind:
    """A kind of input: `prepare` a folder once, then make input after input in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        images(folder)
        (folder / "t.csv").write_text(TABLE, "utf-8")
        self.prepare()

    def prepare(self) -> None:
        """Make the valid inputs."""

    def make(self, rng: Rng) -> Use:
        """Put one malformed input into the folder; gives the use of it that is to be watched."""
        raise NotImplementedError

    def write_toml(self, text: str) -> None:
        """The data-set file."""
        (self.folder / "d.toml").write_text(HEAD + text, "utf-8", errors="replace")


class DatasetFile(Kind):
    """The data-set file (TOML)."""

    def make(self, rng: Rng) -> Use:
        text = HEAD + list(TOML.values())[rng.integers(len(TOML))]
        how = rng.random()
        if how < 0.1:
            content = mutated_bytes(rng, text.encode())
        elif how < 0.2:
            extra = str(
                rng.choice(
                    [
                        "min_area",
                        "crop",
                        "size",
                        "classes",
                        "keep",
                        "unlabelled",
                        "labelled",
                        "border",
                        "scene",
                        "pixel_size",
                    ]
                )
            )
            value = str(
                rng.choice(
                    [
                        "-1",
                        "0",
                        "1e9",
                        "nan",
                        "[1]",
                        '"x"',
                        "{a=[1]}",
                        "true",
                        "99999999999999999999",
                        "[" * 2000,
                    ]
                )
            )
            content = f"{text}{extra}={value}\n".encode()
        elif how < 0.7:
            lines = text.splitlines()
            line = int(rng.choice([i for i, row in enumerate(lines) if "=" in row]))
            value = LITERALS[rng.integers(len(LITERALS))]
            lines[line] = lines[line].partition("=")[0] + "=" + value
            content = "\n".join(lines).encode()
        else:
            content = mutated_text(rng, text).encode("utf-8", "surrogatepass")
        (self.folder / "d.toml").write_bytes(content)
        return lambda: open_and_read(self.folder)


class TableFile(Kind):
    """The table of a data set (CSV)."""

    def make(self, rng: Rng) -> Use:
        self.write_toml(list(TOML.values())[rng.integers(len(TOML))])
        how = rng.random()
        if how < 0.55:
            rows = [line.split(",") for line in TABLE.splitlines()]
            for _ in range(min(rng.geometric(0.7), 4)):
                row = rows[rng.integers(len(rows))]
                row[rng.integers(len(row))] = hostile_text(rng)
            mark = str(rng.choice([",", ",", ",", ";", "\t", "|"]))
            content = "\n".join(map(mark.join, rows)).encode("utf-8", "surrogatepass")
        elif how < 0.8:
            content = mutated_text(rng, TABLE, ",\n").encode("utf-8", "surrogatepass")
        else:
            code = str(rng.choice(["utf-8", "utf-16", "utf-8-sig", "cp1252", "utf-32"]))
            content = mutated_bytes(rng, TABLE.replace("p", "é").encode(code, "replace"))
        (self.folder / "t.csv").write_bytes(content)
        return lambda: open_and_read(self.folder)


class Tiff(Kind):
    """TIFF, OME-TIFF and ImageJ files."""

    def prepare(self) -> None:
        import tifffile

        stack = np.random.default_rng(1).integers(0, 4000, (2, 48, 64), np.uint16)
        write = tifffile.imwrite
        files = [self.folder / f"base{i}.tif" for i in range(6)]
        write(files[0], stack[0])
        about = {"axes": "CYX", "Channel": {"Name": ["DNA", "ER"]}, "PhysicalSizeX": 0.5}
        write(files[1], stack, ome=True, metadata={**about, "PhysicalSizeY": 0.5})
        write(files[2], stack, imagej=True, metadata={"axes": "CYX", "Labels": ["DNA", "ER"]})
        write(files[3], stack, photometric="minisblack", compression="zlib", tile=(16, 16))
        write(files[4], stack.astype(">f4"), photometric="minisblack", byteorder=">")
        write(files[5], stack, bigtiff=True, photometric="minisblack", rowsperstrip=5)
        self.bases = [file.read_bytes() for file in files]

    def make(self, rng: Rng) -> Use:
        base = self.bases[rng.integers(len(self.bases))]
        start = base.find(b"<OME")
        if start > 0 and rng.random() < 0.7:
            end = base.find(b"</OME>") + 6
            text = mutated_text(rng, base[start:end].decode(), '<> ="/').encode("utf-8", "replace")
            content = base[:start] + text[: end - start].ljust(end - start) + base[end:]
        else:
            content = mutated_bytes(rng, base, 400)
        if rng.random() < 0.02:
            content = b""
        name = str(rng.choice(["x.tif", "x.ome.tif"]))
        (self.folder / name).write_bytes(content)
        several = rng.random() < 0.6
        body = TOML["image"] if several else TOML["point"].replace('ER="q"\n', "")
        if several and rng.random() < 0.5:
            body = body.replace('axes="CYX"\n', "")
        self.write_toml(body)
        (self.folder / "t.csv").write_text(TABLE.replace("a.tif", name).replace("c.tif", name))
        return lambda: open_and_read(self.folder)


class Picture(Kind):
    """PNG and JPEG files."""

    def prepare(self) -> None:
        from PIL import Image

        colors = np.random.default_rng(2).integers(0, 255, (48, 64, 3), np.uint8)
        grey = Image.fromarray(colors[..., 0])
        pictures = {
            "grey.png": grey,
            "rgb.png": Image.fromarray(colors),
            "grey.jpg": grey,
            "rgb.jpg": Image.fromarray(colors),
            "palette.png": grey.convert("P"),
            "one.png": grey.convert("1"),
            "alpha.png": grey.convert("LA"),
            "deep.png": Image.fromarray(colors[..., 0].astype(np.uint16) * 200),
        }
        for name, picture in pictures.items():
            picture.save(self.folder / name)
        self.bases = {name: (self.folder / name).read_bytes() for name in pictures}

    def make(self, rng: Rng) -> Use:
        name = sorted(self.bases)[rng.integers(len(self.bases))]
        content = self.bases[name]
        png = name.endswith(".png")
        (self.folder / f"x_{name}").write_bytes(
            damaged_png(rng, content) if png else mutated_bytes(rng, content, 128)
        )
        how = rng.random()
        if how < 0.4:
            body = TOML["image"].replace("CYX", "YXC").replace('"DNA","ER"', '"R","G","B"')
        elif how < 0.6:
            body = TOML["mask"]
        else:
            body = TOML["point"].replace('ER="q"\n', "")
        self.write_toml(body)
        table = TABLE.replace("c.tif", f"x_{name}")
        table = table.replace("m.tif" if how < 0.6 else "a.tif", f"x_{name}")
        (self.folder / "t.csv").write_text(table)
        return lambda: open_and_read(self.folder)


class Zarr(Kind):
    """OME-Zarr images, versions 0.4 and 0.5."""

    def prepare(self) -> None:
        import zarr

        stack = np.random.default_rng(3).integers(0, 4000, (2, 48, 64), np.uint16)
        axes = [{"name": "c", "type": "channel"}]
        axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
        scale = [{"type": "scale", "scale": [1.0, 0.5, 0.5]}]
        about = {
            "multiscales": [
                {
                    "version": "0.4",
                    "axes": axes,
                    "datasets": [{"path": "0", "coordinateTransformations": scale}],
                }
            ],
            "omero": {"channels": [{"label": "DNA"}, {"label": "ER"}]},
        }
        for version, attributes in ((2, about), (3, {"ome": about})):
            group = zarr.open_group(
                self.folder / f"base{version}.zarr", mode="w", zarr_format=version
            )
            array = group.create_array("0", shape=stack.shape, chunks=(1, 16, 64), dtype="uint16")
            array[:] = stack
            group.attrs.update(attributes)

    def make(self, rng: Rng) -> Use:
        target = self.folder / "x.zarr"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.folder / f"base{rng.choice([2, 3])}.zarr", target)
        files = sorted(path for path in target.rglob("*") if path.is_file())
        about = [
            path for path in files if path.name in ("zarr.json", ".zattrs", ".zarray", ".zgroup")
        ]
        for _ in range(rng.integers(1, 3)):
            some = about if rng.random() < 0.8 else files
            path = some[rng.integers(len(some))]
            if not path.is_file():
                continue
            if path in about:
                replaced_file(rng, path, lambda old: _changed_json(rng, old))
            else:
                replaced_file(rng, path, lambda old: mutated_bytes(rng, old))
        self.write_toml(
            TOML["image"]
            if rng.random() < 0.3
            else '[image]\ncolumn="c"\n[cells]\nfrom="point"\ncolumns=["y","x"]\ncrop=16\n'
        )
        (self.folder / "t.csv").write_text(TABLE.replace("c.tif", "x.zarr"))
        return lambda: open_and_read(self.folder)


class Bundle(Kind):
    """Saved classifiers (``.cmx``)."""

    def prepare(self) -> None:
        import napari_channelmix as cm

        self.write_toml(TOML["point"])
        cells = cm.open_dataset(self.folder / "d.toml")
        model = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu")
        self.base = model.save(self.folder / "base.cmx").read_bytes()
        self.crops = cells.read()

    def make(self, rng: Rng) -> Use:
        import napari_channelmix as cm

        how = rng.random()
        if how < 0.3:
            content = mutated_bytes(rng, self.base)
        elif how < 0.5:
            content = safetensors_with(self.base, lambda header: mutated_tree(rng, header))
        else:
            content = self._sealed(rng)
        path = self.folder / "x.cmx"
        path.write_bytes(content)
        return lambda: cm.load_model(path).predict_proba(self.crops).shape

    def _sealed(self, rng: Rng) -> bytes:
        """A changed description or changed tensors, under a seal that is right."""
        import torch
        from safetensors.torch import load, save

        from napari_channelmix.classify.weights_file import seal

        weights = load(self.base)
        size = int.from_bytes(self.base[:8], "little")
        metadata = json.loads(self.base[8 : 8 + size])["__metadata__"]
        if rng.random() < 0.7:
            metadata["about"] = json_text(rng, json.loads(metadata["about"])).decode(
                "utf-8", "replace"
            )
        else:
            name = sorted(weights)[rng.integers(len(weights))]
            old = weights[name]
            choices = [
                old.reshape(-1)[:0],
                old.reshape(-1),
                old.double(),
                old * torch.nan,
                old[None],
            ]
            weights[name] = choices[rng.integers(len(choices))].contiguous()
            if rng.random() < 0.3:
                del weights[name]
        metadata["sha256"] = seal(metadata["about"], weights, metadata["schema"])
        return save(weights, metadata=metadata)


class Sidecar(Kind):
    """Annotation files: the table of given classes, and the palette beside it."""

    def prepare(self) -> None:
        import napari_channelmix as cm
        from napari_channelmix.data.annotation_files import write_given_job
        from napari_channelmix.data.annotations import annotated
        from napari_channelmix.jobs import drain

        self.write_toml(TOML["mask"])
        self.cells = cm.open_dataset(self.folder / "d.toml")
        drain(write_given_job(self.folder / "base.csv", annotated(self.cells)))

    def make(self, rng: Rng) -> Use:
        from napari_channelmix.data.annotation_files import read_given
        from napari_channelmix.data.annotation_import import import_job
        from napari_channelmix.jobs import drain

        for suffix in (".csv", ".json"):
            shutil.rmtree(self.folder / f"x{suffix}", ignore_errors=True)
            with contextlib.suppress(OSError):
                (self.folder / f"x{suffix}").unlink()
            shutil.copy(self.folder / f"base{suffix}", self.folder / f"x{suffix}")
        path = self.folder / "x.csv"
        if rng.random() < 0.5:
            replaced_file(rng, path.with_suffix(".json"), lambda old: _changed_json(rng, old))
        else:
            replaced_file(rng, path, lambda old: _changed_table(rng, old))
        by = str(rng.choice(["object", "position"]))

        def use() -> object:
            read = read_given(path)
            return len(read.rows), drain(import_job(path, self.cells, by))

        return use


class ConfigFile(Kind):
    """Configs of a whole session (JSON)."""

    def prepare(self) -> None:
        self.write_toml(TOML["point"])
        more = [rows(letter, shift) for shift, letter in enumerate("hijk", 1)]
        (self.folder / "t.csv").write_text(TABLE + "".join(more))
        self.base = {
            "schema": "napari-channelmix/config/1",
            "device": "cpu",
            "data": {"dataset": "d.toml", "name": "x", "n": 20, "channels": ["DNA", "ER"]},
            "classifier": {"training": {"network": "tiny", "epochs": 1, "batch": 4, "threads": 1}},
            "importance": {"network": "tiny", "epochs": 1, "seeds": 2, "shapley": True},
            "explanations": [{"cells": [0, 1], "target": "p", "forwards": 50}],
            "latents": {"model": "texture-sprites", "limit": 2},
        }

    def make(self, rng: Rng) -> Use:
        from napari_channelmix.config import read_config
        from napari_channelmix.run.rerun import run_config_job

        path = self.folder / "x.json"
        path.write_bytes(json_text(rng, self.base))
        shutil.rmtree(self.folder / "out", ignore_errors=True)

        def use() -> object:
            config = read_config(path)
            return _followed(run_config_job(config, self.folder / "out", device="cpu"))

        return use


class Results(Kind):
    """Folders of results that are read again, or gone on with."""

    def prepare(self) -> None:
        from napari_channelmix.run.cli import main

        self.write_toml(TOML["point"].replace("crop=16", "crop=24"))
        (self.folder / "t.csv").write_text(TABLE + rows("h", 1))
        done = self.folder / "done"
        data, quiet = str(self.folder / "d.toml"), ["--quiet", "--device", "cpu"]
        model = str(self.folder / "m.cmx")
        for words in (
            ["train", data, "--out", model, "--network", "tiny", "--epochs", "1"],
            [
                "importance",
                data,
                "--out",
                str(done / "importance"),
                "--network",
                "tiny",
                "--epochs",
                "1",
                "--seeds",
                "2",
                "--no-shapley",
            ],
            ["explain", data, "--model", model, "--out", str(done / "maps"), "--limit", "4"],
            ["latents", data, "--out", str(done / "latents"), "--limit", "4"],
        ):
            if main([*words, *quiet]) != 0:
                raise SystemExit(f"could not prepare the results: {' '.join(words)}")

    def make(self, rng: Rng) -> Use:
        import napari_channelmix as cm
        from napari_channelmix.dcmix import ChannelImportance
        from napari_channelmix.jobs import drain
        from napari_channelmix.run.explain_dataset import ExplainSettings, explain_cells_job
        from napari_channelmix.run.report import Sources, findings_job

        folder = self.folder / "x"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / "done", folder)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        texts = [path for path in files if path.suffix == ".json"]
        for _ in range(rng.integers(1, 3)):
            some = texts if rng.random() < 0.7 else files
            path = some[rng.integers(len(some))]
            if path.is_file():
                replaced_file(
                    rng,
                    path,
                    lambda old, path=path: (
                        _changed_json(rng, old)
                        if path.suffix == ".json"
                        else mutated_bytes(rng, old)
                    ),
                )
        which = rng.integers(4)
        cells = cm.open_dataset(self.folder / "d.toml")
        sources = Sources(
            importance=folder / "importance" if which in (0, 3) else None,
            explain=(folder / "maps",) if which in (1, 3) else (),
            latents=folder / "latents" if which in (2, 3) else None,
        )

        def use() -> object:
            if which == 0 and rng.random() < 0.3:
                return ChannelImportance.load(folder / "importance" / "importance.json").gate
            if which == 1 and rng.random() < 0.5:
                model = cm.load_model(self.folder / "m.cmx")
                job = explain_cells_job(
                    model, cells, folder / "maps", ExplainSettings(limit=4), device="cpu"
                )
                return _followed(job)
            return drain(findings_job(cells, sources, source="d.toml")).notes

        return use


class Model(Kind):
    """Models made elsewhere: ONNX and TorchScript files."""

    def prepare(self) -> None:
        import torch
        from torch import nn

        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(2, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
        ).eval()
        crops = torch.zeros(2, 2, 16, 16)
        torch.jit.trace(network, crops).save(self.folder / "base.pt")
        torch.save(network.state_dict(), self.folder / "state.pt")
        self.bases = {
            ".pt": [(self.folder / name).read_bytes() for name in ("base.pt", "state.pt")]
        }
        self.bases[".onnx"] = [_onnx_model()]
        self.crops = np.random.default_rng(4).normal(0, 1, (3, 2, 16, 16)).astype(np.float32)

    def make(self, rng: Rng) -> Use:
        import napari_channelmix as cm

        suffix = str(rng.choice([".pt", ".onnx"]))
        base = self.bases[suffix][rng.integers(len(self.bases[suffix]))]
        path = self.folder / f"x{suffix}"
        path.write_bytes(
            damaged_zip(rng, base) if suffix == ".pt" else mutated_bytes(rng, base, 600)
        )

        def use() -> object:
            model = cm.load_model(path, channels=["a", "b"], classes=["n", "p"], allow_code=True)
            return model.predict_proba(self.crops).shape

        return use


def _onnx_model() -> bytes:
    from onnx import TensorProto, helper

    weights = np.random.default_rng(0).normal(0, 1, (2, 2)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["x"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["y"]),
        ],
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor("w", TensorProto.FLOAT, (2, 2), weights.ravel())],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def _changed_json(rng: Rng, old: bytes) -> bytes:
    if rng.random() < 0.8:
        # It may have been changed before, and be JSON no longer.
        with contextlib.suppress(ValueError, RecursionError):
            return json_text(rng, json.loads(old))
    return mutated_bytes(rng, old)


def _changed_table(rng: Rng, old: bytes) -> bytes:
    if rng.random() < 0.7:
        text = mutated_text(rng, old.decode("utf-8"), ",\n")
        return text.encode("utf-8", "surrogatepass")
    return mutated_bytes(rng, old)


def _followed(job: Any) -> str:
    """Drive a job for a while, then cancel it."""
    end = time.monotonic() + FOLLOWED
    try:
        while time.monotonic() < end:
            next(job)
    except StopIteration:
        return "done"
    finally:
        job.close()
    return "cancelled"


KINDS: dict[str, type[Kind]] = {
    "data-set file": DatasetFile,
    "table": TableFile,
    "tiff": Tiff,
    "png-jpeg": Picture,
    "zarr": Zarr,
    "bundle": Bundle,
    "sidecars": Sidecar,
    "config": ConfigFile,
    "results": Results,
    "models": Model,
}
