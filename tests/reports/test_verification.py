"""The verification report: every number computed another way, from a run folder with made-up trainings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from nasgauge.bench.errors import BadFile, MissingFile
from nasgauge.bench.live.recipe import TrainingRecipe
from nasgauge.reports import report
from nasgauge.reports.verification.compose import command
from nasgauge.reports.verification.outcome import outcome, seed_spread
from nasgauge.searchers.runner.run import Run

TEXT = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


def made_up(
    folder: Path, measured: dict[int, list[float]], tabulated: dict[int, list[float]], *, curve: bool = False,
    limit: int | None = None, changes: dict[str, Any] | None = None, seeds: int = 3, single: bool = True,
) -> Run:  # fmt: skip
    """``measured`` and ``tabulated``: id -> percent per seed; NaN is a training that diverged."""
    recipe = json.loads(json.dumps(vars(TrainingRecipe(12))))
    entries = [
        {
            "id": arch, "text": TEXT, "mean": float(np.mean(values)),
            "runs": {str(777 + n): value for n, value in enumerate(values)} if single else {},
            "curve": {str(epoch): 50.0 + epoch for epoch in range(1, 13)} if curve else {},
        }
        for arch, values in tabulated.items()
    ]  # fmt: skip
    config = {
        "kind": "verify",
        "benchmark": {"name": "nats-tss", "space": "topology", "architectures": 15625, "title": "T", "licence": "MIT",
                      "sources": [], "table_sha256": {"nats-tss": "ab" * 32}},
        "plan": {"ids": list(tabulated), "dataset": "cifar10", "metric": "test_accuracy", "budget": 12,
                 "recipe": {**recipe, **(changes or {})}, "macro": None, "seeds": list(range(seeds)), "own": False},
        "images": {"name": "cifar10", "source": "CIFAR-10", "pictures": {"train": 50000, "valid": 0, "test": 10000},
                   "sha256": "cd" * 32},
        "channels_last": True, "compiled": False, "tabulated": entries, "published": recipe,
        "departures": [] if limit is None else [f"at most {limit:,} images of each split"],
        "given": {"images": None, "validation": None, "limit": limit, "size": None, "device": "cuda",
                  "recipe": changes or {}},
        "versions": {"python": "3.11", "torch": "2.6"}, "git": None, "host": {"device": "a GPU", "cpus": 2},
        "started": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    run = Run.create(folder, config, ())
    for arch, values in measured.items():
        for seed, value in enumerate(values):
            x = np.arange(1, 13)
            frame = pd.DataFrame({"id": arch, "seed": seed, "epoch": x, "train_loss": 1 / x, "train_seconds": 2.0,
                                  "held_seconds": 0.5, "images_per_second": 5000.0, "peak_memory": 3e8,
                                  "resumed_after": 0})  # fmt: skip
            for name in ("train_accuracy", "valid_accuracy", "test_accuracy"):
                frame[name] = value - 12 + x
            if np.isnan(value):
                frame.loc[5:, "train_loss"] = np.nan
            run.write_part(f"{arch}-{seed}", frame)
    return run


def words(run: Run) -> str:
    """Everything that the report says."""
    return repr([block for section in report(run).sections for block in section.blocks if block.kind != "plot"])


MEASURED = {1: [90.0, 90.4, 90.2], 2: [80.0, 81.0, 80.5], 3: [70.5, 70.1, 70.9], 4: [60.0, 60.2, 60.7]}
TABULATED = {1: [90.3, 90.5], 2: [80.1, 80.3], 3: [72.9, 73.1], 4: [60.1, 60.2]}


def test_rows_compare_means_with_the_spread_between_all_seeds(tmp_path: Path) -> None:
    found = outcome(made_up(tmp_path / "run", MEASURED, TABULATED))
    assert found.rows["id"].tolist() == [1, 2, 3, 4] and found.missing == 0 and found.faithful
    for row in found.rows.itertuples():
        ours, theirs = np.array(MEASURED[row.id]), np.array(TABULATED[row.id])
        pooled = np.sqrt((2 * ours.var(ddof=1) + theirs.var(ddof=1)) / 3)
        assert row.difference == pytest.approx(ours.mean() - theirs.mean())
        assert row.seed_std == pytest.approx(pooled) and row.z == pytest.approx(row.difference / pooled)
        assert row.train_seconds == 24 and row.held_seconds == 6 and row.peak_memory_mb == 300
    assert np.isnan(seed_spread(np.array([1.0]), np.array([2.0])))


def test_agreement_is_bland_altman_and_kendall(tmp_path: Path) -> None:
    found = outcome(made_up(tmp_path / "run", MEASURED, TABULATED))
    difference = np.array([np.mean(MEASURED[arch]) - np.mean(TABULATED[arch]) for arch in MEASURED])
    agreement = found.agreement
    assert agreement.bias == pytest.approx(difference.mean())
    assert agreement.upper - agreement.lower == pytest.approx(2 * 1.96 * difference.std(ddof=1))
    assert agreement.low < agreement.bias < agreement.high
    assert agreement.tau == 1 and np.isnan(agreement.tau_low)  # four architectures: no interval
    assert (agreement.within, agreement.judged) == (3, 4)  # architecture 3 is 2.5 points off


def test_with_many_architectures_tau_has_an_interval(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tabulated = {arch: [60.0 + arch, 60.5 + arch] for arch in range(20)}
    measured = {arch: [float(np.mean(values) + rng.normal(0, 3))] for arch, values in tabulated.items()}
    agreement = outcome(made_up(tmp_path / "run", measured, tabulated, seeds=1)).agreement
    tau = kendalltau([np.mean(v) for v in tabulated.values()], [v[0] for v in measured.values()]).statistic
    assert agreement.tau == pytest.approx(tau) and agreement.tau_low < tau < agreement.tau_high


def test_diverged_trainings_are_counted_and_in_no_mean(tmp_path: Path) -> None:
    found = outcome(made_up(tmp_path / "run", {1: [90.0, np.nan, 91.0]}, {1: [90.5, 90.6]}))
    row = found.rows.iloc[0]
    assert row["diverged"] == 1 and row["trainings"] == 3 and row["measured"] == 90.5
    assert "1 training diverged" in words(Run(tmp_path / "run"))


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_what_diverges_in_the_last_epoch_is_in_no_mean_either(tmp_path: Path, loss: float) -> None:
    run = made_up(tmp_path / "run", {1: [90.0, 10.0, 91.0]}, {1: [90.5, 90.6]})
    frame = pd.read_parquet(run.part("1-1"))
    frame.loc[11, "train_loss"] = loss  # the accuracies after it are those of a network that answers one class
    run.part("1-1").unlink()
    run.write_part("1-1", frame)
    row = outcome(run).rows.iloc[0]
    assert row["diverged"] == 1 and row["measured"] == 90.5


def test_the_tables_own_seeds_are_called_a_repetition(tmp_path: Path) -> None:
    made_up(tmp_path / "run", MEASURED, TABULATED)
    assert "no training repeats one of the table" in words(Run(tmp_path / "run"))
    run = Run(tmp_path / "run")
    run.config["plan"] |= {"own": True, "seeds": [778, 779, 780]}
    assert "Seeds 778 are the table" in words(run) and "no training repeats" not in words(run)


def test_all_in_order_is_said_of_any_number_of_architectures(tmp_path: Path) -> None:
    values = {arch: [60.0 + arch] for arch in range(5)}  # tau-b of five pairs in order is 0.9999999999999999
    assert "The order of all 5 architectures is the table" in words(made_up(tmp_path / "run", values, values, seeds=1))


def test_the_page_says_what_differs_from_the_table(tmp_path: Path) -> None:
    faithful = words(made_up(tmp_path / "one", MEASURED, TABULATED))
    assert "3 of 4 within three seed standard deviations" in faithful
    assert "Not trained as the table was" not in faithful
    other = words(made_up(tmp_path / "two", MEASURED, TABULATED, changes={"epochs": 6}, limit=2000))
    assert "Not trained as the table was" in other and "epochs: 6 instead of 12" in other
    assert "at most 2,000 images" in other and "within three seed" not in other
    assert "The order of all 4 architectures is the table" in other


def test_without_a_finding_there_is_no_empty_box(tmp_path: Path) -> None:
    found = report(made_up(tmp_path / "run", {1: [90.0]}, {1: [90.5]}, limit=200, seeds=1)).sections[0]
    assert [block.kind for block in found.blocks] == ["alarm", "facts"]


def test_figures_tables_and_bytes(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", MEASURED, TABULATED, curve=True)
    first, second = report(run), report(Run(run.folder))
    page = first.html()
    assert page == second.html() and "own curve" in page and set(first.figures) == {"agreement", "curves"}
    assert len(first.figures["agreement"]) == 3 and len(first.figures["curves"]) == 4
    assert first.csv("architectures").count(b"\n") == 5 and first.csv("epochs").count(b"\n") == 1 + 4 * 3 * 12


def test_the_tabulated_curve_is_drawn_in_the_order_of_epochs(tmp_path: Path) -> None:
    made_up(tmp_path / "run", {1: MEASURED[1]}, {1: TABULATED[1]}, curve=True)
    lines = report(Run(tmp_path / "run")).figures["curves"][0].lines  # type: ignore[union-attr]
    table = next(line for line in lines if line.label == "table")
    assert table.x.tolist() == list(range(1, 13)) and table.y.tolist() == [50.0 + epoch for epoch in range(1, 13)]


def test_an_incomplete_run_says_so(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", {1: MEASURED[1]}, TABULATED)
    assert outcome(run).missing == 9 and "Incomplete: 9 trainings missing" in words(run)
    empty = made_up(tmp_path / "empty", {}, TABULATED)
    with pytest.raises(MissingFile, match="no finished training"):
        report(empty)


def test_a_damaged_statement_is_named(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", MEASURED, TABULATED)
    del run.config["plan"]["metric"]
    with pytest.raises(BadFile, match=r"run\.json"):
        outcome(run)


def test_the_command_does_it_again(tmp_path: Path) -> None:
    run = made_up(tmp_path / "run", MEASURED, TABULATED, changes={"augment": ["crop", "flip"], "lr": 0.05}, limit=10)
    assert command(outcome(run)) == (
        "nasgauge verify nats-tss 1 2 3 4 --dataset cifar10 --metric test_accuracy --budget 12 --seeds 3 "
        "--base-seed 0 --device cuda --limit-images 10 --recipe augment=crop,flip --recipe lr=0.05"
    )


def test_architectures_are_drawn_under_their_numbers(tmp_path: Path) -> None:
    made = report(made_up(tmp_path / "run", MEASURED, TABULATED))
    (drawn,) = [block for section in made.sections for block in section.blocks if block.kind == "pictures"]
    assert [item.name for item in drawn.items] == [f"Architecture {arch}" for arch in TABULATED]
    assert drawn.items[0].lines == ("measured 90.20 %, table 90.40 %",)
    assert drawn.items[0].drawing.svg in made.html()
