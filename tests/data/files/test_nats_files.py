"""NAS-Bench-201 and NATS-Bench as published: every number is found again, whatever the container."""

from __future__ import annotations

import bz2
import hashlib
import io
import pickle
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile, BadValue, MissingFile, NotMeasured
from nasgauge.bench.spaces import Topology
from nasgauge.bench.table import Table
from nasgauge.data.convert import convert
from nasgauge.data.files.nats_files import BLOCK
from nasgauge.data.open_object import convert_api
from nasgauge.data.safe.machine import Machine
from nasgauge.data.safe.series import Series
from nasgauge.data.splits import EVALUATIONS

sys.path.insert(0, str(Path(__file__).parents[2]))
import official_files as official

LENGTHS = {"topology": {"12": 3, "200": 5}, "size": {"01": 1, "12": 3, "90": 4}}
ARCHS = {"topology": [0, 1, 2, 3, 11, 6111, 15_624], "size": [0, 1, 2, 11, 32_767]}
Results = dict[int, dict[str, Any]]


def made(space: str) -> Results:
    """Results with what real files were seen to hold, and some oddities."""
    results = official.all_results(ARCHS[space], space, LENGTHS[space])
    hps = list(LENGTHS[space])
    first = results[1][hps[-1]]["all_results"]["cifar10-valid", 777]
    first["eval_losses"]["x-valid@0"] = float("nan")
    first["latency"] = [0.5, 0.25]
    results[2][hps[-1]]["all_results"]["cifar100", 777]["latency"] = None
    results[0][hps[0]]["all_results"]["cifar10", {"topology": 111, "size": 777}[space]]["latency"] = []
    del results[2][hps[0]]
    for trial in results[11][hps[-1]]["all_results"].values():  # seconds that differ between epochs
        trial["train_times"] = {epoch: 1.5 + epoch for epoch in trial["train_times"]}
    return results


def rebuilt(path: Path) -> Results:
    """The official dictionaries, from nothing but a table."""
    table = Table(path)
    extra, entries = table.info["extra"], {entry.path: entry for entry in table.entries}
    from nasgauge.bench.spaces import space

    of = space(table.info["space"])
    results: Results = {}
    for hp in extra["hps"]:
        there = table.read(f"any/static/_evaluated:{hp}/static")
        for arch in np.flatnonzero(there).tolist():
            layout = extra["arch_layouts"][hp]
            marks = f"any/static/_arch_layout:{hp}/static"
            fact = layout[int(table.read(marks)[arch]) - 1 if marks in entries else 0]
            trials = {}
            for training in fact["trainings"]:
                trials |= _trials(table, entries, extra, of.text(arch), hp, training, arch)
            seeds = {training: [seed for name, seed in trials if name == training] for training in fact["trainings"]}
            results.setdefault(arch, {})[hp] = {
                "arch_index": arch, "arch_str": of.text(arch), "all_results": trials, "dataset_seed": seeds,
                "clear_net_done": fact["clear_net_done"],
            }  # fmt: skip
    return results


def _trials(table: Table, entries: Any, extra: Any, text: str, hp: str, training: str, arch: int) -> dict[Any, Any]:
    stem = f"{training}/{int(hp)}"
    flops = f"{stem}/recorded_flops_millions/runs"
    seeds = entries[flops].seeds
    odd = {(seed, metric, epoch) for a, h, t, seed, metric, epoch in extra["nan"] if (a, h, t) == (arch, hp, training)}
    trials = {}
    for place, seed in enumerate(seeds):
        if np.isnan(table.read(flops)[arch, place]):
            continue

        def run(metric: str, place: int = place) -> float:
            path = f"{stem}/{metric}/runs"
            return float(table.read(path)[arch, place]) if path in entries else float("nan")

        epochs = entries[f"{stem}/train_accuracy/curves"].shape[2]

        def curve(metric: str, place: int = place, seed: int = seed, epochs: int = epochs) -> dict[int, float]:
            path = f"{stem}/{metric}"
            if f"{path}/curves" in entries:
                values = table.read_curves(f"{path}/curves", np.array([arch]))[0, place].tolist()
            elif f"{path}/runs" in extra["constant"]:
                values = [run(metric)] * epochs
            else:
                values = [float("nan")] * (epochs - 1) + [run(metric)]
            return {at: value for at, value in enumerate(values) if value == value or (seed, metric, at + 1) in odd}

        number = run("_layout")
        layouts = extra["layouts"][hp][training]
        fact = layouts[0 if number != number else int(number)]
        sets = {name: found.split for name, found in EVALUATIONS[training].items() if name != "train"}
        evals = {
            kind: {f"{name}@{at}": value for name, split in sets.items()
                   for at, value in curve(f"{split}_{kind}").items()}
            for kind in ("accuracy", "loss", "pass_seconds")
        }  # fmt: skip
        several = [v for a, h, t, s, v in extra["latencies"] if (a, h, t, s) == (arch, hp, training, seed)]
        latency = {"none": None, "empty": [], "one": [run("latency_seconds")], "several": None}[fact["latency"]]
        trials[training, seed] = {
            "name": training, "train_acc1es": curve("train_accuracy"),
            "train_acc5es": curve("train_top5_accuracy") if fact["train_top5"] else None,
            "train_losses": curve("train_loss"),
            "train_times": curve("train_epoch_seconds") if fact["train_times"] else None,
            "arch_config": {**fact["arch_config"], **dict.fromkeys(fact["config_texts"], text)},
            "params": run("recorded_params_millions"), "flop": run("recorded_flops_millions"),
            "seed": f"{seed:04d}", "epochs": epochs, "latency": several[0] if several else latency,
            "eval_names": fact["eval_names"], "eval_acc1es": evals["accuracy"], "eval_times": evals["pass_seconds"],
            "eval_losses": evals["loss"], "net_state_dict": None,
        }  # fmt: skip
    return trials


def plain(value: Any) -> Any:
    """Comparable: NaN equals NaN, numpy numbers are numbers, dictionaries compare without order."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if value == value else "NaN"
    return value


def first_difference(ours: Any, theirs: Any, path: str = "") -> str:
    """Where two nested values differ, "" where they do not."""
    if type(ours) is dict and type(theirs) is dict:
        if ours.keys() != theirs.keys():
            return f"{path}: keys {sorted(map(str, ours.keys() ^ theirs.keys()))[:5]}"
        return next(filter(None, (first_difference(ours[key], theirs[key], f"{path}/{key}") for key in ours)), "")
    return "" if ours == theirs else f"{path}: {str(ours)[:80]} is not {str(theirs)[:80]}"


def write(layout: str, results: Results, space: str, folder: Path) -> Path:
    """A file or folder of one of the layouts."""
    renamed = {arch: {{"12": "less", "200": "full"}.get(hp, hp): infos[hp] for hp in infos}
               for arch, infos in results.items()}  # fmt: skip
    match layout:
        case "directory":
            return official.write_directory(folder / "NATS-x-simple", results, space)
        case "tar":
            return official.write_tar(folder / "x.tar", official.write_directory(folder / "NATS-x", results, space))
        case "single":
            return official.write_single(folder / "x.pickle.pbz2", results, space)
        case "legacy":
            return official.write_legacy(folder / "x.pth", official.whole(renamed, space))
        case "zip":
            return official.write_zip(folder / "x.pth", official.whole(renamed, space))
    assert layout == "archive"
    (folder / "archive").mkdir()
    for arch, infos in renamed.items():
        official.write_legacy(folder / "archive" / f"{arch:06d}-FULL.pth", infos)
    return folder / "archive"


CASES = [("directory", "topology"), ("tar", "topology"), ("single", "topology"), ("legacy", "topology"),
         ("zip", "topology"), ("archive", "topology"), ("directory", "size"), ("single", "size")]  # fmt: skip


@pytest.mark.parametrize(("layout", "space"), CASES)
def test_every_number_of_the_file_is_found_again_in_the_table(layout: str, space: str, tmp_path: Path) -> None:
    results = made(space)
    path = write(layout, results, space, tmp_path)
    converted = convert(path, tmp_path / "out" / "x.h5")
    assert (converted.space, converted.found) == (space, len(results))
    assert first_difference(plain(rebuilt(converted.path)), plain(results)) == ""
    assert sorted(item.name for item in (tmp_path / "out").iterdir()) == ["x.h5"]


def test_bookkeeping_is_shown_to_nobody(tmp_path: Path) -> None:
    table = Table(convert(write("single", made("topology"), "topology", tmp_path), tmp_path / "x.h5").path)
    bench = Benchmark(table)
    assert {entry.metric for entry in table.entries} - set(bench.metrics) >= {"_evaluated:12", "_evaluated:200"}
    assert not [metric for metric in bench.metrics if "evaluated:" in metric or "layout" in metric]
    assert "evaluated:" not in bench.describe()


def test_all_layouts_give_the_same_table(tmp_path: Path) -> None:
    digests = set()
    for layout, space in CASES[:6]:
        (tmp_path / layout).mkdir()
        path = write(layout, made(space), space, tmp_path / layout)
        digests.add(Table(convert(path, tmp_path / f"{layout}.h5").path).sha256())
    assert len(digests) == 1


def test_the_number_of_processes_does_not_change_the_table(tmp_path: Path) -> None:
    results = official.all_results(range(4 * BLOCK + 5), "topology", {"12": 1})
    folder = official.write_directory(tmp_path / "x", results, "topology")
    one, two = (Table(convert(folder, tmp_path / f"{jobs}.h5", jobs=jobs).path) for jobs in (1, 2))
    assert one.sha256() == two.sha256()


def test_keys_shared_between_dictionaries_are_read_too(tmp_path: Path) -> None:
    """A producer may write each 'set@epoch' text once and refer to it from then on."""
    results = made("topology")
    texts: dict[str, str] = {}
    for infos in results.values():
        for found in infos.values():
            for trial in found["all_results"].values():
                for name in ("eval_acc1es", "eval_losses", "eval_times"):
                    trial[name] = {texts.setdefault(key, key): value for key, value in trial[name].items()}
    for layout in ("directory", "single", "legacy", "zip"):
        (tmp_path / layout).mkdir()
        converted = convert(write(layout, results, "topology", tmp_path / layout), tmp_path / f"{layout}.h5")
        assert first_difference(plain(rebuilt(converted.path)), plain(results)) == ""


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("chunk", [1, 7, 100, 2**20])
def test_the_machine_reads_what_pickle_reads(protocol: int, chunk: int) -> None:
    """Whatever the size of the pieces that a stream comes in: curves and texts may be cut anywhere."""
    value = official.whole(official.all_results(range(3), "topology", {"12": 12, "200": 40}), "topology", 10)
    content = pickle.dumps(value, protocol)
    machine = Machine(io.BytesIO(content).read if chunk == 2**20 else _pieces(content, chunk), "x")
    entries = list(machine.entries("arch2infos"))
    found = {**entries[-1], "arch2infos": {**entries[-1]["arch2infos"], **dict(entries[:-1])}}
    assert first_difference(plain(_dicts(found)), plain(value)) == ""


def _pieces(content: bytes, size: int) -> Any:
    stream = io.BytesIO(content)
    return lambda _: stream.read(size)


def _dicts(value: Any) -> Any:
    if isinstance(value, Series):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _dicts(item) for key, item in value.items()}
    return [_dicts(item) for item in value] if isinstance(value, list) else value


# ---------------------------------------------------------------- the uniform query


@pytest.fixture(scope="module")
def tss(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Benchmark, Results]]:
    folder = tmp_path_factory.mktemp("tss")
    results = official.all_results(ARCHS["topology"], "topology", LENGTHS["topology"])
    converted = convert(official.write_directory(folder / "x", results, "topology"), folder / "x.h5")
    yield Benchmark(Table(converted.path)), results


def trials_of(results: Results, arch: int, hp: str, training: str) -> list[dict[str, Any]]:
    found = results[arch][hp]
    return [found["all_results"][training, seed] for seed in found["dataset_seed"][training]]


def test_validation_of_cifar10_is_that_of_half_the_training_images(tss: tuple[Benchmark, Results]) -> None:
    bench, results = tss
    for hp, last in (("12", 2), ("200", 4)):
        trials = trials_of(results, 11, hp, "cifar10-valid")
        mean = sum(trial["eval_acc1es"][f"x-valid@{last}"] for trial in trials) / len(trials)
        asked = bench.query(11, "valid_accuracy", dataset="cifar10", budget=int(hp))
        assert asked == pytest.approx(mean, rel=1e-12)
        assert asked == bench.query(11, "valid_accuracy", dataset="cifar10-valid", budget=int(hp))
    entry = bench.index.find("valid_accuracy", "cifar10", 200, ("runs",))
    assert "25,000" in entry.trained_on and "x-valid" in entry.evaluated_on


def test_every_split_answers_with_its_own_set(tss: tuple[Benchmark, Results]) -> None:
    bench, results = tss
    for training, sets in EVALUATIONS.items():
        for name, meaning in sets.items():
            for quantity, key in (("accuracy", "eval_acc1es"), ("loss", "eval_losses")):
                trial = trials_of(results, 2, "200", training)[0]
                seed = results[2]["200"]["dataset_seed"][training][0]
                train = {"accuracy": "train_acc1es", "loss": "train_losses"}[quantity]
                expected = trial[train][4] if name == "train" else trial[key][f"{name}@4"]
                assert bench.query(2, f"{meaning.split}_{quantity}", dataset=training, seed=seed) == expected


def test_epochs_that_were_not_kept_are_refused(tss: tuple[Benchmark, Results]) -> None:
    bench, results = tss
    trial = trials_of(results, 1, "200", "cifar100")[0]
    found = bench.query(1, "valtest_accuracy", dataset="cifar100", epoch=2, seed=777)
    assert found == trial["eval_acc1es"]["ori-test@1"]
    with pytest.raises(NotMeasured):
        bench.query(1, "valid_accuracy", dataset="cifar100", epoch=2)


def test_costs_are_those_of_the_official_simulation(tss: tuple[Benchmark, Results]) -> None:
    bench, results = tss
    for dataset, training in (("cifar10", "cifar10-valid"), ("cifar100", "cifar100")):
        trials = trials_of(results, 0, "200", training)
        expected = [sum(trial["train_times"].values()) + trial["eval_times"]["x-valid@4"] for trial in trials]
        cost = bench.cost(0, dataset=dataset)
        assert cost.seconds == pytest.approx(sum(expected) / len(expected), rel=1e-12)
        assert cost.provenance == "estimated"


def test_what_nobody_evaluated_is_nan(tss: tuple[Benchmark, Results]) -> None:
    bench, _ = tss
    assert np.isnan(bench.query(5, "test_accuracy", dataset="cifar10"))
    known = bench.known(np.arange(15_625), "test_accuracy", dataset="cifar10")
    assert np.flatnonzero(known).tolist() == ARCHS["topology"]


def test_release_1_0_has_no_seconds_at_200_epochs(tmp_path: Path) -> None:
    results = official.all_results(
        range(3), "topology", {"less": 3, "full": 5}, timed=lambda hp: hp == "less",
        seeds=lambda hp, dataset: [777] if hp == "full" or dataset == "cifar10-valid" else [],
    )  # fmt: skip
    path = official.write_legacy(tmp_path / "x.pth", official.whole(results, "topology"))
    converted = convert(path, tmp_path / "x.h5")
    assert "release 1.0" in converted.words[0]
    bench = Benchmark(Table(converted.path))
    assert bench.budgets("cifar10-valid", "train_seconds") == (12,)
    assert bench.cost(0, dataset="cifar10", budget=12).provenance == "measured"
    renamed = {arch: {{"less": "12", "full": "200"}[hp]: found for hp, found in infos.items()}
               for arch, infos in results.items()}  # fmt: skip
    assert first_difference(plain(rebuilt(converted.path)), plain(renamed)) == ""


# ---------------------------------------------------------------- what is it, and is it whole


def test_the_name_is_compared_with_the_md5(tmp_path: Path) -> None:
    results = official.all_results(range(2), "topology", {"12": 1})
    content = official.pack(official.whole(results, "topology"))
    tail = hashlib.md5(content, usedforsecurity=False).hexdigest()[-5:]
    good, bad = tmp_path / f"NATS-tss-v1_0-{tail}.pickle.pbz2", tmp_path / "NATS-tss-v1_0-00000.pickle.pbz2"
    good.write_bytes(content)
    assert any(f"md5 ends in {tail}" in line for line in convert(good, tmp_path / "x.h5").words)
    bad.write_bytes(content)
    with pytest.raises(BadFile, match="does not end in 00000"):
        convert(bad, tmp_path / "y.h5")
    assert not (tmp_path / "y.h5").exists()


def test_the_name_of_a_pth_is_compared_with_the_md5(tmp_path: Path) -> None:
    results = official.all_results(range(2), "topology", {"12": 1})
    whole = official.whole({arch: {"less": infos["12"]} for arch, infos in results.items()}, "topology")
    path = official.write_legacy(tmp_path / "NAS-Bench-201-v1_1.pth", whole)
    assert any("carries no digits" in line for line in convert(path, tmp_path / "x.h5").words)
    tail = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()[-6:]
    good = path.rename(tmp_path / f"NAS-Bench-201-v1_1-{tail}.pth")
    assert any(f"md5 ends in {tail}" in line for line in convert(good, tmp_path / "x.h5").words)
    bad = good.rename(tmp_path / "NAS-Bench-201-v1_1-000000.pth")
    with pytest.raises(BadFile, match="does not end in 000000"):
        convert(bad, tmp_path / "y.h5")


@pytest.mark.parametrize(
    ("name", "said"),
    [("NATS-tss-v1_0-3ffb9-simple", "tag 3ffb9 is that of the published"), ("mine", "carries no tag"),
     ("NATS-tss-v1_0-abcde-full", "tag abcde is not 3ffb9"), ("NATS-tss-v1_0-synth-simple", "carries no tag")],
)  # fmt: skip
def test_the_tag_of_a_directory_or_tar_is_said(name: str, said: str, tmp_path: Path) -> None:
    results = official.all_results(range(2), "topology", {"12": 1})
    folder = official.write_directory(tmp_path / name, results, "topology")
    for path in (folder, official.write_tar(tmp_path / f"{name}.tar", folder)):
        assert any(said in line for line in convert(path, tmp_path / "x.h5").words)


def test_a_directory_named_after_the_other_space_is_refused(tmp_path: Path) -> None:
    results = official.all_results(range(2), "topology", {"12": 1})
    folder = official.write_directory(tmp_path / "NATS-sss-v1_0-50262-simple", results, "topology")
    with pytest.raises(BadFile, match="named NATS-sss, the size space, and holds the topology space"):
        convert(folder, tmp_path / "x.h5")


@pytest.mark.parametrize("layout", ["directory", "single", "legacy"])
def test_a_newer_outermost_key_is_named(layout: str, tmp_path: Path) -> None:
    results = official.all_results(range(2), "topology", {"12": 1})
    newer = {**official.whole(results, "topology"), "version": 2}
    if layout == "directory":
        path = official.write_directory(tmp_path / "x", results, "topology")
        (path / "meta.pickle.pbz2").write_bytes(
            official.pack({**newer, "arch2infos": None, "evaluated_indexes": set()})
        )
    elif layout == "single":
        path = tmp_path / "x"
        path.write_bytes(official.pack(newer))
    else:
        newer["arch2infos"] = {arch: {"less": infos["12"]} for arch, infos in results.items()}
        path = official.write_legacy(tmp_path / "x.pth", newer)
    with pytest.raises(BadFile, match=r"unexpected key 'version'.*newer layout"):
        convert(path, tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists()


def test_a_file_is_recognised_by_its_content(tmp_path: Path) -> None:
    results = official.all_results(range(2), "topology", {"12": 1})
    path = official.write_legacy(tmp_path / "holiday.jpeg", official.whole(
        {arch: {"less": infos["12"]} for arch, infos in results.items()}, "topology"))  # fmt: skip
    assert "NAS-Bench-201" in convert(path, tmp_path / "x.h5").words[0]
    (tmp_path / "notes.txt").write_text("nothing of the kind")
    with pytest.raises(BadFile, match=r"recognised are: NATS-Bench.*NAS-Bench-201.*NAS-Bench-101.*HW-NAS.*Zero"):
        convert(tmp_path / "notes.txt", tmp_path / "y.h5")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadFile, match="recognised are"):
        convert(tmp_path / "empty", tmp_path / "y.h5")
    with pytest.raises(MissingFile):
        convert(tmp_path / "absent", tmp_path / "y.h5")


def _set(path: tuple[Any, ...], value: Any) -> Any:
    def change(infos: dict[str, Any]) -> None:
        for key in path[:-1]:
            infos = infos[key]
        infos[path[-1]] = value

    return change


TRIAL = ("12", "all_results", ("cifar10", 111))
CHANGES = {
    "a key of a newer layout": (_set((*TRIAL, "energy"), 1.0), "unexpected key 'energy'"),
    "a key of the architecture": (_set(("12", "version"), 2), "unexpected key 'version'"),
    "an hp": (_set(("300",), {}), "unexpected key '300'"),
    "a set of images": (_set((*TRIAL, "eval_losses"), {"x-test@0": 1.0}), "unexpected set 'x-test'"),
    "a data set": (_set(("12", "all_results", ("svhn", 111)), {}), "unexpected data set 'svhn'"),
    "an epoch": (_set((*TRIAL, "train_losses", 9), 1.0), "epoch 9 of a run of 3"),
    "another architecture": (_set(("12", "arch_index"), 7), "it says to be number 7"),
    "a text as number": (_set((*TRIAL, "params"), "big"), "'big' where a number is expected"),
    "a text as loss": (_set((*TRIAL, "train_losses", 0), "big"), "'big', where a number"),
    "no losses": (_set((*TRIAL, "train_losses"), None), "train_losses is None"),
    "seeds that do not fit": (_set(("12", "dataset_seed", "cifar10"), [5]), "dataset_seed does not list"),
    "another seed": (_set((*TRIAL, "seed"), "0112"), "its name and seed"),
    "a list as curve": (_set((*TRIAL, "eval_losses"), [1.0]), "a curve that is something of type list"),
}


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("layout", ["directory", "single", "legacy"])
def test_another_layout_ends_in_an_error_that_names_the_first_unexpected_thing(
    case: str, layout: str, tmp_path: Path
) -> None:
    change, message = CHANGES[case]
    results = official.all_results(range(2), "topology", {"12": 3})
    change(results[1])
    path = write(layout, results, "topology", tmp_path)
    message = "unexpected key '300'" if case == "an hp" else message
    with pytest.raises(BadFile, match=message):
        convert(path, tmp_path / "x.h5")
    assert not (tmp_path / "x.h5").exists() and not list(tmp_path.glob(".*"))


def test_an_absent_key_is_named(tmp_path: Path) -> None:
    results = official.all_results(range(2), "topology", {"12": 3})
    del results[1]["12"]["all_results"]["cifar10", 111]["flop"]
    with pytest.raises(BadFile, match=r"architecture 1.*key 'flop' is absent"):
        convert(write("directory", results, "topology", tmp_path), tmp_path / "x.h5")


def test_another_order_of_architectures_is_refused(tmp_path: Path) -> None:
    folder = official.write_directory(tmp_path / "x", official.all_results([0], "topology", {"12": 1}), "topology")
    texts = official.texts_of("topology")
    texts[3], texts[4] = texts[4], texts[3]
    meta = {"meta_archs": texts, "total_archs": len(texts), "arch2infos": None, "evaluated_indexes": set()}
    (folder / "meta.pickle.pbz2").write_bytes(official.pack(meta))
    with pytest.raises(BadFile, match="architecture 3 is"):
        convert(folder, tmp_path / "x.h5")


# ---------------------------------------------------------------- open official objects


def test_an_open_object_gives_the_same_table(tmp_path: Path) -> None:
    import nats_bench

    results = official.all_results([0, 1, 2], "topology", LENGTHS["topology"])
    path = official.write_single(tmp_path / "x.pickle.pbz2", results, "topology")
    state = random.getstate()
    api = nats_bench.create(str(path), "tss", fast_mode=False, verbose=False)
    made_from_api = convert_api(api, tmp_path / "api.h5")
    random.setstate(state)
    assert Table(made_from_api.path).sha256() == Table(convert(path, tmp_path / "x.h5").path).sha256()
    with pytest.raises(BadValue, match="SimpleNamespace is no object"):
        convert_api(SimpleNamespace(), tmp_path / "y.h5")


# ---------------------------------------------------------------- the recorded official files


@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    ["NATS-tss-v1_0-synth-simple", "NATS-sss-v1_0-synth-simple", "NATS-tss-v1_0-synth.pickle.pbz2",
     "NATS-sss-v1_0-synth.pickle.pbz2", "NAS-Bench-201-v1_0-synth.pth", "NAS-Bench-201-v1_1-synth.pth",
     "NAS-Bench-201-v1_1-synth-zip.pth", "NAS-Bench-201-v1_1-synth-plainfloats.pth",
     "NAS-Bench-201-v1_1-archive-synth"],
)  # fmt: skip
def test_recorded_files_are_found_again_in_their_tables(name: str, shared: Path, tmp_path: Path) -> None:
    path = shared / "fixtures" / "official-mini" / name
    source = _source(path)
    converted = convert(path, tmp_path / "x.h5")
    assert first_difference(plain(rebuilt(converted.path)), plain(source)) == ""


def _source(path: Path) -> Results:
    """The recorded file through the reader of whole pickles, which shares nothing with the machine."""
    from nasgauge.data.files.torch_files import read_torch
    from nasgauge.data.safe.pickles import decode, read_pickle

    hps = {"less": "12", "full": "200"}
    if path.suffix == ".pth" and path.read_bytes()[:2] != b"PK":
        content, end, values = path.read_bytes(), 0, []
        for _ in range(4):
            value, end = decode(content, path.name, start=end)
            values.append(value)
        infos = values[3]["arch2infos"]
    elif path.suffix == ".pth":
        infos = read_torch(path)["arch2infos"]
    elif path.is_dir() and not (path / "meta.pickle.pbz2").exists():
        infos = {int(file.name[:6]): read_torch(file) for file in path.glob("*-FULL.pth")}
    elif path.is_dir():
        return {int(file.name[:6]): read_pickle(file) for file in path.glob("0*.pbz2")}
    else:
        return read_pickle(path)["arch2infos"]
    found = {arch: {hps[name]: each[name] for name in ("less", "full")} for arch, each in infos.items()}
    for each in found.values():
        for results in each.values():
            for trial in results["all_results"].values():
                trial["net_state_dict"] = None
    return found


def test_texts_in_tests_are_the_official_ones() -> None:
    assert official.texts_of("topology")[0] == Topology().text(0)
    assert bz2.decompress(official.pack(1)) == pickle.dumps(1, 4)
