"""The command line does its jobs, fails in one line, and stops cleanly."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from napari_channelmix import load_model, open_dataset
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.jobs import Progress
from napari_channelmix.locks import in_use
from napari_channelmix.run.cli import main
from napari_channelmix.run.progress import run_job

# What users of importance.json may count on.
FIELDS = {
    "schema",
    "provenance",
    "channels",
    "share",
    "share_sd",
    "p_value",
    "shapley",
    "per_class",
    "accuracy",
    "gate",
    "seeds",
    "n_train",
    "n_test",
    "warnings",
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plate")
    return synthetic_plate(wells=8, cells_per_well=12, side=160).save(folder)


def importance(dataset, out, *more):
    return main(
        [
            "importance",
            str(dataset),
            "--out",
            str(out),
            "--network",
            "tiny",
            "--seeds",
            "2",
            "--epochs",
            "1",
            "--device",
            "cpu",
            "--quiet",
            *more,
        ]
    )


def test_importance_writes_json_csv_and_pictures(dataset, tmp_path, capsys):
    assert importance(dataset, tmp_path) == 0
    assert capsys.readouterr().out == ""
    content = json.loads((tmp_path / "importance.json").read_text("utf-8"))
    assert set(content) >= FIELDS
    assert sum(content["share"]) == pytest.approx(1)
    assert set(content["per_class"]) == {"treated", "untreated"}
    assert set(content["accuracy"]) == {"mixed", "plain"}
    assert {path.suffix for path in tmp_path.glob("importance.*")} == {
        ".json",
        ".csv",
        ".png",
        ".svg",
    }


def test_no_shapley_leaves_it_null(dataset, tmp_path):
    assert importance(dataset, tmp_path, "--no-shapley", "--no-decoys") == 0
    content = json.loads((tmp_path / "importance.json").read_text("utf-8"))
    assert content["shapley"] is None
    assert content["decoy"] is None


def test_train_saves_a_bundle_that_predicts_and_its_figures(dataset, tmp_path, capsys):
    bundle = tmp_path / "M.cmx"
    arguments = [
        "train",
        str(dataset),
        "--out",
        str(bundle),
        "--mix",
        "--network",
        "tiny",
        "--epochs",
        "4",
        "--device",
        "cpu",
    ]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    classifier = load_model(bundle)
    assert classifier.accuracy.text() in said
    assert "held-out groups, " in said
    for row in classifier.accuracy.per_class:
        assert f"  recall of {row.text()}\n" in said
    assert classifier.mixing is not None
    assert classifier.predict_proba(open_dataset(dataset)).shape == (96, 2)
    content = json.loads((tmp_path / "M.json").read_text("utf-8"))
    assert content["schema"] == "napari-channelmix/train/1"
    assert content["held_out"] == classifier.record["held_out"]
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["importance", "nowhere.toml", "--out", "o"], "nowhere.toml: no such file"),
        (["importance", "nowhere.toml"], "required: --out"),
        (["train", "nowhere.toml", "--out", "m.cmx", "--epochs", "0"], "epochs must be 1 or more"),
        (["importance", "x.toml", "--out", "o", "--device", "tpu"], "invalid choice: 'tpu'"),
        (["fly"], "invalid choice: 'fly'"),
        (["train", "nowhere.toml", "--out", "m.json"], "name a file that ends in .cmx"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr().err
    assert status == 2
    assert says in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_network_that_does_not_exist_is_one_line(dataset, tmp_path, capsys):
    arguments = [
        "importance",
        str(dataset),
        "--out",
        str(tmp_path / "o"),
        "--network",
        "huge",
        "--quiet",
    ]
    assert main(arguments) == 2
    assert "network 'huge' is unknown; use tiny, small" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_ctrl_c_stops_with_130_and_a_second_run_goes_on(dataset, tmp_path):
    command = [
        sys.executable,
        "-m",
        "napari_channelmix.run.cli",
        "importance",
        str(dataset),
        "--out",
        str(tmp_path),
        "--network",
        "tiny",
        "--seeds",
        "3",
        "--epochs",
        "2",
        "--no-shapley",
        "--no-decoys",
        "--device",
        "cpu",
    ]
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    until = time.monotonic() + 120
    while not list(tmp_path.glob("parts/*.json")) and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 130
    last = said.decode().replace("\r", "\n").strip().splitlines()[-1]
    assert last == "napari-channelmix: stopped; the same command goes on from what was finished"
    assert not (tmp_path / "importance.json").exists()
    kept = set(tmp_path.glob("parts/*.json"))
    assert kept
    assert main([*command[3:], "--quiet"]) == 0
    assert kept <= set(tmp_path.glob("parts/*.json"))
    assert (tmp_path / "importance.json").exists()


def test_view_without_a_display_says_what_to_do(dataset, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert main(["view", str(dataset), "--quiet"]) == 2
    assert "no display" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to itself")
def test_an_interrupt_that_a_library_swallows_still_stops_the_job():
    closed = []

    def job():
        try:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.1)
            except KeyboardInterrupt:
                pass  # as Python does where it falls into a destructor or a callback
            yield Progress(1, 2, "working")
            yield Progress(2, 2, "working")
        finally:
            closed.append(True)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_job(job(), title="test", quiet=True)
    assert closed
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture(scope="module")
def bundle(dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "M.cmx"
    assert (
        main(
            [
                "train",
                str(dataset),
                "--out",
                str(path),
                "--network",
                "tiny",
                "--epochs",
                "6",
                "--device",
                "cpu",
                "--quiet",
            ]
        )
        == 0
    )
    return path


def test_evaluate_prints_accuracy_with_its_interval_and_the_confusion(dataset, bundle, capsys):
    assert main(["evaluate", str(dataset), "--model", str(bundle), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "balanced accuracy " in said and "(95 % interval " in said
    assert "48 of 96 cells were trained on" in said
    assert "; 4 groups, 48 cells); mean confidence " in said
    assert "the cells are like those of training" in said
    rows = {line.split()[0]: line.split() for line in said.splitlines() if "treated" in line[:10]}
    found = cm_evaluate(bundle, dataset)
    for at, name in enumerate(found.confusion.rows):
        assert rows[name][-2:] == [str(count) for count in found.confusion.counts[at]]
        of = found.estimate.per_class[at]
        assert rows[name][1:7] == [
            f"{of.recall:.3f}",
            f"{of.low:.2f}",
            "to",
            f"{of.high:.2f}",
            str(of.n_groups),
            str(of.n_cells),
        ]


def cm_evaluate(bundle, dataset):
    from napari_channelmix import evaluate

    return evaluate(load_model(bundle), open_dataset(dataset))


def test_evaluate_gives_json_on_screen_and_in_a_file(dataset, bundle, tmp_path, capsys):
    out = tmp_path / "evaluation.json"
    assert (
        main(
            [
                "evaluate",
                str(dataset),
                "--model",
                str(bundle),
                "--json",
                "--out",
                str(out),
                "--device",
                "cpu",
                "--quiet",
            ]
        )
        == 0
    )
    shown, kept = json.loads(capsys.readouterr().out), json.loads(out.read_text("utf-8"))
    assert shown == kept
    assert kept["schema"] == "napari-channelmix/evaluation/1"
    assert {"model", "data", "seed", "versions"} <= set(kept["provenance"])
    assert kept["data_shift"]["warnings"] == []


def test_evaluate_says_what_differs_and_what_it_did(dataset, bundle, tmp_path, capsys):
    import shutil

    import tifffile

    folder = tmp_path / "brighter"
    shutil.copytree(dataset.parent, folder)
    for path in (folder / "images").glob("*.ome.tif"):
        with tifffile.TiffFile(path) as tiff:
            pixels, about = tiff.asarray(), tiff.ome_metadata
        tifffile.imwrite(
            path, pixels + 700, description=about.encode(), metadata=None, photometric="minisblack"
        )
    assert (
        main(["evaluate", str(folder / "dataset.toml"), "--model", str(bundle), "--device", "cpu"])
        == 0
    )
    said = capsys.readouterr().out
    assert "note: values are shifted" in said
    # By 700 but for the wells of the training, which are others.
    higher = re.search(r"reporter higher by about (\d+)", said)
    assert higher is not None and abs(int(higher[1]) - 700) < 30, said
    assert "note: predicted now: " in said
    # Quiet keeps the lines that make numbers wrong, on the other stream.
    main(["evaluate", str(folder / "dataset.toml"), "--model", str(bundle), "--quiet"])
    assert "values are shifted" in capsys.readouterr().err


def test_evaluate_refuses_in_one_line(dataset, bundle, tmp_path, capsys):
    text = dataset.read_text("utf-8")
    for change, line in (
        (("crop = 40", "crop = 32"), "the model was trained on crops of 40 pixels, these are 32"),
        (('label = "label"', ""), "no cell has a class to evaluate with"),
    ):
        other = dataset.parent / "other.toml"
        other.write_text(text.replace(*change), "utf-8")
        assert main(["evaluate", str(other), "--model", str(bundle), "--quiet"]) == 2
        said = capsys.readouterr().err
        assert line in said and said.count("\n") == 1


def test_explain_says_what_differs_in_its_report(dataset, bundle, tmp_path, capsys):
    other = dataset.parent / "smaller.toml"
    other.write_text(dataset.read_text("utf-8").replace("crop = 40", "crop = 32"), "utf-8")
    arguments = [
        "--model",
        str(bundle),
        "--out",
        str(tmp_path / "o"),
        "--limit",
        "4",
        "--quiet",
        "--device",
        "cpu",
    ]
    assert main(["explain", str(other), *arguments]) == 2
    assert "set crop = 40 under [cells]" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    assert main(["explain", str(dataset), *arguments]) == 0
    content = json.loads((tmp_path / "o" / "explain.json").read_text("utf-8"))
    assert content["data_shift"]["n"] == 4
    assert content["data_shift"]["warnings"] == []


@pytest.mark.parametrize("name", ["train", "importance", "latents", "report"])
def test_a_second_run_in_the_same_place_is_told_in_one_line(name, dataset, tmp_path, capsys):
    file = {"train": "M.cmx", "report": "r.html"}.get(name)
    out = tmp_path / (file or "o")
    arguments = [name, str(dataset), "--out", str(out), "--quiet"]
    with in_use(out, is_file=file is not None):
        before = sorted(tmp_path.rglob("*"))
        assert main(arguments) == 2
        assert sorted(tmp_path.rglob("*")) == before
    said = capsys.readouterr().err
    assert f"{out} is in use by another run (process {os.getpid()}, since " in said
    assert said.endswith("choose another --out\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seed", "-1"], "the seed must be 0 or more, not -1"),
        (["--seed", "99999999999999999999"], "the seed must be 4294967295 or less"),
        (["--epochs", "1e9"], "epochs must be a whole number, not '1e9'"),
        (["--epochs", "1000000000"], "epochs must be 100000 or less"),
        (["--seeds", "9" * 5000], "seeds must be a whole number, not '9999"),
        (["--mixes", "65"], "mixes must be 64 or less, not 65"),
        (["--constraint", "x" * 5000], "invalid choice"),
        (["--epochs", "a\nb"], r"not 'a\nb'"),
    ],
)
def test_numbers_that_no_run_could_mean_are_one_short_line(arguments, says, capsys):
    assert main(["importance", "x.toml", "--out", "o", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert len(said) < 450


@pytest.mark.parametrize("out", ["a" * 300, "file/within", "/dev/null"])
def test_a_place_where_nothing_can_be_written_is_one_line(out, dataset, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    for name, where in (("importance", out), ("train", f"{out}/M.cmx"), ("latents", out)):
        assert main([name, str(dataset), "--out", str(tmp_path / where), "--quiet"]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert said.startswith("napari-channelmix: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal")
def test_sigterm_stops_as_ctrl_c_does(dataset, tmp_path):
    script = "import sys; from napari_channelmix.run.cli import main; sys.exit(main(sys.argv[1:]))"
    out = tmp_path / "o"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            script,
            "importance",
            str(dataset),
            "--out",
            str(out),
            "--network",
            "tiny",
            "--device",
            "cpu",
            "--quiet",
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any(out.glob(".*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert "stopped; the same command goes on" in process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert not out.exists()
