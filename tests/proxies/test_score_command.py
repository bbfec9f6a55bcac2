"""`nasgauge score` as typed, and scores over a Dask cluster."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

pytest.importorskip("torch")

from nasgauge.bench.errors import BadValue, UnknownName
from nasgauge.cli import app
from nasgauge.proxies.combinations import az_nas, rank_sum, vote
from nasgauge.proxies.engine import score
from nasgauge.proxies.score_run import ScoreRun

BASE = ["score", "topology", "--images", "digits", "--batch", "8", "--jobs", "1", "--archs", "3"]


def test_a_run_names_its_folder_and_goes_on(tmp_path: Path) -> None:
    command = [*BASE, "-p", "naswot", "-p", "params", "--seeds", "2", "--out", str(tmp_path / "run")]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0, shown.output
    assert f"next: nasgauge report {tmp_path / 'run'}" in shown.stdout
    assert "6/6" in shown.stderr
    run = ScoreRun(tmp_path / "run")
    assert run.frame().groupby("seed").size().tolist() == [3, 3]
    before = {path: path.stat().st_mtime_ns for path in run.folder.iterdir()}
    assert CliRunner().invoke(app, command).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in run.folder.iterdir()} == before


def test_failures_are_summed_up_and_end_in_exit_code_1(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, [*BASE, "-p", "knas:released", "-p", "l2_norm", "--out", str(tmp_path / "run")])
    assert shown.exit_code == 1
    assert "3 scores failed (of 3 networks: knas:released on 3)" in shown.stderr
    assert "reads 50 images; the batch has 8" in shown.stderr
    assert ScoreRun(tmp_path / "run").frame()["l2_norm"].notna().all()


def test_shards_say_what_is_left_until_they_are_merged(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    command = [*BASE[:-1], "6", "-p", "l2_norm", "-p", "params"]
    for shard, folder in (("1/2", one), ("2/2", two)):
        shown = CliRunner().invoke(app, [*command, "--shard", shard, "--out", str(folder)])
        assert shown.exit_code == 0 and "3/3" in shown.stderr
        assert "3 of 6 parts are here" in shown.stdout and "next:" not in shown.stdout
    merged = CliRunner().invoke(app, [*command, "--merge", str(two), "--out", str(one)])
    assert merged.exit_code == 0 and f"next: nasgauge report {one}" in merged.stdout
    assert len(ScoreRun(one).frame()) == 6


@pytest.mark.parametrize(("shape", "message"), [
    ((9, 9, 1), "9 x 9 pixels; this network needs sides divisible by 2"), ((8, 8, 3), "images of 3 channels"),
])  # fmt: skip
def test_images_that_do_not_fit_are_refused(tmp_path: Path, shape: tuple[int, ...], message: str) -> None:
    """The bundled table brings its skeleton, for grey images with even sides."""
    pictures = np.random.default_rng(0).integers(0, 256, (40, *shape), dtype=np.uint8)
    labels = np.arange(40) % 2
    np.savez(tmp_path / "mine.npz", x_train=pictures, y_train=labels, x_test=pictures, y_test=labels)
    command = ["score", "tss-digits", "-p", "naswot", "--images", str(tmp_path / "mine.npz"), "--archs", "2"]
    shown = CliRunner().invoke(app, [*command, "--batch", "8", "--out", str(tmp_path / "run")])
    assert isinstance(shown.exception, BadValue) and message in str(shown.exception)
    assert not (tmp_path / "run").exists()


def test_architectures_by_text_and_id(tmp_path: Path) -> None:
    text = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
    command = ["score", "topology", "-p", "params", "--archs", text, "--archs", "id:6111", "--out", str(tmp_path / "r")]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert ScoreRun(tmp_path / "r").frame()["id"].tolist() == [0, 6111]


def test_an_unknown_proxy_is_refused_with_the_list(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, [*BASE, "-p", "naswat", "--out", str(tmp_path / "run")])
    assert shown.exit_code != 0
    assert isinstance(shown.exception, UnknownName)
    assert "did you mean 'naswot'" in str(shown.exception)
    assert not (tmp_path / "run").exists()


def test_a_dask_cluster_gives_the_same_scores(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    asked = {"archs": 4, "images": "digits", "batch": 8}
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None, host="127.0.0.1", protocol="tcp"
    ) as cluster:
        there = score("topology", ["naswot", "snip"], tmp_path / "there", **asked, cluster=cluster.scheduler_address)
    here = score("topology", ["naswot", "snip"], tmp_path / "here", **asked, jobs=1)
    for name in ("naswot", "snip"):
        pd.testing.assert_series_equal(there.frame()[name], here.frame()[name])


def test_combinations_are_what_their_laws_say() -> None:
    rng = np.random.default_rng(0)
    table = {name: rng.integers(0, 9, 40).astype(float) for name in ("a", "b", "c")}
    table["a"][3] = -np.inf
    ranks = {name: pd.Series(values).rank().to_numpy() for name, values in table.items()}
    np.testing.assert_allclose(rank_sum(["a", "b"])(table), (ranks["a"] + ranks["b"]) / 40)
    expected = [
        sum(
            (votes > 0) + 0.5 * (votes == 0)
            for j in range(40) if j != i
            for votes in [sum(np.sign(np.nan_to_num(v[i]) - np.nan_to_num(v[j])) for v in table.values())]
        ) / 39
        for i in range(40)
    ]  # fmt: skip
    np.testing.assert_allclose(vote(["a", "b", "c"])(table), expected)
    parts = {name: rng.random(40) for name in az_nas().parts}
    product = sum(np.log(pd.Series(values).rank() / 40) for values in parts.values())
    np.testing.assert_allclose(az_nas()(parts), product)


def test_what_a_part_could_not_score_has_no_combined_score_and_takes_no_rank() -> None:
    table = {"a": np.array([1.0, np.nan, 3.0, 2.0]), "b": np.array([5.0, 9.0, 7.0, 6.0])}
    np.testing.assert_array_equal(rank_sum(["a", "b"])(table), [2 / 3, np.nan, 2.0, 4 / 3])
