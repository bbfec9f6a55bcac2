"""The drop-in beside the real packages on made-up contents: same answers, errors, draws, texts and signatures."""

from __future__ import annotations

import bz2
import contextlib
import copy
import importlib
import inspect
import pickle
import random
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nasgauge.bench.errors import BadFile
from nasgauge.bench.spaces import space
from nasgauge.bench.spaces.topology import OPERATIONS
from nasgauge.data import official
from nasgauge.data.official.source import texts
from nasgauge.data.official.warn import OfficialTrap, say_again

from .conftest import SETS, Choices, made_up, outcome, pth_content, same, write_nats, write_pth

SEEDS = (111, 777, 888, 999)
TEXTS = {name: [space(name).text(arch) for arch in range(3)] for name in ("topology", "size")}
seed_sets = st.fixed_dictionaries({name: st.sets(st.sampled_from(SEEDS), max_size=3) for name in SETS})
choices = st.builds(
    Choices,
    numbers=st.integers(0, 2**31),
    seeds=st.tuples(seed_sets, seed_sets).filter(lambda each: all(any(one.values()) for one in each)),
    train_times=st.booleans(),
    eval_times=st.sampled_from(("vary", "constant", "none")),
    last_only=st.sampled_from(((), ("x-valid", "x-test"), ("ori-test",))),
    latency=st.booleans(),
    costs_differ=st.booleans(),
    nan_loss=st.booleans(),
)
Pair = Callable[[dict[str, Any], Path], tuple[Any, list[Any]]]


def nats_tss(content: dict[str, Any], folder: Path) -> tuple[Any, list[Any]]:
    api = pytest.importorskip("nats_bench")
    path = str(write_nats(content, folder))
    ours = [official.create(where, "tss", verbose=False) for where in (content, path)]
    return api.create(path, "tss", verbose=False), ours


def nats_sss(content: dict[str, Any], folder: Path) -> tuple[Any, list[Any]]:
    api = pytest.importorskip("nats_bench")
    path = str(write_nats(content, folder))
    ours = [official.create(where, "sss", verbose=False) for where in (content, path)]
    return api.create(path, "sss", verbose=False), ours


def nb201(content: dict[str, Any], folder: Path) -> tuple[Any, list[Any]]:
    pytest.importorskip("torch")
    api = pytest.importorskip("nas_201_api")
    path = write_pth(content, folder)
    ours = [official.NASBench201API(where, verbose=False) for where in (pth_content(path), path)]
    return api.NASBench201API(str(path), verbose=False), ours


def calls(api: Any) -> list[tuple[str, dict[str, Any]]]:
    """Questions of every kind, legal and not; those of NATS alone by name."""
    nats = "nats" in type(api).__module__
    asked: list[tuple[str, dict[str, Any]]] = [("len", {}), ("avaliable_hps", {}), ("random", {}), ("used_time", {})]
    hp_keys = list(api.arch2infos_dict[0])
    for dataset in (*SETS, "mnist"):
        for hp in (*hp_keys, "77", 12):
            asked += [("statistics", {"dataset": dataset, "hp": hp})]
            for name in ("valid", "test", "train", "x-valid", "ori-test"):
                asked.append(("find_best", {"dataset": dataset, "metric_on_set": name, "hp": hp}))
            for arch in (0, 1, 2, 5, -1, TEXTS["topology"][1], "nope"):
                asked += [
                    ("simulate_train_eval", {"arch": arch, "dataset": dataset, "hp": hp}),
                    ("get_cost_info", {"index": arch, "dataset": dataset, "hp": hp}),
                    ("get_latency", {"index": arch, "dataset": dataset, "hp": hp}),
                    ("get_more_info", {"index": arch, "dataset": dataset, "hp": hp}),
                ]
            for arch in (0, 1):
                for iepoch in (None, 0, 4, 5, -1):
                    for which in (True, False, 777, 5, "x"):
                        asked.append(("get_more_info", {"index": arch, "dataset": dataset, "iepoch": iepoch, "hp": hp,
                                                        "is_random": which}))  # fmt: skip
                    if nats:
                        asked.append(("simulate_train_eval", {"arch": arch, "dataset": dataset, "iepoch": iepoch,
                                                              "hp": hp}))  # fmt: skip
                asked += [
                    ("dataset_seeds", {"arch_index": arch, "hp": hp, "dataset": dataset}),
                    ("total_epochs", {"arch_index": arch, "hp": hp, "dataset": dataset}),
                    ("ArchResults.get_latency", {"arch_index": arch, "hp": hp, "dataset": dataset}),
                    ("get_net_param", {"index": arch, "dataset": dataset, "seed": None, "hp": hp}),
                    ("get_net_param", {"index": arch, "dataset": dataset, "seed": 777, "hp": hp}),
                ]
                asked += [("ArchResults.get_metrics", {"arch_index": arch, "hp": hp, "dataset": dataset,
                                                       "setname": name, "iepoch": None, "is_random": which})
                          for name in ("train", "valid", "x-valid", "x-test", "ori-test", "test")
                          for which in (True, False, 777)]  # fmt: skip
        asked += [("get_net_config", {"index": arch, "dataset": dataset}) for arch in (0, 9)]
    asked += [("query_info_str_by_arch", {"arch": arch, "hp": hp}) for arch in (0, 1, "nope") for hp in (*hp_keys, 12)]
    asked += [("query_by_arch", {"arch": 0, "hp": "12"}), ("arch", {"index": 1}), ("arch", {"index": -1})]
    return asked


@pytest.mark.parametrize(("pair", "name"), [(nats_tss, "topology"), (nats_sss, "size"), (nb201, "topology")])
@settings(max_examples=4, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck))
@given(choices=choices)
def test_the_same_answers_and_draws(pair: Pair, name: str, choices: Choices) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = pair(made_up(TEXTS[name], choices), Path(folder))
        for mine in ours:
            random.seed(7)
            theirs.reset_time()
            start = random.getstate()
            for call, args in calls(theirs):
                random.setstate(start)
                expected = outcome(theirs, call, args)
                after = random.getstate()
                random.setstate(start)
                found = outcome(mine, call, args)
                assert found[0] == expected[0] and same(found[1], expected[1]), (call, args, found, expected)
                if expected[0] == "answer":
                    assert random.getstate() == after, (call, args)
                start = after


@pytest.mark.parametrize(("pair", "name"), [(nats_tss, "topology"), (nats_sss, "size"), (nb201, "topology")])
def test_objects_of_results(pair: Pair, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theirs, ours = pair(made_up(TEXTS[name], Choices()), tmp_path)
    for mine in ours:
        for hp in theirs.arch2infos_dict[1]:
            expected, found = theirs.query_by_index(1, hp=hp), mine.query_by_index(1, hp=hp)
            assert repr(found) == repr(expected)
            assert found.arch_idx_str() == expected.arch_idx_str()
            assert found.get_dataset_names() == expected.get_dataset_names()
            expected.debug_test()
            printed = capsys.readouterr().out
            found.debug_test()
            assert capsys.readouterr().out == printed
            for dataset in SETS:
                trials = mine.query_by_index(1, dataset, hp=hp)
                for seed, trial in theirs.query_by_index(1, dataset, hp=hp).items():
                    for ask in (repr, lambda one: one.get_times(), lambda one: one.get_train(1),
                                lambda one: one.get_eval("ori-test"), lambda one: one.get_latency(),
                                lambda one: one.get_config(None), lambda one: one.get_config(len),
                                lambda one: one.get_total_epoch(), lambda one: one.get_eval_set(),
                                lambda one: one.get_net_param(), lambda one: one.train_times,
                                lambda one: one.eval_acc1es, lambda one: one.state_dict()):  # fmt: skip
                        assert same(ask(trials[seed]), ask(trial))
            assert same(found.state_dict(), expected.state_dict())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for index in (0, 2, 99):
                theirs.show(index)
                printed = capsys.readouterr().out
                mine.show(index)
                assert capsys.readouterr().out == printed
            theirs.query_info_str_by_arch("nope")
            printed = capsys.readouterr().out
            mine.query_info_str_by_arch("nope")
            assert capsys.readouterr().out == printed


@pytest.mark.parametrize("pair", [nats_tss, nb201])
def test_changing_an_object_changes_the_answers(pair: Pair, tmp_path: Path) -> None:
    theirs, ours = pair(made_up(TEXTS["topology"], Choices()), tmp_path)
    for api in (theirs, *ours):
        api.query_by_index(0, hp="200").reset_latency("cifar10", None, 5.0)
        assert api.get_latency(0, "cifar10", "200") < 1
        api.arch2infos_dict[0]["200"].reset_latency("cifar10", None, 5.0)
        api.arch2infos_dict[0]["200"].reset_pseudo_train_times("cifar10", None, 2.0)
        assert api.get_latency(0, "cifar10", "200") == 5.0
        assert api.get_more_info(0, "cifar10", None, "200", False)["train-all-time"] == 10.0
        api.clear_params(0)
        api.clear_params(0, "200")


@settings(max_examples=60)
@given(archs=st.lists(st.integers(0, 15_624), min_size=1, max_size=5), shuffled=st.permutations(OPERATIONS))
def test_texts_of_cells_are_taken_apart_alike(archs: list[int], shuffled: list[str]) -> None:
    nats_bench = pytest.importorskip("nats_bench")
    theirs, ours = [nats_bench.NATStopology], [official.NATStopology]
    with contextlib.suppress(ImportError):
        theirs.append(importlib.import_module("nas_201_api").NASBench201API)
        ours.append(official.NASBench201API)
    of = space("topology")
    for their, mine in zip(theirs, ours, strict=True):
        for text in map(of.text, archs):
            assert mine.str2lists(text) == their.str2lists(text)
            assert (mine.str2matrix(text) == their.str2matrix(text)).all()
            assert mine.str2matrix(text).dtype == their.str2matrix(text).dtype
            assert (mine.str2matrix(text, shuffled) == their.str2matrix(text, shuffled)).all()


def test_isomorphic_cells_share_a_text_as_officially(tmp_path: Path) -> None:
    pytest.importorskip("nats_bench")
    texts = [space("topology").text(arch) for arch in range(300)]
    path = str(write_nats(made_up(texts, Choices(lengths={"12": 1, "200": 1})), tmp_path))
    theirs = pytest.importorskip("nats_bench").create(path, "tss", verbose=False)
    ours = official.create(path, "tss", verbose=False)
    for arch in range(300):
        assert ours.get_unique_str(arch) == theirs.get_unique_str(arch)
    assert ours.get_unique_str(texts[7]) == theirs.get_unique_str(texts[7])


def public(cls: type) -> dict[str, Any]:
    return {name: getattr(cls, name) for name in dir(cls) if not name.startswith("_")}


@pytest.mark.parametrize("name", ["NATStopology", "NATSsize", "ArchResults", "ResultsCount", "NASBench201API"])
def test_names_and_signatures(name: str) -> None:
    if name == "NASBench201API":
        pytest.importorskip("torch")
    package = pytest.importorskip("nas_201_api" if name == "NASBench201API" else "nats_bench")
    theirs, ours = public(getattr(package, name)), public(getattr(official, name))
    assert theirs.keys() <= ours.keys()
    assert_signature(getattr(package, name), getattr(official, name))
    for method in theirs:
        if callable(theirs[method]):
            assert_signature(theirs[method], ours[method])
        assert isinstance(ours[method], property) == isinstance(theirs[method], property), method


@pytest.mark.parametrize(("pair", "name"), [(nats_tss, "topology"), (nats_sss, "size"), (nb201, "topology")])
def test_attributes_of_objects(pair: Pair, name: str, tmp_path: Path) -> None:
    """By introspection of open objects: what the constructors set, too."""
    theirs, ours = pair(made_up(TEXTS[name], Choices()), tmp_path)

    def attributes(one: Any) -> set[str]:
        return {each for each in {*dir(one), *vars(one)} if not each.startswith("_")}

    for mine in ours:
        assert attributes(theirs) <= attributes(mine)
        assert sorted(mine.avaliable_hps) == sorted(
            theirs.avaliable_hps
        )  # lists of a set: any order, anew in each process
        for each in ("meta_archs", "archstr2index", "evaluated_indexes", "verbose", "used_time"):
            if hasattr(theirs, each):
                assert same_plainly(getattr(mine, each), getattr(theirs, each)), each
        expected, found = theirs.query_by_index(1, hp="12"), mine.query_by_index(1, hp="12")
        assert attributes(expected) <= attributes(found)
        for each in ("arch_index", "arch_str", "dataset_seed", "clear_net_done"):
            assert getattr(found, each) == getattr(expected, each)
        trial = mine.query_by_index(1, "cifar10", hp="12")[777]
        for each in attributes(theirs.query_by_index(1, "cifar10", hp="12")[777]):
            assert hasattr(trial, each), each


def same_plainly(ours: Any, theirs: Any) -> bool:
    """Equal as what they hold, whatever kind of mapping or sequence it is."""
    if isinstance(theirs, dict):
        return dict(ours) == theirs
    return (list(ours) if isinstance(theirs, list) else ours) == theirs


def test_names_of_the_packages() -> None:
    nats_bench = pytest.importorskip("nats_bench")
    left_out = {"pickle_load", "pickle_save", "test_api"}  # the first two execute what a file holds
    packages = [nats_bench]
    with contextlib.suppress(ImportError):
        packages.append(importlib.import_module("nas_201_api"))
    for package in packages:
        public_names = {name for name, value in vars(package).items() if name[0] != "_" and not inspect.ismodule(value)}
        names = public_names - {"Optional", "Text"}
        assert names - left_out <= set(dir(official)), package
        for name in names - left_out:
            theirs, ours = getattr(package, name), getattr(official, name)
            if inspect.isfunction(theirs):
                assert_signature(theirs, ours)
            elif not isinstance(theirs, type):
                assert ours == theirs
    assert official.version() == nats_bench.version()
    for main in ("nats-bench", "nas-bench-201", "nats"):
        for aux in (*nats_bench.NATS_BENCH_SSS_NAMEs, *nats_bench.NATS_BENCH_TSS_NAMEs, None, "x"):
            answers = []
            for package in (nats_bench, official):
                try:
                    answers.append(package.search_space_info(main, aux))
                except ValueError:
                    answers.append(ValueError)
            assert answers[0] == answers[1], (main, aux)


def assert_signature(theirs: Any, ours: Any) -> None:
    expected, found = inspect.signature(theirs).parameters, inspect.signature(ours).parameters
    assert [(one.name, one.kind) for one in found.values()] == [(one.name, one.kind) for one in expected.values()]
    for name, one in expected.items():
        default = found[name].default
        assert default == one.default or list(default) == list(one.default)


def test_traps_are_said_once(tmp_path: Path) -> None:
    content = made_up(TEXTS["topology"], Choices(last_only=("x-valid", "x-test"), costs_differ=True))
    api = official.create(content, "tss", verbose=False)
    say_again()

    def session() -> list[str]:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            api.get_more_info(0, "cifar10-valid")
            api.simulate_train_eval(0, "cifar100", iepoch=1, hp="200")
            api.get_cost_info(0, "cifar10", "12")
        return [str(one.message) for one in said if issubclass(one.category, OfficialTrap)]

    first = session()
    for words in ("hp was left", "is_random=True", "cifar10-valid", "ori-test", "seed 888"):
        assert sum(words in message for message in first) == 1
    assert len(first) == 5
    assert session() == []


COPIES = (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one)))


def test_a_copy_of_a_trial_survives_pickling(tmp_path: Path) -> None:
    _, ours = nats_tss(made_up(TEXTS["topology"], Choices()), tmp_path)
    for mine in ours:
        trial = mine.query_by_index(0, "cifar10", "12")[777]
        for again in COPIES:
            assert same(again(trial).state_dict(), trial.state_dict())


@pytest.mark.parametrize("pair", [nats_tss, nb201])
def test_an_object_that_was_asked_travels_to_other_processes(pair: Pair, tmp_path: Path) -> None:
    theirs, ours = pair(made_up(TEXTS["topology"], Choices()), tmp_path)
    questions = [("get_more_info", {"index": arch, "dataset": "cifar10", "iepoch": iepoch, "hp": "200",
                                    "is_random": False}) for arch in range(3) for iepoch in (None, 1)]  # fmt: skip
    for api in (theirs, *ours):
        api.arch2infos_dict[2]["200"].reset_pseudo_train_times("cifar10", None, 2.0)
        before = [outcome(api, *question) for question in questions]
        for again in COPIES:
            assert [outcome(again(api), *question) for question in questions] == before


def test_an_attribute_of_a_trial_can_be_deleted(tmp_path: Path) -> None:
    theirs, ours = nats_tss(made_up(TEXTS["topology"], Choices()), tmp_path)
    for api in (theirs, *ours):
        trial = api.query_by_index(0, "cifar10", "12")[777]
        del trial.net_state_dict
        assert not hasattr(trial, "net_state_dict")
        assert trial.get_train()["accuracy"] == theirs.query_by_index(0, "cifar10", "12")[777].get_train()["accuracy"]
        with pytest.raises(AttributeError):
            del trial.net_state_dict


@pytest.mark.parametrize("name", ["topology", "size"])
def test_texts_of_a_whole_space(name: str) -> None:
    of = space(name)
    assert texts(of, of.size) == [of.text(arch) for arch in range(of.size)]


def test_a_table_of_other_files_is_refused(toy_path: Path) -> None:
    with pytest.raises(BadFile, match="nasgauge convert"):
        official.create(str(toy_path), "tss", verbose=False)


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    file = str(write_nats(made_up(TEXTS["topology"], Choices()), tmp_path))
    for wrong in (
        lambda: official.create(file, "nope"),
        lambda: official.create(file, "tss", fast_mode=True, verbose=False),
        lambda: official.create(str(tmp_path), "tss", fast_mode=False, verbose=False),
        lambda: official.create(str(tmp_path / "absent"), "tss", verbose=False),
        lambda: official.create(3, "tss", verbose=False),
        lambda: official.create({"meta_archs": []}, "tss", verbose=False),
        lambda: official.create(file, "sss", verbose=False),
    ):
        with pytest.raises(ValueError):
            wrong()
    for wrong in (
        lambda: official.NASBench201API(str(tmp_path / "absent"), verbose=False),
        lambda: official.NASBench201API({"meta_archs": []}, verbose=False),
    ):
        with pytest.raises(AssertionError):
            wrong()


@pytest.mark.parametrize(("pair", "name"), [(nats_tss, "topology"), (nats_sss, "size"), (nb201, "topology")])
def test_numbers_of_other_types_than_int(pair: Pair, name: str, tmp_path: Path) -> None:
    """Indices may be whatever equals a key of a dictionary; a seed that is no int is refused."""
    theirs, ours = pair(made_up(TEXTS[name], Choices(eval_times="constant")), tmp_path)
    seeds = (777, 777.0, np.int64(777), np.bool_(True), None, "777")
    asked = [("get_more_info", {"index": 0, "dataset": "cifar10", "hp": "200", "is_random": seed}) for seed in seeds]
    for index in (1, 1.0, np.int64(1), np.float64(1), True, None):
        asked += [(call, {"index": index, "dataset": "cifar10"}) for call in ("get_cost_info", "get_latency")]
        asked += [("get_net_config", {"index": index, "dataset": "cifar10"}), ("arch", {"index": index})]
        asked += [("dataset_seeds", {"arch_index": index, "hp": "12", "dataset": "cifar10"})]
    for mine in ours:
        for call, args in asked:
            expected, found = outcome(theirs, call, args), outcome(mine, call, args)
            assert found[0] == expected[0] and same(found[1], expected[1]), (call, args, found, expected)


def test_fast_mode_loads_what_is_asked_about(tmp_path: Path) -> None:
    nats_bench = pytest.importorskip("nats_bench")
    content = made_up(TEXTS["topology"], Choices())
    folder = tmp_path / "NATS-tss-simple"
    folder.mkdir()
    meta = {**content, "arch2infos": None, "evaluated_indexes": set()}
    (folder / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(meta, 4)))
    for index in (0, 2):
        packed = bz2.compress(pickle.dumps(content["arch2infos"][index], 4))
        (folder / f"{index:06d}.pickle.pbz2").write_bytes(packed)
    apis = [package.create(str(folder), "tss", fast_mode=True, verbose=False) for package in (nats_bench, official)]
    for call, args in (
        ("avaliable_hps", {}),
        ("statistics", {"dataset": "cifar10", "hp": "200"}),
        ("get_more_info", {"index": 2, "dataset": "cifar10", "hp": "200", "is_random": False}),
        ("get_more_info", {"index": 0, "dataset": "cifar10", "hp": "200", "is_random": False}),
        ("avaliable_hps", {}),
        ("statistics", {"dataset": "cifar10", "hp": "200"}),
        ("find_best", {"dataset": "cifar10", "metric_on_set": "test", "hp": "200", "enforce_all": False}),
        ("find_best", {"dataset": "cifar10", "metric_on_set": "test", "hp": "200"}),
        ("get_more_info", {"index": 1, "dataset": "cifar10", "hp": "200", "is_random": False}),
        ("get_more_info", {"index": "nope", "dataset": "cifar10", "hp": "200"}),
        ("query_meta_info_by_index", {"arch_index": -1}),
        ("reload", {"archive_root": str(folder), "index": 0}),
        ("reload", {"archive_root": str(folder), "index": 1}),
        ("reload", {"archive_root": f"{folder}/", "index": 1}),
        ("reload", {"archive_root": str(folder / "absent"), "index": 0}),
    ):
        theirs, ours = (outcome(api, call, args) for api in apis)
        assert theirs[0] == ours[0] and same(ours[1], theirs[1]), (call, args, ours, theirs)
        assert apis[0].evaluated_indexes == apis[1].evaluated_indexes
        assert list(apis[0].arch2infos_dict) == list(apis[1].arch2infos_dict)
        assert repr(apis[0]) == repr(apis[1])
