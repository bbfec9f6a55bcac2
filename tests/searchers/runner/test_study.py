"""A study file asks for a whole comparison, says where it is wrong, and reproduces the run it lies in."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.benchmark import Benchmark
from nasgauge.bench.errors import BadFile, BadValue, MissingFile, NasgaugeError
from nasgauge.searchers import SEARCHERS, Recipe, Run, evolution, random, recipe, warm_start
from nasgauge.searchers.random_search import RandomSearch
from nasgauge.searchers.runner.experiment import compare
from nasgauge.searchers.runner.plan import Plan, Task
from nasgauge.searchers.runner.run import MEASURED
from nasgauge.searchers.runner.study import Study, parse_limit
from nasgauge.searchers.runner.study_text import study_text
from nasgauge.searchers.runner.toml_lines import line_of

WHOLE = """\
# everything a study can say
benchmark = "{table}"
datasets = ["cifar10"]
seconds = 400
queries = 20
seeds = 12
base_seed = 7
budget = 12
report_budget = 200
budgets = [12, 200]
trial = "mean"
count_last = false
workers = 3
mode = "sync"
resume = true
objective2 = "latency_ms:phone"
limit = "latency_ms:phone<=2.5"

[[searchers]]
name = "evolution"
preset = "nb201"
label = "small population"
[searchers.settings]
population = 4

[[searchers]]
name = "random"

[[searchers]]
class = "nasgauge.searchers.random_search:RandomSearch"
label = "a class of one's own"
settings = {{ replace = false }}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text)
    return path


def numbers(run: Run) -> pd.DataFrame:
    return run.records().drop(columns=[*MEASURED]).astype({"dataset": str, "searcher": str})


def test_a_study_asks_what_the_same_call_asks_and_its_run_reproduces_itself(
    toy: Benchmark, toy_path: Path, tmp_path: Path
) -> None:
    study = Study.read(written(tmp_path, WHOLE.format(table=toy_path)))
    first = study.run(tmp_path / "first", jobs=1)
    recipes = [
        evolution(label="small population", population=4), random(),
        Recipe("RandomSearch", RandomSearch, {"replace": False}, "a class of one's own"),
    ]  # fmt: skip
    call = compare(
        toy, recipes, tmp_path / "call", datasets=["cifar10"], seconds=400, queries=20, seeds=12, base_seed=7,
        budget=12, report_budget=200, budgets=[12, 200], count_last=False, workers=3, mode="sync", resume=True,
        objective2="latency_ms:phone", constraint=("latency_ms:phone", 2.5), jobs=1,
    )  # fmt: skip
    again = Study.read(first.folder / "study.toml").run(tmp_path / "again", jobs=2)
    for other in (call, again):
        pd.testing.assert_frame_equal(numbers(first), numbers(other))
        assert {**other.config, "started": ""} == {**first.config, "started": ""}
    assert (again.folder / "study.toml").read_text() == (first.folder / "study.toml").read_text()


def made_by_name() -> list[Recipe]:
    named = [recipe(name) for name in SEARCHERS]
    presets = [
        "evolution:nb101",
        "evolution:area",
        "local-search:naszilla",
        "bohb:nats",
        "warm-start:optuna:TPESampler",
    ]
    return [*named, *map(recipe, presets), warm_start(evolution(population=3), kept=5, label="warm"),
            evolution("nb101", population=12, label='quotes " and = and [[brackets]] \\ ü')]  # fmt: skip


@pytest.mark.parametrize("made", made_by_name(), ids=lambda made: made.label)
def test_every_searcher_is_written_and_read_whole(toy: Benchmark, tmp_path: Path, made: Recipe) -> None:
    plan = Plan((Task("cifar10", 12, 200, (12, 200)),), (made,), None, 9, 3)
    (again,) = Study.read(written(tmp_path, study_text(toy, plan))).recipes
    assert (again.name, dict(again.settings), again.label, again.preset, again.key) == (
        made.name, dict(made.settings), made.label, made.preset, made.key,
    )  # fmt: skip


MISTAKES = [
    ("seeds = 12", "sedes = 12", 6, "unknown key 'sedes'; did you mean 'seeds'?"),
    ("seeds = 12", 'seeds = "12"', 6, "seeds = '12'; it is a whole number"),
    ("seeds = 12", "seeds = true", 6, "seeds = True; it is a whole number"),
    ("seeds = 12", "seeds = 0", 6, "a whole number of at least 1"),
    ("seconds = 400", "seconds = -1", 4, "positive number"),
    ("seconds = 400", "seconds = 1", 4, "so none fits"),
    ('["cifar10"]', '["cifar11"]', 3, "did you mean 'cifar10'?"),
    ('["cifar10"]', '"cifar10"', 3, "it is a list of texts"),
    ("[12, 200]", '["12"]', 10, "it is a list of whole numbers"),
    ('trial = "mean"', 'trial = "meen"', 11, "legal: 'mean'"),
    ("workers = 3", "workers = 0", 13, "at least 1"),
    ('"sync"', '"asink"', 14, "legal: 'async'"),
    ("count_last = false", 'count_last = "no"', 12, "it is true or false"),
    ('objective2 = "latency_ms:phone"', 'objective2 = "latency_ms:fone"', 16, "did you mean 'latency_ms:phone'?"),
    ("<=2.5", "<2.5", 17, "written METRIC<=NUMBER"),
    ("<=2.5", "<=0.5", 17, "no architecture meets it"),
    ("latency_ms:phone<=2.5", "latency_ms:fone<=2.5", 17, "did you mean 'latency_ms:phone'?"),
    ('name = "evolution"', 'name = "evolutoin"', 20, "did you mean 'evolution'?"),
    ('preset = "nb201"', 'preset = "nb202"', 21, "unknown preset"),
    ("population = 4", "populaton = 4", 24, "did you mean 'population'?"),
    ("population = 4", "population = 0", 24, "population=0"),
    ('name = "random"', 'nam = "random"', 27, "did you mean 'name'?"),
    ('name = "random"', "name = 3", 27, "it is a text in quotes"),
    ("[[searchers]]\nname = \"random\"", "[[searchers]]\nlabel = \"x\"", 26, "either a name or a class"),
    (":RandomSearch", ":RandomSerch", 30, "cannot be imported"),
    ("nasgauge.searchers.random_search:RandomSearch", "__main__:Mine", 30, "defined in a script or a notebook"),
    ("replace = false", "replase = false", 32, "did you mean 'replace'?"),
    ("queries = 20", "queries = 20 30", 5, "not TOML"),
    ('"random"\n', '"random"\npopulation = 3\n', 28, "go below settings"),
    ("base_seed = 7", "base_seed = -7", 7, "a whole number of at least 0"),
    ('["cifar10"]', '["cifar10", "cifar10"]', 3, "one is named twice"),
    ("budget = 12", "budget = 13", 8, "no 'valid_accuracy' on 'cifar10' from runs of 13 epochs"),
    ("[12, 200]", "[12, 100]", 10, "from runs of 100 epochs"),
    ("report_budget = 200", "report_budget = 100", 9, "from runs of 100 epochs"),
    ("population = 4", 'population = "4"', 24, "it is a whole number"),
    ("population = 4", "population = 4.5", 24, "it is a whole number"),
    ("population = 4", "replace = 1", 24, "it is true or false"),
    ('name = "random"', 'name = "best-of"', 27, "needs scores of proxies"),
    ('name = "random"', 'name = "optuna"\npreset = "TPSampler"', 28, "did you mean 'TPESampler'?"),
    ('name = "random"', 'name = "optuna"\nsettings = { multivariat = true }', 28, "did you mean 'multivariate'?"),
    ("resume = true", 'resume = true\nscores = "none.csv"', 16, "no scores at"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "line", "words"), MISTAKES, ids=[mistake[1] for mistake in MISTAKES])
def test_a_mistake_points_to_its_line(
    toy_path: Path, tmp_path: Path, right: str, wrong: str, line: int, words: str
) -> None:
    text = WHOLE.format(table=toy_path)
    assert text.count(right) >= 1
    path = written(tmp_path, text.replace(right, wrong, 1))
    with pytest.raises(NasgaugeError) as raised:
        Study.read(path).run(tmp_path / "run", jobs=1)
    assert f"line {line}" in str(raised.value), raised.value
    assert words in str(raised.value)
    assert str(path) in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_a_list_of_names_will_do_and_a_mistake_in_it_is_found(toy_path: Path, tmp_path: Path) -> None:
    text = f'benchmark = "{toy_path}"\nqueries = 3\nseeds = 1\nsearchers = [\n  "random",\n  "evolution:nb101",\n]\n'
    study = Study.read(written(tmp_path, text))
    assert [each.label for each in study.recipes] == ["random", "evolution:nb101"]
    with pytest.raises(BadFile, match=r"study.toml line 6: unknown searcher 'evolutoin'"):
        Study.read(written(tmp_path, text.replace("evolution:nb101", "evolutoin")))
    with pytest.raises(NasgaugeError, match=r"study.toml line 6: unknown sampler of Optuna .TPSampler."):
        Study.read(written(tmp_path, text.replace("evolution:nb101", "optuna:TPSampler"))).run(tmp_path / "run")
    several = text.replace(str(toy_path), f"{toy_path}+nats-tsss")
    with pytest.raises(NasgaugeError, match=r"study.toml line 1: .*nats-tsss"):
        Study.read(written(tmp_path, several)).open()
    inline = text.replace('"evolution:nb101"', '{ name = "evolution", settings = { torunament = 2 } }')
    with pytest.raises(BadFile, match=r"study.toml line 6: unknown setting .* did you mean 'tournament'"):
        Study.read(written(tmp_path, inline))


def test_paths_in_a_study_count_from_its_folder(toy_path: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    shutil.copy(toy_path, tmp_path / "there" / "mine.h5")
    (tmp_path / "there" / "scores.csv").write_text("id,synflow,seconds\n0,1.0,0.5\n")
    text = 'benchmark = "mine.h5"\nscores = "scores.csv"\nqueries = 3\nseeds = 1\nsearchers = ["random"]\n'
    run = Study.read(written(tmp_path / "there", text)).run(tmp_path / "run", jobs=1)
    again = Study.read(run.folder / "study.toml")
    assert again.benchmark == str((tmp_path / "there" / "mine.h5").resolve())
    assert again.keywords["scores"] == str((tmp_path / "there" / "scores.csv").resolve())
    pd.testing.assert_frame_equal(numbers(again.run(tmp_path / "again", jobs=1)), numbers(run))


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no study at"):
        Study.read(tmp_path / "study.toml")
    with pytest.raises(BadFile, match="names at least benchmark and searchers"):
        Study.read(written(tmp_path, 'benchmark = "nats-tss"\n'))
    (tmp_path / "study.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="unreadable"):
        Study.read(tmp_path / "study.toml")


@pytest.mark.parametrize("wrong", ["flops", "flops_millions<50", "flops_millions<=many", "<="])
def test_a_limit_is_a_metric_and_a_number(wrong: str) -> None:
    assert parse_limit("flops_millions <= 5e1") == ("flops_millions", 50.0)
    with pytest.raises(BadValue, match="METRIC<=NUMBER"):
        parse_limit(wrong)


names = st.sampled_from(["alpha", "beta", "gamma"])


@given(
    st.dictionaries(names, st.integers(0, 9), max_size=3),
    st.lists(st.dictionaries(names, st.integers(0, 9)), max_size=4),
)
def test_the_line_of_a_key_is_the_line_where_it_stands(top: dict[str, int], tables: list[dict[str, int]]) -> None:
    """Every line ``key = value`` of a document is found again by the way to its value."""
    lines = [f"{key} = {value}" for key, value in top.items()]
    places: list[tuple[tuple[str | int, ...], int]] = [((key,), at) for at, key in enumerate(top, 1)]
    for index, table in enumerate(tables):
        lines.append("[[items]]  # a table")
        for key, value in table.items():
            lines.append(f"  {key}={value}")
            places.append((("items", index, key), len(lines)))
        lines += ["", "[items.below]", "deep = 1"]
        places.append((("items", index, "below", "deep"), len(lines)))
    text = "\n".join(lines)
    tomllib.loads(text)
    assert [line_of(text, place) for place, _ in places] == [line for _, line in places]
