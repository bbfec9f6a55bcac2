"""The scoring engine: the same scores however the work is divided, killed or resumed; nothing is dropped."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")

import nasgauge as ng  # noqa: E402
from nasgauge.bench.benchmark import Benchmark  # noqa: E402
from nasgauge.bench.column import Column  # noqa: E402
from nasgauge.bench.errors import BadFile, BadValue, MissingFile, NasgaugeError, UnknownName  # noqa: E402
from nasgauge.bench.live.macro import Macro  # noqa: E402
from nasgauge.bench.spaces import Topology, space  # noqa: E402
from nasgauge.bench.table import Table, write_table  # noqa: E402
from nasgauge.proxies import Batch  # noqa: E402
from nasgauge.proxies.engine import score  # noqa: E402
from nasgauge.proxies.minibatch import Minibatches  # noqa: E402
from nasgauge.proxies.plan import architectures  # noqa: E402
from nasgauge.proxies.score_run import FailedScores, ScoreRun  # noqa: E402
from nasgauge.searchers.scores import Scores  # noqa: E402

TOPOLOGY = space("topology")
SMALL: dict[str, Any] = {"images": "digits", "batch": 8, "jobs": 1}


def numbers(run: ScoreRun) -> pd.DataFrame:
    """Everything but measured seconds, in one order."""
    frame = run.frame().sort_values(["seed", "id"], ignore_index=True)
    return frame[[name for name in frame if not name.endswith("_seconds")]]


def own(network: torch.nn.Module, batch: Batch) -> float:
    """A user's proxy that changes what it is given and uses the global generator."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.rand(1))
        return float(network(batch.images).sum())


def unlucky(network: torch.nn.Module, batch: Batch) -> float:
    """Raises on networks whose number of parameters can be divided by three."""
    if sum(parameter.numel() for parameter in network.parameters()) % 3 == 0:
        raise RuntimeError("an odd network")
    return 1.0


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> ScoreRun:
    """Four proxies on 6 architectures with 2 seeds, in this process."""
    folder = tmp_path_factory.mktemp("runs") / "alone"
    return score(TOPOLOGY, ["naswot", "snip", "az_nas", "random", own], folder, archs=6, seeds=2, **SMALL)


def test_scores_are_those_of_the_proxy_called_on_the_network(alone: ScoreRun) -> None:
    images = ng.data.images.load("digits")
    frame = alone.frame()
    for row in frame.iloc[[0, 7]].itertuples():
        batch = Minibatches(images, 8).of(row.seed)
        network = TOPOLOGY.network(TOPOLOGY.canonical([row.id])[0], 10, macro=Macro.mini(), seed=row.seed)
        assert row.naswot == ng.proxies.naswot()(network, batch)
        assert row.snip == pytest.approx(ng.proxies.snip()(network, batch), rel=1e-5)
    assert len(frame) == 12
    assert set(frame["class"]) == set(TOPOLOGY.canonical(frame["id"].to_numpy()).tolist())


@pytest.mark.parametrize("how", [{"jobs": 2}, {"shard": "2/3"}])
def test_the_division_of_work_changes_no_score(alone: ScoreRun, tmp_path: Path, how: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"archs": 6, "seeds": 2, **SMALL}
    proxies = ["naswot", "snip", "az_nas", "random", own]
    run = score(TOPOLOGY, proxies, tmp_path / "a", **{**asked, **how})
    if "shard" in how:
        assert 0 < len(run.parts()) < len(alone.parts())
        other = score(TOPOLOGY, proxies, tmp_path / "b", **asked, shard="1/3")
        assert run.merge(other.folder) == len(other.parts())
        assert run.merge(other.folder) == 0
        score(TOPOLOGY, proxies, tmp_path / "a", **asked, shard="3/3")
    pd.testing.assert_frame_equal(numbers(run), numbers(alone))


def test_a_killed_run_goes_on_to_the_same_scores(alone: ScoreRun, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); from test_engine import *\n"
        "score(TOPOLOGY, ['naswot', 'snip', 'az_nas', 'random', own], sys.argv[1], archs=6, seeds=2, **SMALL)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run"), str(Path(__file__).parent)]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 200
    while len(list((tmp_path / "run").glob("part-*"))) < 2 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("part-*")}
    proxies = ["naswot", "snip", "az_nas", "random", own]
    run = score(TOPOLOGY, proxies, tmp_path / "run", archs=6, seeds=2, **SMALL)
    assert len(run.parts()) == len(alone.parts())
    assert {path: path.stat().st_mtime_ns for path in before} == before, "a finished part is immutable"
    frame, expected = numbers(run), numbers(alone)
    pd.testing.assert_frame_equal(frame.drop(columns="own"), expected.drop(columns="own"))


class Watched(Topology):
    """Counts, whenever it builds a network, those of other architectures that are still there."""

    def __init__(self) -> None:
        self.built: list[tuple[int, weakref.ref[Any]]] = []
        self.others: list[int] = []

    def network(self, architecture: Any, classes: int = 10, **settings: Any) -> Any:
        self.others.append(sum(arch != architecture and each() is not None for arch, each in self.built))
        network = super().network(architecture, classes, **settings)
        self.built.append((architecture, weakref.ref(network)))
        return network


def test_the_network_of_one_architecture_is_alive_at_a_time(tmp_path: Path) -> None:
    watched = Watched()
    gc.disable()
    try:
        proxies = ["naswot", "fisher", "grasp", "jacob_cov", "zico", "az_trainability", "synflow", "zen", own]
        score(watched, proxies, tmp_path / "run", archs=range(40, 46), **SMALL)
    finally:
        gc.enable()
    assert len(watched.others) > 12
    assert set(watched.others) == {0}
    assert not any(each() is not None for _, each in watched.built)


def test_a_class_is_scored_once_and_its_members_share_the_score(tmp_path: Path) -> None:
    members = np.flatnonzero(TOPOLOGY.canonical(np.arange(3000)) == TOPOLOGY.canonical([93])[0])[-3:]
    assert len(members) == 3
    run = score(TOPOLOGY, ["naswot", "naswot:released", "params"], tmp_path / "run", archs=members, **SMALL)
    frame = run.frame()
    assert frame["naswot"].nunique() == 1
    assert (frame["class"] == 93).all() or frame["class"].nunique() == 1
    assert len(frame) == 3
    assert sum(len(pd.read_parquet(path)) for path in run.parts() if "class" in path.name) == 1
    assert sum(len(pd.read_parquet(path)) for path in run.parts() if "each" in path.name) == 3
    assert "isomorphism class" in run.config["mirrored"]


def test_what_fails_is_recorded_and_the_run_goes_on(tmp_path: Path) -> None:
    with pytest.warns(FailedScores, match="unlucky of architecture"):
        run = ng.score(TOPOLOGY, [unlucky, "l2_norm"], archs=12, out=tmp_path / "run", **SMALL)
    frame, failures = run.frame(), run.failures()
    lost = frame["unlucky"].isna()
    assert 0 < lost.sum() < 12
    assert frame.loc[lost, "unlucky_error"].eq("RuntimeError: an odd network").all()
    assert frame.loc[~lost, "unlucky_error"].isna().all()
    assert set(failures["id"]) == set(frame.loc[lost, "class"])
    assert frame["l2_norm"].notna().all()
    means = run.scores()
    assert means["unlucky"].isna().sum() == lost.sum()


def test_infinite_scores_stay(tmp_path: Path) -> None:
    """A cell through which nothing passes: synflow of 0 is -inf, two images with equal codes make naswot -inf."""
    nothing = TOPOLOGY.id("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    run = score(TOPOLOGY, ["synflow", "naswot"], tmp_path / "run", archs=[nothing, 6111], **SMALL)
    frame = run.frame()
    assert frame["synflow"].iloc[0] == -np.inf
    assert run.failed_words() == ""
    assert np.isfinite(frame["synflow"].iloc[1])


def test_searchers_read_the_run(alone: ScoreRun) -> None:
    scores = Scores.read(alone.folder, TOPOLOGY.size)
    means = alone.scores().set_index("id")
    assert set(scores.proxies) == set(alone.proxies)
    counted = scores.count()
    ids = means.index.tolist()
    np.testing.assert_array_equal(counted("snip", ids), means["snip"])
    assert counted.seconds == pytest.approx(means["snip_seconds"].sum())
    assert np.isnan(counted("az_nas", [next(i for i in range(99) if i not in ids)])).all()


def test_seconds_add_up(alone: ScoreRun) -> None:
    frame = alone.frame()
    for name in ("naswot", "snip", "az_trainability", "own"):
        assert (frame[f"{name}_seconds"] >= frame[f"{name}_own_seconds"]).all()
        assert (frame[f"{name}_own_seconds"] + frame["shared_seconds"] >= frame[f"{name}_seconds"] - 1e-9).all()
    alone_sum = sum(frame[f"az_{part}_seconds"] for part in ("expressivity", "progressivity", "trainability"))
    assert (frame["az_nas_seconds"] < alone_sum + frame["flops_seconds"]).all(), "shared signals count once"


def test_draws_are_without_replacement_and_nested() -> None:
    few, words = architectures(TOPOLOGY, 50, 3)
    many, _ = architectures(TOPOLOGY, 400, 3)
    every, _ = architectures(TOPOLOGY, "all", 3)
    assert len(set(many.tolist())) == 400
    np.testing.assert_array_equal(many[:50], few)
    np.testing.assert_array_equal(np.sort(every), np.arange(TOPOLOGY.size))
    assert words == "50 architectures, drawn uniformly over ids, without replacement"
    assert not np.array_equal(few, architectures(TOPOLOGY, 50, 4)[0])
    given, _ = architectures(TOPOLOGY, [TOPOLOGY.text(5), TOPOLOGY.text(7), TOPOLOGY.text(5)], 0)
    assert given.tolist() == [5, 7]


def test_minibatches_follow_the_seed_and_the_second_is_disjoint() -> None:
    images = ng.data.images.load("digits")
    first, again, other = (Minibatches(images, 32, second=True).of(seed) for seed in (1, 1, 2))
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, other.images)
    assert torch.equal(first.images, Minibatches(images, 32).of(1).images)
    assert first.second_images is not None
    rows = torch.cat([first.images, first.second_images]).flatten(1)
    pixels = images.x_train[..., 0].reshape(len(images.x_train), -1).astype(np.float32)
    known = (pixels - np.float32(images.mean[0])) / np.float32(images.std[0])
    found = [set(np.flatnonzero((known == row.numpy()).all(axis=1)).tolist()) for row in rows]
    assert all(found), "pictures are training pictures, normalised, without augmentation"
    assert len(set().union(*found)) >= 64


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    """A table of one's own, trained on 8 x 8 pictures with the small skeleton."""
    from dataclasses import asdict

    ids = np.arange(TOPOLOGY.size)
    runs = np.stack([50 + ids / 1000, 51 + ids / 1000], axis=1)
    columns = [
        Column("valid_accuracy", runs, "digits", 6, (0, 1)), Column("test_accuracy", runs + 1, "digits", 6, (0, 1)),
    ]  # fmt: skip
    path = tmp_path_factory.mktemp("tables") / "grown.h5"
    write_table(path, columns, name="grown", space="topology", licence="CC0", extra={"macro": asdict(Macro.mini())})
    return Benchmark(Table(path))


def test_a_table_brings_its_skeleton_its_images_and_its_truth(grown: Benchmark, tmp_path: Path) -> None:
    run = score(grown, ["naswot", "params"], tmp_path / "run", archs=[5, 9999], batch=8, jobs=1)
    assert run.config["macro"]["widths"] == [8, 16, 16]
    assert run.config["images"]["name"] == "digits"
    truth = run.truth()
    assert truth["id"].tolist() == [5, 9999]
    np.testing.assert_allclose(truth["test_accuracy@6"], [51.505, 61.499])
    np.testing.assert_allclose(truth["valid_accuracy@6:1"], [51.005, 60.999])
    assert run.frame()["params"].tolist() == (TOPOLOGY.params([5, 9999]) / 1e6).tolist()
    with pytest.raises(MissingFile, match="no ground truth of 'cifar10'"):
        run.truth("cifar10")


def test_a_batch_of_ones_own(tmp_path: Path) -> None:
    batch = Batch(torch.randn(8, 1, 8, 8), torch.arange(8) % 3, 3)
    run = score(TOPOLOGY, ["naswot"], tmp_path / "run", archs=[6111], images=batch, jobs=1)
    network = TOPOLOGY.network(TOPOLOGY.canonical([6111])[0], 3, macro=Macro.mini())
    assert run.frame()["naswot"].tolist() == [ng.proxies.naswot()(network, batch)]
    with pytest.raises(BadValue, match="second_images"):
        score(TOPOLOGY, ["zico"], tmp_path / "other", archs=[6111], images=batch, jobs=1)


@pytest.mark.parametrize(("wrong", "message"), [
    ({"images": torch.zeros(8, 8, 8)}, r"shape \(8, 8, 8\)"),
    ({"labels": torch.zeros(7, dtype=torch.int64)}, "labels of shape"),
    ({"labels": torch.arange(8)}, "from 0 to 2"), ({"labels": -torch.ones(8, dtype=torch.int64)}, "from 0 to 2"),
    ({"labels": torch.zeros(8)}, "whole numbers"), ({"images": torch.full((8, 1, 8, 8), torch.nan)}, "NaN"),
    ({"second_images": torch.zeros(8, 1, 8, 8)}, "second_labels="),
    ({"second_images": torch.zeros(4, 1, 8, 8), "second_labels": torch.zeros(4, dtype=torch.int64)}, "same shape"),
])  # fmt: skip
def test_what_is_no_batch_is_refused(wrong: dict[str, Any], message: str) -> None:
    right = {"images": torch.zeros(8, 1, 8, 8), "labels": torch.arange(8) % 3, "classes": 3}
    assert len(Batch(**right)) == 8  # type: ignore[arg-type]
    with pytest.raises(BadValue, match=message):
        Batch(**{**right, **wrong})  # type: ignore[arg-type]


def test_columns_alone_need_no_images(tmp_path: Path) -> None:
    run = score(space("cells101"), ["params", "depth", "rank_sum:params+depth"], tmp_path / "run", archs=5)
    frame = run.frame()
    assert frame["params"].notna().all() and frame["rank_sum:params+depth"].notna().all()
    assert run.parts() == []


@pytest.mark.parametrize(("wrong", "message"), [
    ({"shard": "5/4"}, "shard='5/4'"), ({"shard": "x"}, "shard='x'"), ({"seeds": 0}, "seeds=0"),
    ({"archs": 0}, "archs=0"), ({"archs": 10**6}, "1 to 15,625"), ({"archs": []}, "no architecture"),
    ({"batch": 10**5}, "training pictures"), ({"batch": 1}, "batch=1"), ({"jobs": 0}, "jobs=0"),
    ({"base_seed": -1}, "base_seed=-1"), ({"device": "cuda:77"}, "not available"), ({"images": None}, "images are"),
    ({"images": torch.zeros(8, 1, 8, 8)}, "images of type Tensor"), ({"macro": Macro()}, "channels"),
    ({"macro": Macro.mini().but(widths=(4,) * 9)}, "divisible by 16"),
])  # fmt: skip
def test_bad_input_ends_in_one_error_and_leaves_nothing(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadValue, match=message):
        score(TOPOLOGY, ["naswot"], tmp_path / "run", **{"archs": 3, **SMALL, **wrong})
    assert not (tmp_path / "run").exists()


def test_a_folder_of_something_else_is_refused(alone: ScoreRun, tmp_path: Path) -> None:
    with pytest.raises(BadValue, match="holds a run with sample="):
        score(TOPOLOGY, ["naswot", "snip", "az_nas", "random", own], alone.folder, archs=7, seeds=2, **SMALL)
    with pytest.raises(BadValue, match="holds a run with benchmark="):
        score("size", ["params"], alone.folder, archs=6, seeds=2)
    other = score(TOPOLOGY, ["params"], tmp_path / "other", archs=6)
    with pytest.raises(BadValue, match="not parts of one run"):
        other.merge(alone.folder)
    with pytest.raises(BadValue, match=r"proxies=naswot, .*this command has proxies=params: these are not parts"):
        score(TOPOLOGY, ["params"], tmp_path / "new", archs=6, merge=[alone.folder])
    assert not (tmp_path / "new").exists()
    text = (other.folder / "run.json").read_text()
    (other.folder / "run.json").write_text(text.replace('"schema": 2', '"schema": 1'))
    with pytest.raises(BadFile, match="schema 1"):
        score(TOPOLOGY, ["params"], other.folder, archs=6)
    (other.folder / "run.json").write_text(text.replace('"kind": "score"', '"kind": "compare"'))
    with pytest.raises(BadFile, match="not of scores"):
        ScoreRun(other.folder)


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    run = score(TOPOLOGY, ["l2_norm"], tmp_path / "run", archs=2, **SMALL)
    run.parts()[0].write_bytes(b"PAR1 no more")
    with pytest.raises(BadFile, match=run.parts()[0].name):
        run.frame()


def deadly(network: torch.nn.Module, batch: Batch) -> float:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


def test_a_killed_worker_ends_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NasgaugeError, match=r"worker process was killed.*start the same command again"):
        score(TOPOLOGY, [deadly], tmp_path / "run", **{**SMALL, "archs": 4, "jobs": 2})


def test_after_a_killed_worker_the_same_call_ends_the_run(tmp_path: Path) -> None:
    """A process is killed once, in the middle; what others had finished stays as it is."""
    once = tmp_path / "killed once"

    def deadly(network: torch.nn.Module, batch: Batch) -> float:
        if len(list((tmp_path / "run").glob("part-*"))) > 1 and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return float(sum(parameter.numel() for parameter in network.parameters()))

    asked: dict[str, Any] = {**SMALL, "archs": 8, "jobs": 2}
    with pytest.raises(NasgaugeError, match="worker process was killed"):
        score(TOPOLOGY, [deadly], tmp_path / "run", **asked)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("part-*")}
    run = score(TOPOLOGY, [deadly], tmp_path / "run", **asked)
    assert before and {path: path.stat().st_mtime_ns for path in before} == before
    assert run.parts_left() == (0, len(run.parts()))
    assert run.frame()["deadly"].notna().all()


@pytest.mark.parametrize("wrong", [["nasswot"], ["naswot:foo=1"]])
def test_unknown_proxies_are_listed(tmp_path: Path, wrong: list[str]) -> None:
    with pytest.raises(UnknownName, match=r"[lL]egal"):
        score(TOPOLOGY, wrong, tmp_path / "run", archs=3, **SMALL)


def test_scores_of_cells101_use_the_skeleton_and_the_weights_of_naswot(tmp_path: Path) -> None:
    cells = space("cells101")
    batch = Batch(torch.randn(4, 3, 8, 8), torch.arange(4), 10)
    run = score(cells, ["naswot"], tmp_path / "run", archs=[1000], images=batch, jobs=1)
    assert run.config["macro"]["stem_channels"] == 16
    assert run.config["law"] == "fan-out"
    from nasgauge.bench.live.macro import StackMacro

    network = cells.network(cells.canonical([1000])[0], 10, macro=StackMacro(16), law="fan-out")
    assert run.frame()["naswot"].tolist() == [ng.proxies.naswot()(network, batch)]
