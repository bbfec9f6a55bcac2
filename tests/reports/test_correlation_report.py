"""The page of a scoring run says what the scores are worth, from made-up scores; and nothing that they are not."""

from __future__ import annotations

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata, spearmanr, weightedtau

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.bench.run_folder import write_frame
from nasgauge.bench.spaces import space
from nasgauge.proxies.score_run import ARCHITECTURES, COLUMNS, ScoreRun
from nasgauge.reports.correlation import biases, correlation
from nasgauge.reports.correlation.analysis import Analysis
from nasgauge.reports.correlation.evidence import Evidence, evidence
from nasgauge.reports.correlation.first_cells import first_cells
from nasgauge.reports.correlation.measures import difference
from nasgauge.reports.correlation.sentences import alarms
from nasgauge.reports.correlation.worth import BEYOND, equal_trainings, expected_best
from nasgauge.reports.correlation_statistics import Ordered

SIZE = 15_625


def fields(name: str, **changes: Any) -> dict[str, Any]:
    """A proxy as run.json keeps it."""
    made = {"name": name, "cites": f"somebody, {name}", "kind": "network", "needs": ["images"],
            "direction": "higher", "per_class": True, "code": ""}  # fmt: skip
    return made | changes


def made_up(
    folder: Path, *, archs: int = 400, seeds: int = 2, proxies: int = 3, datasets: tuple[str, ...] = ("cifar10",),
    runs: bool = True, failing: int = 3, skip: tuple[int, ...] = (), metrics: tuple[str, ...] = (), **changes: Any,
) -> ScoreRun:  # fmt: skip
    """Scores of topology cells: proxy i is the truth's quality with noise that grows with i; a flat one; a failing one.

    Truth is made of FLOPs, quality and noise, so that there is something beyond size.
    """
    rng = np.random.default_rng(archs)
    topology = space("topology")
    ids = rng.permutation(topology.size)[:archs].astype(np.int64)
    classes = topology.canonical(ids)
    flops = topology.flops(classes) / 1e6
    ranks = np.argsort(np.argsort(flops)) / archs
    quality = np.random.default_rng(1).normal(size=topology.size)[classes]
    names = [f"proxy_{place}" for place in range(proxies)]
    config = {
        "kind": "score",
        "benchmark": {"name": "made-up", "title": "A made-up <table>", "licence": "CC0", "space": "topology",
                      "architectures": SIZE, "classes": 6_466, "sources": [], "table_sha256": {"made-up": "ab" * 32},
                      "description": "numbers that nobody measured", "sampling_law": "uniform over ids"},
        "sample": f"{archs:,} architectures, drawn uniformly over ids, without replacement", "ids": archs,
        "classes": len(np.unique(classes)), "ids_sha256": "cd" * 32,
        "proxies": [*(fields(name) for name in names), fields("flat", direction="lower"),
                    fields("breaking", per_class=False), fields("depth", kind="column", needs=[])],
        "combinations": [{"name": "both", "cites": "sum of ranks", "law": "rank_sum", "parts": [*names[:2]]}],
        "images": {"name": "cifar10", "source": "official", "sha256": "ef" * 32}, "batch": 64, "seeds": seeds,
        "base_seed": 0, "macro": None, "law": None, "device": "cpu", "archs_a_part": 50, "datasets": list(datasets),
        "mirrored": "proxies marked per_class score one network of each isomorphism class",
        "versions": {"nasgauge": "0.1.0"}, "git": None, "host": {"device": "cpu"}, "started": "2026-01-01T00:00:00",
        **changes,
    }  # fmt: skip
    run = ScoreRun.create(folder, config, ())
    write_frame(folder / ARCHITECTURES, pd.DataFrame({"id": ids, "class": classes}))
    columns = [pd.DataFrame({"id": ids, "seed": seed, "depth": np.round(3 * ranks), "depth_seconds": 1e-6})
               for seed in range(seeds)]  # fmt: skip
    write_frame(folder / COLUMNS, pd.concat(columns))
    for place, dataset in enumerate(datasets):
        write_frame(folder / f"truth-{dataset}.parquet", truth(ids, ranks, quality, place, runs, metrics))
    for seed in set(range(seeds)) - set(skip):
        draw = np.random.default_rng([seed, 7])
        unique = np.unique(classes)
        whose = np.random.default_rng(1).normal(size=topology.size)[unique]
        frame = pd.DataFrame({"id": unique, "seed": seed})
        for place, name in enumerate(names):
            frame[name] = whose + (0.5 + 1.5 * place) * draw.normal(size=len(unique))
            frame[f"{name}_seconds"], frame[f"{name}_own_seconds"] = 0.5, 0.1
            frame[f"{name}_error"] = pd.array([None] * len(unique), dtype="string")
        frame["flat"], frame["flat_seconds"] = 1.0, 0.5
        frame["both_seconds"], frame["shared_seconds"] = 0.7, 0.4
        run.write_part(f"class-s{seed:04d}-00000", frame)
        each = pd.DataFrame({"id": ids, "seed": seed, "breaking": draw.normal(size=archs), "breaking_seconds": 0.2})
        each["breaking_error"] = pd.array([None] * archs, dtype="string")
        each.loc[: failing - 1, ["breaking", "breaking_error"]] = [math.nan, "ValueError: it broke"]
        run.write_part(f"each-s{seed:04d}-00000", each)
    return run


def truth(
    ids: np.ndarray, ranks: np.ndarray, quality: np.ndarray, place: int, runs: bool, metrics: tuple[str, ...]
) -> pd.DataFrame:  # fmt: skip
    """Accuracies after 12 and 200 epochs, with two runs of the longer training, and what they cost."""
    rng = np.random.default_rng([place, 3])
    whole = 85 - 15 * place + 3 * ranks + quality
    columns: dict[str, Any] = {"id": ids}
    for metric in metrics or ("valid_accuracy", "test_accuracy"):
        several = whole + 0.5 * rng.normal(size=(2, len(ids)))
        several[1, ::5] = np.nan
        columns[f"{metric}@200"] = np.nanmean(several, axis=0)
        if runs:
            columns |= {f"{metric}@200:{seed}": values for seed, values in zip((777, 888), several, strict=True)}
    columns["valid_accuracy@12"] = whole - 10 + rng.normal(size=len(ids))
    columns["search_seconds@12"], columns["search_seconds@200"] = 200.0, 3_000.0
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ScoreRun:
    return made_up(tmp_path_factory.mktemp("scores") / "run", datasets=("cifar100", "cifar10"))


@pytest.fixture(scope="module")
def found(run: ScoreRun) -> Evidence:
    return evidence(run)


@pytest.fixture(scope="module")
def analysis(found: Evidence) -> Analysis:
    return Analysis.of(found, resamples=60)


def known(run: ScoreRun, name: str, dataset: str = "cifar10") -> tuple[np.ndarray, np.ndarray]:
    """Mean score over seeds and test accuracy, by other means than the report's."""
    wide = run.frame().pivot(index="id", columns="seed", values=name)
    truth = run.truth(dataset).set_index("id")["test_accuracy@200"]
    return wide.mean(axis=1, skipna=False).to_numpy(), truth.loc[wide.index].to_numpy()


def test_correlations_are_scipys_on_the_mean_over_seeds(run: ScoreRun, analysis: Analysis) -> None:
    main = analysis.found.main
    assert main.key == "cifar10:test_accuracy"  # the data set of the images, though it is not the first
    for name in ("proxy_0", "proxy_2", "both", "depth"):
        x, y = known(run, name)
        for statistic, call in (("kendall", kendalltau), ("spearman", spearmanr), ("weighted", weightedtau)):
            measure = analysis.measured.of(name, main, statistic)
            assert measure is not None
            assert measure.estimate.value == pytest.approx(call(x, y).statistic, abs=1e-12)
            assert measure.estimate.low < measure.estimate.value < measure.estimate.high
    best = known(run, "proxy_1")[1]
    top = best >= np.sort(best)[-40]
    expected = kendalltau(known(run, "proxy_1")[0][top], best[top]).statistic
    assert analysis.measured.value("proxy_1", main, "kendall", "top 10 %") == pytest.approx(expected, abs=1e-12)


def test_single_seeds_are_told_apart(run: ScoreRun, analysis: Analysis) -> None:
    frame, truth = run.frame(), run.truth("cifar10").set_index("id")["test_accuracy@200"]
    measure = analysis.measured.of("proxy_1", analysis.found.main, "kendall")
    assert measure is not None
    for seed, tau in enumerate(measure.seeds):
        rows = frame[frame["seed"] == seed]
        assert tau == pytest.approx(kendalltau(rows["proxy_1"], truth.loc[rows["id"]]).statistic, abs=1e-12)
    assert len(measure.seeds) == 2
    assert measure.seeds[0] != measure.seeds[1]
    regret = analysis.measured.of("proxy_1", analysis.found.main, "regret", "first 10")
    assert regret is not None
    assert len(regret.seeds) == 2


def test_ceiling_and_cheap_training_stand_on_the_same_axis(run: ScoreRun, analysis: Analysis) -> None:
    truth, main = run.truth("cifar10"), analysis.found.main
    runs = truth[["test_accuracy@200:777", "test_accuracy@200:888"]].dropna()
    assert analysis.measured.value("two trainings", main, "kendall") == pytest.approx(
        kendalltau(*runs.to_numpy().T).statistic
    )
    assert analysis.measured.value("12 epochs", main, "kendall") == pytest.approx(
        kendalltau(truth["valid_accuracy@12"], truth["test_accuracy@200"]).statistic
    )


def test_baselines_are_there_unasked(found: Evidence) -> None:
    names = [each.name for each in found.scored]
    assert names[-4:] == ["depth", "params", "flops", "random"]
    flops, ids = found.named("flops"), found.ids
    assert flops is not None
    np.testing.assert_allclose(flops.values, space("topology").flops(ids) / 1e6)
    assert all(each.reference for each in found.scored[-4:])


def test_failures_are_counted_and_never_dropped(run: ScoreRun, analysis: Analysis) -> None:
    breaking = analysis.found.named("breaking")
    assert breaking is not None
    assert (breaking.failed, breaking.networks) == (6, 800)
    measure = analysis.measured.of("breaking", analysis.found.main, "kendall")
    assert measure is not None
    assert (measure.used, measure.missing) == (397, 3)
    words = " ".join(line for alarm in alarms(analysis) for line in (alarm.title, *alarm.lines))
    assert "6 scores failed with an error" in words
    assert "ValueError: it broke" in words
    assert "No correlation: flat" in words


def test_partial_correlation_is_that_of_residuals(run: ScoreRun, analysis: Analysis) -> None:
    found = analysis.found
    x, y = known(run, "proxy_0")
    ids = run.frame().pivot(index="id", columns="seed", values="proxy_0").index.to_numpy()
    topology = space("topology")
    given = np.array([np.ones(len(ids)), rankdata(topology.params(ids)), rankdata(topology.flops(ids))]).T
    left = [each - given @ np.linalg.lstsq(given, each, rcond=None)[0] for each in (rankdata(x), rankdata(y))]
    partial = analysis.partials["proxy_0"]
    assert partial.value == pytest.approx(np.corrcoef(left)[0, 1], abs=1e-9)
    assert partial.low < partial.value < partial.high
    assert "params" not in analysis.partials
    again = biases.partial(found.sizes()[0].values, found.main.values, [each.values for each in found.sizes()], 10)
    assert math.isnan(again.value)  # nothing is left of the size itself


@given(st.lists(st.integers(0, 5), min_size=12, max_size=60), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_resampled_partial_correlation_is_that_of_the_resample(values: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(values)
    columns = [np.array(values, float), rng.normal(size=n), rng.integers(0, 4, n).astype(float)]
    drawn = np.bincount(rng.integers(n, size=n), minlength=n)
    repeated = [np.repeat(each, drawn) for each in columns]
    r = np.corrcoef([rankdata(each) for each in repeated]) if min(map(np.std, repeated)) > 0 else None
    if r is None or max(r[0, 2] ** 2, r[1, 2] ** 2) > 0.999:
        return
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / math.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    weights = drawn[:, None].astype(np.float32)
    ordered = [Ordered(each) for each in columns]
    ranks = np.array([each.spread(each.mean_ranks(each.totals(weights))) for each in ordered])
    assert biases.weighted_partial(ranks, weights)[0] == pytest.approx(expected, abs=1e-6)


def test_bands_hold_a_tenth_each_and_know_nothing_of_size(found: Evidence) -> None:
    flops = found.named("flops")
    assert flops is not None
    taus, edges = biases.within_bands(found, found.main, flops)
    place = [each.name for each in found.scored].index("proxy_0")
    first = flops.values <= edges[0]
    assert abs(first.sum() - 40) < 30
    expected = kendalltau(found.scored[place].values[first], found.main.values[first]).statistic
    assert taus[place, 0] == pytest.approx(expected)
    assert (np.diff(edges) > 0).all()


def test_a_score_beats_itself_by_nothing(found: Evidence, analysis: Analysis) -> None:
    params = analysis.yardstick
    assert params.name == "params"
    same = difference(found, analysis.measured, params, params, 60)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    gain = analysis.gains["breaking"]  # of which three architectures are missing: params on the others only
    known_ = ~np.isnan(found.named("breaking").values)  # type: ignore[union-attr]
    tau = [kendalltau(each[known_], found.main.values[known_]).statistic
           for each in (found.named("breaking").values, params.values)]  # type: ignore[union-attr]  # fmt: skip
    assert gain.value == pytest.approx(tau[0] - tau[1])
    assert gain.low < gain.value < gain.high


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(1, 4))
@settings(max_examples=40)
def test_expected_best_is_the_mean_over_all_draws(values: list[int], draws: int) -> None:
    known_ = np.sort(np.array(values, float))
    every = [max(each) for each in product(known_, repeat=draws)]
    assert expected_best(known_, draws) == pytest.approx(np.mean(every))


@given(st.lists(st.integers(0, 99), min_size=2, max_size=40), st.integers(1, 60))
@settings(max_examples=40)
def test_equal_trainings_undo_the_expected_best(values: list[int], draws: int) -> None:
    known_ = np.sort(np.array(values, float))
    draws = min(draws, BEYOND * len(known_))
    found = equal_trainings(known_, expected_best(known_, draws))
    assert found <= draws
    assert expected_best(known_, int(found)) >= expected_best(known_, draws)
    assert equal_trainings(known_, known_[-1] + 1) == math.inf
    assert math.isnan(equal_trainings(known_, math.nan))


def test_what_a_score_costs_counts_networks_once(run: ScoreRun, analysis: Analysis) -> None:
    worth = analysis.worths["proxy_0"]
    classes = len(set(run.architectures()["class"]))
    assert worth.seconds == pytest.approx(0.5 * classes)
    assert worth.trainings == pytest.approx(0.5 * classes / 3000)
    assert analysis.worths["breaking"].seconds == pytest.approx(0.2 * 400)
    assert analysis.worths["12 epochs"].seconds == pytest.approx(200 * 400)


def test_one_a_class_takes_the_mean_truth_of_members(run: ScoreRun, analysis: Analysis) -> None:
    frame = run.frame().query("seed == 0").merge(run.truth("cifar10"), on="id")
    means = frame.groupby("class").agg(score=("depth", "first"), truth=("test_accuracy@200", "mean"))
    expected = kendalltau(means["score"], means["truth"]).statistic
    assert analysis.measured.per_class["depth", analysis.found.main.key] == pytest.approx(expected)


def test_the_page_says_what_was_found(run: ScoreRun) -> None:
    made = correlation(run, resamples=60)
    page = made.html()
    assert made.title == "6 scores of made-up against accuracy"
    for words in (
        "proxy_0 orders best", "of 6 proxies order better than params", "12 epochs of training",
        "A made-up &lt;table&gt;", "lower is better, negated here", "one network a class",
        "327 classes among 400", "Among the best tenth", "know more than the size of a network", "noise ceiling",
        "nasgauge score made-up", "sha256 " + "ef" * 32,
    ):  # fmt: skip
        assert words in page, words
    assert "Incomplete:" not in page
    assert set(made.figures) == {"agreement", "first", "scatter", "bands", "between"}
    assert set(made.tables) == {"correlations", "against-size", "between", "costs", "scores", "bands"}
    assert page.count(space("topology").text(int(run.architectures()["id"][0]))) == 1  # of 80 views that name it
    rows = made.tables["correlations"]
    assert set(rows["truth"]) == {"test_accuracy", "valid_accuracy"}
    assert set(rows["dataset"]) == {"cifar10", "cifar100"}
    assert {"all", "top 10 %", "first 10"} <= set(rows["among"])


def test_the_same_folder_gives_the_same_numbers(run: ScoreRun, analysis: Analysis) -> None:
    again = Analysis.of(evidence(ScoreRun(run.folder)), resamples=60)
    for name, table in analysis.tables().items():
        pd.testing.assert_frame_equal(again.tables()[name], table)


def test_an_unfinished_run_is_reported_as_such(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", archs=60, seeds=2, skip=(1,), failing=0)
    found = evidence(run)
    assert found.seeds == (0,)
    assert found.missing == 60
    analysis = Analysis.of(found, resamples=10)
    assert "Incomplete: 60 score rows missing" in [alarm.title for alarm in alarms(analysis)]


def test_what_cannot_be_reported_is_refused(tmp_path: Path) -> None:
    bare = made_up(tmp_path / "bare", archs=30, datasets=())
    with pytest.raises(MissingFile, match="no ground truth"):
        evidence(bare)
    empty = made_up(tmp_path / "empty", archs=30, seeds=1, skip=(0,))
    (empty.folder / COLUMNS).unlink()
    with pytest.raises(MissingFile, match="no architecture that all proxies"):
        evidence(empty)
    config = json.loads((bare.folder / "run.json").read_text()) | {"kind": "compare"}
    (bare.folder / "run.json").write_text(json.dumps(config))
    with pytest.raises(BadFile, match="not of scores"):
        ScoreRun(bare.folder)


def test_a_truth_without_single_runs_or_test_accuracy_has_no_ceiling(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", archs=60, seeds=1, runs=False, metrics=("valtest_accuracy",))
    found = evidence(run)
    assert [truth.metric for truth in found.truths] == ["valtest_accuracy"]
    measured = Analysis.of(found, resamples=10).measured
    assert measured.of("two trainings", found.main, "kendall") is None
    assert measured.of("12 epochs", found.main, "kendall") is not None


def test_what_scores_put_first_is_drawn_beside_the_best(run: ScoreRun, analysis: Analysis) -> None:
    (drawn,) = first_cells(analysis)
    found = analysis.found
    assert drawn.items[0].name == f"Architecture {found.ids[np.nanargmax(found.main.values)]}"
    for score in (each for each in found.scored if not each.reference and each.name != "flat"):
        said = f"first by {score.name}"
        (item,) = [item for item in drawn.items if said in item.lines[1].replace(" and ", ", ").split(", ")]
        assert item.name == f"Architecture {found.ids[np.nanargmax(score.values)]}"
    assert not any("flat" in item.lines[1] for item in drawn.items)  # equal scores put nothing first
