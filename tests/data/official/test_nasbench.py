"""The drop-in for `nasbench.api`: the recorded official answers, and files made here."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import math
import pickle
import random
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile, BadValue, MissingFile
from nasgauge.bench.spaces.cells101 import Cells101
from nasgauge.bench.table import Table, write_table
from nasgauge.data.files.nasbench_file import convert_nasbench
from nasgauge.data.files.nasbench_object import columns_from_nasbench
from nasgauge.data.files.nasbench_records import Labelings, Structures
from nasgauge.data.official.nasbench import ModelSpec, NASBench, OutOfDomainError
from nasgauge.data.official.nasbench_records import Records
from nasgauge.data.official.warn import OfficialTrap, say_again

from ..nasbench_writer import Record, records, write

SPACE = Cells101()
CELLS = (0, 7, 100_000, 311_006, 423_623)


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASGAUGE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def stream() -> Any:
    """The global stream as it was, and warnings said anew."""
    state = random.getstate()
    say_again()
    yield
    random.setstate(state)


@pytest.fixture(scope="module")
def made() -> list[Record]:
    return records(SPACE, CELLS, (4, 108), np.random.default_rng(0))


@pytest.fixture(scope="module")
def file(made: list[Record], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("official") / "made.tfrecord", made)


@pytest.fixture
def api(file: Path) -> NASBench:
    return NASBench(file, seed=0)


def same(ours: Any, theirs: Any) -> bool:
    """Equal, numbers to 1e-12; arrays as lists, dictionaries with keys as JSON has them."""
    if isinstance(ours, np.ndarray):
        ours = ours.tolist()
    if isinstance(theirs, dict):
        ours = {str(key): value for key, value in ours.items()}
        return ours.keys() == theirs.keys() and all(same(ours[key], value) for key, value in theirs.items())
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, float):
        return isinstance(ours, float) and math.isclose(ours, theirs, rel_tol=1e-12)
    return type(ours) is type(theirs) and ours == theirs


def answer(api: NASBench, call: str, args: dict[str, Any], note: str) -> Any:
    """What our drop-in says to one recorded row."""
    if call == "hash_iterator":
        return list(api.hash_iterator())
    if call == "valid_epochs":
        return sorted(api.valid_epochs)
    if call == "get_metrics_from_hash":
        return list(api.get_metrics_from_hash(**args))
    matrix = np.array(args["matrix"])
    if call == "ModelSpec":
        return ModelSpec(matrix, args["ops"])
    if call == "ModelSpec_tuple_ops":
        return ModelSpec(matrix, tuple(args["ops"])).valid_spec
    spec = ModelSpec(matrix, args["ops"])
    if call == "prune":
        return [spec.valid_spec, spec.matrix, spec.ops]
    if call == "is_valid":
        return api.is_valid(spec)
    if call == "hash_spec":
        return spec.hash_spec(api.config["available_ops"])
    if call == "query":
        return api.query(spec, **{name: value for name, value in args.items() if name not in ("matrix", "ops")})
    raise AssertionError(f"a call that this test does not know: {call}")


@pytest.mark.real
@pytest.mark.filterwarnings("ignore::nasgauge.data.official.warn.OfficialTrap")
@pytest.mark.parametrize("name", ["full", "only108"])
def test_every_recorded_official_answer(name: str, shared: Path) -> None:
    folder = shared / "fixtures" / "nasbench101"
    rows = json.loads((folder / f"nasbench_synth_{name}.answers.json").read_text())["rows"]
    file = folder / f"nasbench_synth_{name}.tfrecord"
    api, checked = NASBench(str(file)), 0
    for row in rows:
        if row["call"] == "query:session":
            session = NASBench(str(file), seed=12345)
            assert row["start"] == "NASBench(file, seed=12345)"
            for step in row["steps"]:
                args = dict(step["args"])
                spec = ModelSpec(args.pop("matrix"), args.pop("ops"))
                assert same(session.query(spec, **args), step["answer"])
                assert same(list(session.get_budget_counters()), step["budget_after"])
                checked += 1
            continue
        if "error" in row:
            kind = {"TypeError": TypeError, "ValueError": ValueError, "OutOfDomainError": OutOfDomainError}
            with pytest.raises(kind[row["error"]["type"]]) as caught:
                answer(api, row["call"], row["args"], row.get("note", ""))
            if "item deletion" not in row["error"]["message"]:  # a message of Python's own
                assert str(caught.value) == row["error"]["message"]
        else:
            assert same(answer(api, row["call"], row["args"], row.get("note", "")), row["answer"]), row
        checked += 1
    sessions = [row for row in rows if row["call"] == "query:session"]
    assert checked == len(rows) - len(sessions) + sum(len(row["steps"]) for row in sessions)


def expected(made: list[Record]) -> tuple[dict[str, Any], dict[str, dict[int, list[dict[str, float]]]]]:
    """What the official loader keeps of the records."""
    fixed: dict[str, Any] = {}
    computed: dict[str, dict[int, list[dict[str, float]]]] = {}
    for each in made:
        matrix = np.array(list(each.adjacency), dtype=np.int8)
        fixed.setdefault(each.module_hash, {
            "module_adjacency": matrix.reshape([math.isqrt(len(matrix))] * 2).tolist(),
            "module_operations": each.operations.split(","), "trainable_parameters": each.parameters,
        })  # fmt: skip
        computed.setdefault(each.module_hash, {}).setdefault(each.epochs, []).append(each.official())
    return fixed, computed


def test_statistics_are_the_file_bit_by_bit_and_in_its_order(api: NASBench, made: list[Record]) -> None:
    fixed, computed = expected(made)
    assert list(api.hash_iterator()) == list(fixed) == list(api.fixed_statistics) == list(api.computed_statistics)
    assert len(api.fixed_statistics) == len(fixed)
    for module_hash in fixed:
        found = api.computed_statistics[module_hash]
        assert found == computed[module_hash]
        assert list(found) == list(computed[module_hash])
        assert same(api.fixed_statistics[module_hash], fixed[module_hash])
        assert api.fixed_statistics[module_hash]["module_adjacency"].dtype == np.int8
    assert api.valid_epochs == {4, 108}


def test_query_draws_one_repeat_from_the_global_stream(file: Path, made: list[Record]) -> None:
    fixed, computed = expected(made)
    api, seconds, epochs = NASBench(file, seed=7), 0.0, 0
    stream = random.Random(7)
    for turn, module_hash in enumerate([*fixed] * 6):
        stats = fixed[module_hash]
        spec = ModelSpec(stats["module_adjacency"], stats["module_operations"])
        budget, halfway = (4, 108)[turn % 2], turn % 3 == 0
        run = computed[module_hash][budget][stream.randint(0, 2)]
        data = api.query(spec, budget, stop_halfway=halfway)
        when = "halfway" if halfway else "final"
        assert set(data) == {*stats, "training_time", "train_accuracy", "validation_accuracy", "test_accuracy"}
        assert all(data[name] == run[f"{when}_{name}"] for name in data if name not in stats)
        assert same({name: data[name] for name in stats}, stats)
        seconds += data["training_time"]
        epochs += budget // 2 if halfway else budget
        assert api.get_budget_counters() == (seconds, epochs)
    assert random.getstate() == stream.getstate()
    api.reset_budget_counters()
    assert api.get_budget_counters() == (0.0, 0)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_an_object_that_was_asked_travels_to_other_processes(api: NASBench, again: Any) -> None:
    stats = next(iter(api.fixed_statistics.values()))
    spec = ModelSpec(stats["module_adjacency"], stats["module_operations"])
    random.seed(3)
    before = api.query(spec)
    other = again(api)
    random.seed(3)
    assert same(other.query(spec), {**before, "module_adjacency": before["module_adjacency"].tolist()})
    assert other.get_budget_counters() == (2 * before["training_time"], 216)


def test_what_costs_nothing_draws_nothing(api: NASBench, made: list[Record]) -> None:
    state = random.getstate()
    spec = ModelSpec(SPACE.graph(7).adjacency, list(SPACE.graph(7).nodes))
    fixed, computed = api.get_metrics_from_spec(spec)
    assert api.is_valid(spec)
    assert computed == api.get_metrics_from_hash(SPACE.hash(7))[1]
    fixed["module_operations"].append("changed")
    computed[108].clear()
    assert api.get_metrics_from_spec(spec)[0]["module_operations"][-1] == "output"
    assert len(api.get_metrics_from_spec(spec)[1][108]) == 3
    assert random.getstate() == state
    assert api.get_budget_counters() == (0.0, 0)


def test_a_missing_repeat_is_an_index_error_after_the_draw(tmp_path: Path) -> None:
    api = NASBench(write(tmp_path / "two", records(SPACE, [7], (108,), np.random.default_rng(1), repeats=2)), seed=0)
    spec = ModelSpec(SPACE.graph(7).adjacency, list(SPACE.graph(7).nodes))
    stream = random.Random(0)
    for _ in range(20):
        if stream.randint(0, 2) == 2:
            with pytest.raises(IndexError):
                api.query(spec)
        else:
            api.query(spec)
    assert len(api.computed_statistics[SPACE.hash(7)][108]) == 2


def test_what_is_not_there(api: NASBench) -> None:
    spec = ModelSpec(SPACE.graph(8).adjacency, list(SPACE.graph(8).nodes))
    assert api.is_valid(spec)
    with pytest.raises(KeyError):
        api.query(spec)
    with pytest.raises(KeyError):
        api.get_metrics_from_hash("0" * 32)
    assert SPACE.hash(8) not in api.fixed_statistics
    assert "nonsense" not in api.fixed_statistics
    with pytest.raises(OutOfDomainError):
        api.query(spec, epochs=12)
    with pytest.raises(NotImplementedError):
        api.evaluate(spec, "folder")


def test_traps_are_reproduced_and_said_once(api: NASBench) -> None:
    chain = np.eye(8, k=1, dtype=int)
    spec = ModelSpec(chain, ["input", *["maxpool3x3"] * 6, "output"])
    with pytest.warns(OfficialTrap, match="7 vertices"), pytest.raises(TypeError, match="not subscriptable"):
        api.is_valid(spec)
    floats = ModelSpec(SPACE.graph(7).adjacency.astype(float), list(SPACE.graph(7).nodes))
    with pytest.warns(OfficialTrap, match="floats"), pytest.raises(KeyError):
        api.query(floats)
    with warnings.catch_warnings(), pytest.raises(KeyError):
        warnings.simplefilter("error")
        api.query(floats)


def textbook_hash(matrix: np.ndarray, labels: list[int]) -> str:
    """``graph_util.hash_module`` by its description, with nothing remembered and nothing left out."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    colours = [
        md5(str((*(np.sum(matrix, axis=axis)[vertex].item() for axis in (1, 0)), label)))
        for vertex, label in enumerate(labels)
    ]
    for _ in labels:
        feeding = [sorted(colours[w] for w in np.flatnonzero(matrix[:, v])) for v in range(len(labels))]
        fed = [sorted(colours[w] for w in np.flatnonzero(matrix[v])) for v in range(len(labels))]
        colours = [md5("".join(feeding[v]) + "|" + "".join(fed[v]) + "|" + colours[v]) for v in range(len(labels))]
    return md5(str(sorted(colours)))


@settings(max_examples=200)
@given(data=st.data(), vertices=st.integers(2, 9), kind=st.sampled_from(("int64", "int8", "uint8", "bool", "float64")))
def test_hashes_are_those_of_the_description(data: st.DataObject, vertices: int, kind: str) -> None:
    """For matrices of every type, sparse or dense, twice in a row; entries above 1 change the degrees."""
    largest = data.draw(st.sampled_from((1, 1, 1, 3)))
    entries = data.draw(st.lists(st.integers(0, largest), min_size=vertices**2, max_size=vertices**2))
    matrix = np.triu(np.array(entries).reshape(vertices, vertices), 1).astype(kind)
    canonical = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
    inner = data.draw(st.lists(st.sampled_from(canonical), min_size=vertices - 2, max_size=vertices - 2))
    spec = ModelSpec(matrix, ["input", *inner, "output"])
    if not spec.valid_spec:
        return
    labels = [-1, *(canonical.index(op) for op in spec.ops[1:-1]), -2]
    for _ in range(2):
        assert spec.hash_spec(canonical) == textbook_hash(np.asarray(spec.matrix), labels)


@settings(max_examples=100)
@given(
    arch=st.integers(0, SPACE.size - 1), order=st.permutations(range(5)), kind=st.sampled_from(("int8", "bool", int))
)
def test_a_cell_is_found_by_its_form_where_its_hash_finds_it(arch: int, order: list[int], kind: Any) -> None:
    """Any numbering of the vertices, and vertices on no path besides."""
    graph = SPACE.graph(arch)
    count = len(graph.nodes)
    kept = [each for each in order if each < count - 2]
    new = np.array([0, *(1 + np.argsort(kept)), count - 1])
    matrix = np.zeros((count, count), dtype=int)
    for source, target, _ in graph.edges:
        matrix[new[source], new[target]] = 1
    if np.tril(matrix).any():
        return
    ops = [graph.nodes[old] for old in np.argsort(new)]
    records = SimpleNamespace(ids=np.arange(SPACE.size), _space=SPACE, _structures=Structures(), _labelings=Labelings())
    spec = ModelSpec(matrix.astype(kind), ops)
    assert spec.hash_spec(["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]) == SPACE.hash(arch)
    assert Records.place_of_cell(records, spec.matrix, spec.ops) == arch
    assert Records.place_of_cell(records, spec.matrix.astype(float), spec.ops) is None
    assert Records.place_of_cell(records, 2 * spec.matrix.astype(int), spec.ops) is None
    padded = np.zeros((count + 1, count + 1), dtype=int)
    padded[:count, :count] = matrix
    assert Records.place_of_cell(records, padded, [*ops, "output"]) is None


def test_what_a_user_changes_in_a_spec_or_the_settings_counts(api: NASBench, made: list[Record]) -> None:
    """As officially, the hash is that of the present matrix and of the present order of operations."""
    graph, other = SPACE.graph(7), SPACE.graph(100_000)
    spec = ModelSpec(graph.adjacency, list(graph.nodes))
    api.query(spec)
    spec.matrix, spec.ops = np.array(other.adjacency), list(other.nodes)
    (fixed, computed), expected = api.get_metrics_from_spec(spec), api.get_metrics_from_hash(SPACE.hash(100_000))
    assert computed == expected[1]
    assert same(fixed, {**expected[0], "module_adjacency": expected[0]["module_adjacency"].tolist()})
    api.config["available_ops"].reverse()
    with pytest.raises(KeyError):
        api.query(spec)


OFFICIAL = {
    "__init__": "(self, dataset_file, seed=None)",
    "query": "(self, model_spec, epochs=108, stop_halfway=False)",
    "is_valid": "(self, model_spec)",
    "get_budget_counters": "(self)",
    "reset_budget_counters": "(self)",
    "evaluate": "(self, model_spec, model_dir)",
    "hash_iterator": "(self)",
    "get_metrics_from_hash": "(self, module_hash)",
    "get_metrics_from_spec": "(self, model_spec)",
    "_check_spec": "(self, model_spec)",
    "_hash_spec": "(self, model_spec)",
}


def test_names_and_signatures_are_the_official_ones(api: NASBench) -> None:
    """The package needs TensorFlow, so that its signatures are written down here."""
    for name, expected in OFFICIAL.items():
        plain = [
            parameter.replace(annotation=inspect.Parameter.empty)
            for parameter in inspect.signature(getattr(NASBench, name)).parameters.values()
        ]
        assert str(inspect.Signature(plain)) == expected, name
    for name in ("config", "fixed_statistics", "computed_statistics", "valid_epochs", "history",
                 "training_time_spent", "total_epochs_spent"):  # fmt: skip
        assert hasattr(api, name), name
    spec = ModelSpec(SPACE.graph(7).adjacency, list(SPACE.graph(7).nodes))
    names = ("original_matrix", "original_ops", "matrix", "ops", "valid_spec", "data_format", "hash_spec", "visualize")
    assert all(hasattr(spec, name) for name in names)
    assert list(inspect.signature(ModelSpec).parameters) == ["matrix", "ops", "data_format"]
    assert inspect.signature(ModelSpec).parameters["data_format"].default == "channels_last"
    assert list(inspect.signature(ModelSpec.hash_spec).parameters) == ["self", "canonical_ops"]


def test_a_changed_file_is_converted_again(tmp_path: Path) -> None:
    path = tmp_path / "changing.tfrecord"
    assert len(NASBench(write(path, records(SPACE, [1], (108,), np.random.default_rng(2)))).hash_iterator()) == 1
    api = NASBench(write(path, records(SPACE, [1, 2], (108,), np.random.default_rng(2))))
    assert len(api.hash_iterator()) == 2
    kept = api.table.path
    made = kept.stat().st_mtime_ns
    assert len(NASBench(path).hash_iterator()) == 2
    assert kept.stat().st_mtime_ns == made
    kept.unlink()
    kept.write_bytes(b"what a full disk or another version left")
    assert len(NASBench(path).hash_iterator()) == 2


def test_a_home_that_cannot_be_written_is_one_clear_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASGAUGE_HOME", str(file / "home"))
    with pytest.raises(MissingFile, match=r"cannot be converted to .*\$NASGAUGE_HOME"):
        NASBench(file)


def test_a_converted_table_opens_too_and_others_are_refused(api: NASBench, tmp_path: Path) -> None:
    assert list(NASBench(api.table.path).hash_iterator()) == list(api.hash_iterator())
    bare = next(column for column in columns_from_nasbench(api) if column.metric == "train_seconds")
    other = write_table(tmp_path / "other.h5", [bare], name="other", space="cells101", licence="CC0")
    with pytest.raises(BadFile, match="not converted"):
        NASBench(other)
    with pytest.raises(MissingFile):
        NASBench(tmp_path / "nowhere.tfrecord")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(BadFile, match=r"neither a \.tfrecord"):
        NASBench(tmp_path / "notes.txt")


@settings(max_examples=5)
@given(
    archs=st.sets(st.integers(0, SPACE.size - 1), min_size=1, max_size=4), seed=st.integers(0, 2**32), data=st.data()
)
def test_generated_cells_and_trial_sets(
    archs: set[int], seed: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rng = np.random.default_rng(seed)
    budgets = data.draw(st.sets(st.sampled_from((4, 12, 36, 108)), min_size=1, max_size=2))
    made = [each for each in records(SPACE, sorted(archs), sorted(budgets), rng) if rng.random() < 0.8]
    if made:
        folder = tmp_path_factory.mktemp("generated")
        converted = convert_nasbench(write(folder / "file", made), folder / "table.h5")
        fixed, computed = expected(made)
        api = NASBench(converted.path)
        assert dict(api.computed_statistics) == computed
        assert same(dict(api.fixed_statistics), fixed)


def test_an_open_object_gives_the_same_columns(api: NASBench, tmp_path: Path) -> None:
    opened = SimpleNamespace(
        fixed_statistics=dict(api.fixed_statistics), computed_statistics=dict(api.computed_statistics)
    )
    path = write_table(tmp_path / "o.h5", columns_from_nasbench(opened), name="o", space="cells101", licence="CC0")
    ours, theirs = api.table, Table(path)
    paths = {entry.path for entry in theirs.entries if entry.kind == "runs"}
    assert paths == {entry.path for entry in ours.entries if entry.kind == "runs" and "total_seconds" not in entry.path}
    for each in (*paths, "any/static/_official_cell/static", "any/static/_official_hash_low/static"):
        assert np.array_equal(ours.read(each), theirs.read(each), equal_nan=True), each
    with pytest.raises(BadValue, match="no nasbench object"):
        list(columns_from_nasbench(object()))
