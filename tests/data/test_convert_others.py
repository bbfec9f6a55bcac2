"""HW-NAS-Bench's pickle and NAS-Bench-Suite-Zero's JSON: recognised by content, every number under our names."""

from __future__ import annotations

import json
import os
import pickle
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadArchitecture, BadFile, BadValue, NotMeasured
from nasgauge.bench.spaces import Topology
from nasgauge.bench.spaces.cells101 import Cells101
from nasgauge.bench.table import Table
from nasgauge.data.convert import convert
from nasgauge.data.files import suite_zero

TOPOLOGY = Topology()
CELLS = Cells101()


def hardware() -> dict[str, Any]:
    """Two data sets of two metrics each."""
    rng = np.random.default_rng(0)
    values = {"edgegpu_latency": rng.uniform(1, 9, 15_625).tolist(), "fpga_energy": rng.uniform(1, 9, 15_625).tolist()}
    values["edgegpu_latency"][3] = -1.0
    config = [{"name": "infer.tiny", "C": 16}] * 3
    fbnet = {"edgegpu_latency": {"a": 1.0, "b": 0.0}, "fpga_energy": {"b": 2.5, "c": 0.25}}
    return {"nasbench201": {"cifar10": {**values, "config": config}}, "fbnet": fbnet}


def converted(source: dict[str, Any], folder: Path) -> Any:
    (folder / "x").write_bytes(pickle.dumps(source, 4))
    return convert(folder / "x", folder / "x.h5")


def test_hw_nas_bench(tmp_path: Path) -> None:
    source = hardware()
    bench = Benchmark(Table(converted(source, tmp_path).path))
    expected = source["nasbench201"]["cifar10"]
    assert bench.query(7, "latency_ms:edgegpu", dataset="cifar10") == expected["edgegpu_latency"][7]
    assert bench.query(7, "energy_mj:fpga", dataset="cifar10") == expected["fpga_energy"][7]
    assert np.isnan(bench.query(3, "latency_ms:edgegpu", dataset="cifar10"))


def test_the_blocks_of_fbnet_are_a_table_of_their_own(tmp_path: Path) -> None:
    found = converted(hardware(), tmp_path)
    (path,) = found.more
    assert path == tmp_path / "x-fbnet-blocks.h5"
    assert any(str(path) in line for line in found.words)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x", "x-fbnet-blocks.h5", "x.h5"]
    blocks = Benchmark(Table(path))
    assert blocks.query(["a", "b", "b"], "latency_ms:edgegpu").sum() == 1.0
    assert blocks.query(["b", "c"], "energy_mj:fpga").tolist() == [2.5, 0.25]
    assert np.isnan(blocks.query("c", "latency_ms:edgegpu"))
    assert "FBNet" in blocks.describe()


@pytest.mark.parametrize("official", [True, False])
def test_networks_of_hw_nas_bench_are_kept(official: bool, tmp_path: Path) -> None:
    """Once where all are alike but for the official text, else one by one."""
    source = hardware()
    rows = [
        {"name": "infer.tiny", "C": 16, "arch_str": TOPOLOGY.text(arch), "num_classes": 10} for arch in range(15_625)
    ]
    if not official:
        rows[4]["C"] = 17
    source["nasbench201"]["cifar10"]["config"] = rows
    kept = Table(converted(source, tmp_path).path).info["extra"]["configs"]["cifar10"]
    if official:
        assert kept["common"] == {"name": "infer.tiny", "C": 16, "num_classes": 10}
    else:
        assert kept == rows


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda source: source["nasbench201"]["cifar10"].update(tpu_latency=[1.0]), "unexpected key 'tpu_latency'"),
        (lambda source: source.update(other=1), "unexpected key 'other'; known: nasbench201, fbnet"),
        (lambda source: source["nasbench201"].update(mnist={}), "unexpected key 'mnist' in 'nasbench201'"),
        (lambda source: source["fbnet"].update(watts={}), "unexpected key 'watts' in 'fbnet'"),
        (lambda source: source["fbnet"].update(pixel3_latency={}), "fbnet pixel3_latency: no dictionary of blocks"),
        (lambda source: source["fbnet"].update(pixel3_latency={"a": "b"}), "the cost of 'a' is no number"),
        (lambda source: source["fbnet"].update(pixel3_latency={3: 1.0}), "'3' is no name of a block"),
        (lambda source: source["nasbench201"]["cifar10"].update(config={1}), "config: it holds more than"),
        (lambda source: source["nasbench201"]["cifar10"].update(config=[1]), "config: no list of networks"),
        (lambda source: source["nasbench201"]["cifar10"].update(fpga_latency=[1.0]), "instead of 15625 values"),
    ],
)
def test_hw_nas_bench_of_another_layout_is_refused(change: Any, message: str, tmp_path: Path) -> None:
    source = hardware()
    change(source)
    with pytest.raises(BadFile, match=re.escape(message)):
        converted(source, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


class Planted:
    """Makes a folder when a plain reader of pickles meets it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("place", ["top", "metric", "config", "fbnet"])
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_payload_in_hw_nas_bench_runs_nowhere(place: str, protocol: int, tmp_path: Path) -> None:
    source = hardware()
    cells = source["nasbench201"]["cifar10"]
    where = {"top": source, "metric": cells["edgegpu_latency"], "config": cells["config"][0],
             "fbnet": source["fbnet"]["edgegpu_latency"]}[place]  # fmt: skip
    where[0 if isinstance(where, list) else "planted"] = Planted(tmp_path / "executed")
    (tmp_path / "x").write_bytes(pickle.dumps(source, protocol))
    with pytest.raises(BadFile, match="mkdir"):
        convert(tmp_path / "x", tmp_path / "x.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    pickle.loads((tmp_path / "x").read_bytes())
    assert (tmp_path / "executed").is_dir()


ENTRY = {"val_accuracy": 90.5, "snip": {"score": 3.5, "time": 0.25}, "flops": {"score": 7, "time": 0.0}}


def opened(value: Any, folder: Path, name: str = "x.json") -> Benchmark:
    (folder / name).write_text(json.dumps(value))
    return Benchmark(Table(convert(folder / name, folder / "x.h5").path))


@pytest.mark.parametrize("nested", [False, True])
def test_suite_zero(nested: bool, tmp_path: Path) -> None:
    """(skip, none, conv 3x3, conv 1x1, pool, skip) on edges 0-1, 0-2, 0-3, 1-2, 1-3, 2-3, as NASLib numbers them."""
    value: Any = {"cifar10": {"(0, 1, 2, 3, 4, 0)": {"idx": 5, **ENTRY}}}
    bench = opened({"nasbench201": value} if nested else value, tmp_path)
    text = "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|"
    arch = TOPOLOGY.id(text)
    assert bench.query(arch, "proxy:snip", dataset="cifar10") == 3.5
    assert bench.query(arch, "proxy_seconds:snip", dataset="cifar10") == 0.25
    assert bench.query(arch, "recorded_valid_accuracy", dataset="cifar10") == 90.5
    assert bench.known(np.arange(15_625), "proxy:flops", dataset="cifar10").sum() == 1
    assert bench.tables[0].read("cifar10/static/_idx/static")[arch] == 5


def cell_key(arch: int, padded: bool) -> str:
    """NASLib's ``str(convert_spec_to_tuple(spec))``; padded: seven vertices, of which some lie on no path."""
    graph = CELLS.graph(arch)
    names = ["input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu"]
    matrix, nodes = np.array(graph.adjacency).astype(int), list(graph.nodes)
    while padded and len(nodes) < 7:
        matrix = np.insert(np.insert(matrix, len(nodes) - 1, 0, axis=0), len(nodes) - 1, 0, axis=1)
        nodes.insert(len(nodes) - 1, "maxpool3x3")
    return str((*matrix.ravel().tolist(), *map(names.index, nodes)))


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_suite_zero_of_nasbench101(nested: bool, padded: bool, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    archs = [0, *draw.choice(CELLS.size, 20, replace=False).tolist()]
    value: Any = {"cifar10": {cell_key(arch, padded): {"snip": {"score": float(arch)}} for arch in archs[:-1]}}
    value["cifar10"][CELLS.hash(archs[-1])] = {"snip": {"score": float(archs[-1])}}
    bench = opened({"nasbench101": value} if nested else value, tmp_path)
    assert bench.space.name == "cells101"
    assert bench.query(archs, "proxy:snip", dataset="cifar10").tolist() == archs
    assert bench.known(np.arange(CELLS.size), "proxy:snip", dataset="cifar10").sum() == len(archs)


@pytest.mark.parametrize(
    ("name", "nested", "dataset", "keys"),
    [
        ("transbench101_micro", True, "jigsaw", ["(0, 1, 2, 3, 0, 1)", "(3, 3, 3, 3, 3, 3)"]),
        ("transbench101_micro", True, "cifar10", ["(0, 1, 2, 3, 0, 1)"]),
        ("transbench101", False, "class_scene", ["(0, 1, 2, 3, 0, 1)", "(4, 1, 2, 3, 0, 1)"]),
        ("transbench101", False, "normal", ["(1, 2, 3, 4)", "(1, 2, 3, 4, 1)"]),
        ("nasbench301", False, "cifar10", ["(((0, 2), (1, 3)), ((0, 2), (1, 3)))"]),
        ("nasbench301", True, "cifar10", ["a text of any kind", "another"]),
    ],
)
def test_other_spaces_are_kept_by_text(name: str, nested: bool, dataset: str, keys: list[str], tmp_path: Path) -> None:
    entries = {key: {"snip": {"score": place + 0.5, "time": 1.0}} for place, key in enumerate(keys)}
    value = {dataset: entries}
    bench = opened({name: value} if nested else value, tmp_path, f"zc_{name}.json")
    assert bench.space.name == name
    assert bench.query(keys, "proxy:snip", dataset=dataset).tolist() == [place + 0.5 for place in range(len(keys))]
    assert [bench.space.text(arch) for arch in range(len(keys))] == keys
    assert name in bench.describe()
    with pytest.raises(BadArchitecture, match="is none of the"):
        bench.query("(9, 9)", "proxy:snip", dataset=dataset)
    with pytest.raises(NotMeasured, match="neighbours"):
        bench.space.neighbours(0)


def test_several_spaces_of_one_file_are_several_tables(tmp_path: Path) -> None:
    other = {"(1, 1, 1, 1, 1, 1)": {"snip": {"score": 2.0}}}
    value = {"nasbench201": {"svhn": {"(0, 1, 2, 3, 4, 0)": ENTRY}}, "transbench101_micro": {"svhn": other}}
    (tmp_path / "x.json").write_text(json.dumps(value))
    found = convert(tmp_path / "x.json", tmp_path / "x.h5")
    assert Benchmark(Table(found.path)).space is not None
    micro = Benchmark(Table(tmp_path / "x-transbench101_micro.h5"))
    assert micro.query("(1, 1, 1, 1, 1, 1)", "proxy:snip") == 2.0
    assert found.more == (tmp_path / "x-transbench101_micro.h5",)


def test_tables_of_different_texts_do_not_go_together(tmp_path: Path) -> None:
    tables = []
    for place, key in enumerate(("one", "two")):
        (tmp_path / "x.json").write_text(json.dumps({"nasbench301": {"cifar10": {key: ENTRY}}}))
        tables.append(Table(convert(tmp_path / "x.json", tmp_path / f"{place}.h5").path))
    assert Benchmark(tables[0], tables[0]).space.size == 1
    with pytest.raises(BadValue, match="cannot be asked"):
        Benchmark(*tables)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not a readable JSON"), ("{}", "no object of data sets"),
     ('{"nasbench301": {"cifar10": {}}}', "unexpected key 'cifar10'"),
     ('{"nasbench201": {"cifar10": {"(0, 1, 2, 3, 4, 0)": {}}}, "newer": {}}', "unexpected key 'newer'"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 9)": {}}}', "no tuple of six"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {}}}', "no proxy of any"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": 3}}', "no object of scores"),
     ('{"svhn": {"(0, 1, 2, 3, 2, 0)": {"snip": {"score": 1}}}}', "may be of nasbench201 or of transbench101_micro"),
     ('{"a/b": {"x": {"snip": {"score": 1}}}}', "unexpected key 'a/b'"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"a/b": {"score": 1}}}}', "unexpected key 'a/b'"),
     ('{"nasbench101": {"cifar10": {"(0, 1, 0)": {"snip": {"score": 1}}}}}', "no NAS-Bench-101 cell"),
     ('{"nasbench101": {"cifar10": {"(0, 0, 0, 0, 0, 1)": {"snip": {"score": 1}}}}}', "does not reach the output"),
     ('{"nasbench101": {"cifar10": {"(0, 1, 0, 0, 0, 1)": {"snip": {"score": 1}}, '
      '"(0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 1)": {"snip": {"score": 1}}}}}', "comes twice"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"snip": {"score": 9007199254740993}}}}', "no number that a table holds"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"snip": {"score": null}}}}', "no number that a table holds"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"snip": {"time": 1}}}}', "it has no score"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"snip": 3}}}', "unexpected key 'snip'"),
     ('{"cifar10": {"(0, 1, 2, 3, 4, 0)": {"snip": {"score": 1, "unit": 2}}}}', "unexpected key 'unit'")],
)  # fmt: skip
def test_suite_zero_of_another_layout_is_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(BadFile, match=message):
        convert(tmp_path / "x.json", tmp_path / "x.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


@pytest.mark.parametrize(
    "content", ["[" * 10**6, '{"a":' * 10**5, "{" + "{}," * 10**6 * 3, '{"a": 1' + "0" * 10**4 + "}"]
)
def test_json_bombs_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(BadFile):
        convert(tmp_path / "x.json", tmp_path / "x.h5")


def test_more_proxies_than_a_release_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite_zero, "MOST_NUMBERS", 4 * 15_625)
    scores = {f"proxy{number}": {"score": 1.0} for number in range(5)}
    (tmp_path / "x.json").write_text(json.dumps({"cifar10": {"(0, 1, 2, 3, 4, 0)": scores}}))
    with pytest.raises(BadFile, match="more proxies than"):
        convert(tmp_path / "x.json", tmp_path / "x.h5")


SOUND = {
    "pickle": pickle.dumps(hardware(), 4),
    "nasbench201": json.dumps({"nasbench201": {"cifar10": {"(0, 1, 2, 3, 4, 0)": ENTRY}}}).encode(),
    "nasbench101": json.dumps({"cifar10": {cell_key(arch, False): ENTRY for arch in range(3)}}).encode(),
    "listing": json.dumps({"jigsaw": {"(0, 1, 2, 3)": ENTRY}}).encode(),
}


@pytest.mark.parametrize("kind", SOUND)
@settings(max_examples=60, deadline=5_000)
@given(data=st.data())
def test_damaged_files_are_bad_files_and_leave_nothing(kind: str, data: st.DataObject) -> None:
    """Truncated, with bytes changed, with a piece that comes twice or of random bytes; or else they are still sound."""
    content = bytearray(SOUND[kind])
    head = data.draw(st.sampled_from((4_096, len(content))))  # most of what a pickle holds are equal numbers
    place = data.draw(st.integers(0, min(head, len(content)) - 1))
    match data.draw(st.sampled_from(("cut", "flip", "repeat", "noise"))):
        case "cut":
            del content[place:]
        case "flip":
            content[place] ^= 1 << data.draw(st.integers(0, 7))
        case "repeat":
            content[place:place] = content[place : place + data.draw(st.integers(1, 50))]
        case "noise":
            content[place : place + 20] = data.draw(st.binary(min_size=20, max_size=20))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "x").write_bytes(content)
        try:
            found = convert(folder / "x", folder / "x.h5")
        except BadFile as error:
            assert str(folder / "x") in str(error)
            assert [path.name for path in folder.iterdir()] == ["x"]
        else:
            for path in (found.path, *found.more):
                Table(path).verify()
