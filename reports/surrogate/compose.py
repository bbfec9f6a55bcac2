"""The page of a surrogate: how it ranks what it never saw, beside the noise ceiling, and whether its intervals hold."""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

from ...searchers.runner.run import Run
from ..blocks import Alarm, Block, Cell, Facts, Findings, Grid, Listing, Points, Section
from ..panels import Panel
from ..report import Report
from ..statistics import LEVEL, RESAMPLES, SEED, Summary
from ..words import between, counted, number, signed
from .outcome import Outcome, outcome
from .plots import calibration_plot, learning_curve, metric_words, prediction_plot, unit


def surrogate(run: Run) -> Report:
    """The report on a run of kind "surrogate"; the same folder gives the same bytes.

    Raises:
        BadFile: run.json or a part is damaged.
        MissingFile: no fit is finished yet.
    """
    found = outcome(run)
    question, name = found.question, found.config["benchmark"]["name"]
    figures: dict[str, tuple[Panel, ...]] = {}
    curve, drawn = learning_curve(found)
    figures |= drawn
    closely: list[Block] = []
    if found.fit_on in found.sizes:
        calibration, drawn = calibration_plot(found)
        closely.append(calibration)
        figures |= drawn
    if len(found.predictions):
        scatter, drawn = prediction_plot(found)
        closely.insert(0, scatter)
        figures |= drawn
    against = _against(found)
    return Report(
        title=f"{metric_words(question['metric']).capitalize()} of {name}, predicted",
        lead=f"{question['dataset']}, after {question['budget']} epochs, from {found.fit_on:,} of "
        f"{found.config['known']:,} measured architectures; {counted(found.config['repeats'], 'draw')}",
        sections=tuple(
            section
            for section in (
                Section("", (*_alarms(found), _findings(found), _facts(found))),
                Section("How many architectures it takes", (curve, _sizes(found))),
                Section("Against noise, and a table of one seed", against),
                Section(f"From {found.fit_on:,} architectures", tuple(closely)),
                Section("How to read this", (Points(_reading(found)),)),
                Section("What this rests on", (Facts(_provenance(found)),)),
                Section("Do it again", _again(found)),
            )
            if section.blocks
        ),
        figures=figures,
        tables={
            "fits": found.fits, "learning-curve": found.curve, "coverage": found.coverage,
            **({"predictions": found.predictions} if len(found.predictions) else {}),
        },
    )  # fmt: skip


def _alarms(found: Outcome) -> list[Alarm]:
    alarms = []
    if found.missing:
        line = "All numbers below are of those that are there; the same command completes the run."
        alarms.append(Alarm(f"Incomplete: {counted(found.missing, 'fit')} missing", (line,)))
    covered = found.summary("coverage_90").mean
    if abs(covered - 90) > 5:
        line = f"Intervals of 90 % hold {number(covered, 1)} % of the truths of held-out classes."
        alarms.append(Alarm("The intervals do not hold what they promise", (line,)))
    return alarms


def _findings(found: Outcome) -> Findings:
    items = []
    main = found.summary("tau")
    if main.runs:
        pairs = found.summary("pairs").mean
        head = f"From {found.fit_on:,} architectures it ranks those of other classes with τ {number(main.mean, 3)}"
        text = f"Kendall's tau-b over {number(pairs, 0)} architectures, {_interval(main, 3)}"
        if not math.isnan(found.ceiling):
            text += f"; two seeds of the table agree with τ {number(found.ceiling, 3)}"
        items.append((head, f"{text}. Within their better half τ {number(found.summary('tau_top').mean, 3)}."))
        explained = found.summary("r2")
        error = f"{number(found.summary('error').mean)} {unit(found.question['metric'])}"
        items.append(
            (f"It is off by {error} on average", f"R² {number(explained.mean, 3)}, {_interval(explained, 3)}.")
        )
    one, held = found.summary("one_seed_table"), found.summary("one_seed_held")
    if one.runs:
        trainings = number(found.summary("one_seed_trainings").mean, 0)
        inside = found.summary("one_seed_learned")
        gain = found.gain
        verb = "beats" if gain.low > 0 else "is worse than" if gain.high < 0 else "cannot be told from"
        items.append((
            f"Where both answer, it {verb} a table of one seed",
            f"{trainings} single runs rank their own architectures with τ {number(one.mean, 3)} against the other "
            f"runs, a surrogate of the same runs with τ {number(inside.mean, 3)} (difference {signed(gain.mean)}, "
            f"{_interval(gain, 3)}); and it answers for all others too, with τ {number(held.mean, 3)}.",
        ))  # fmt: skip
    covered = found.summary("coverage_90")
    if covered.runs:
        items.append((
            f"Its 90 % intervals hold {number(covered.mean, 1)} % of the truths",
            f"{_interval(covered, 1)}; they are {number(found.summary('width').mean)} "
            f"{unit(found.question['metric'])} wide on average.",
        ))  # fmt: skip
    return Findings(tuple(items))


def _interval(summary: Summary, digits: int) -> str:
    if math.isnan(summary.low):
        return f"{counted(summary.runs, 'draw')}, no interval"
    return f"{LEVEL:.0%} interval {between(summary.low, summary.high, digits)} over {counted(summary.runs, 'draw')}"


def _facts(found: Outcome) -> Facts:
    benchmark, question = found.config["benchmark"], found.question
    rows = (
        ("Benchmark", (str(benchmark["title"]),)),
        ("Space", (f"{benchmark['space']}: {benchmark['architectures']:,} architectures, {benchmark['classes']:,} up "
                   "to isomorphism",)),
        ("Predicted", (f"{metric_words(question['metric'])} on {question['dataset']} after {question['budget']} "
                       "epochs, mean over runs",)),
        ("Learned from", (f"{found.fit_on:,} architectures, drawn uniformly among the {found.config['known']:,} "
                          "measured",)),
        ("Judged on", (f"at most {found.config['held']:,} others, isomorphic to none of them",)),
        ("Draws", (f"{found.config['repeats']} of each size, base seed {found.config['base_seed']}",)),
    )  # fmt: skip
    return Facts(rows, compact=True)


def _sizes(found: Outcome) -> Grid:
    total = found.config["known"]
    rows: list[tuple[Cell, ...]] = []
    for size in found.sizes:
        tau = found.summary("tau", size)
        others = [found.summary(quantity, size).mean for quantity in ("tau_top", "rho", "r2", "error")]
        rows.append((
            f"{size:,}", f"{number(100 * size / total)} %", number(tau.mean, 3), between(tau.low, tau.high, 3),
            *(number(each, 3) for each in others), f"{tau.runs}",
        ))  # fmt: skip
    error = f"mean error [{unit(found.question['metric'])}]"
    return Grid(
        "Agreement with the table on held-out classes, by architectures learned from",
        ("learned from", "of the measured", "τ", f"{LEVEL:.0%} interval", "τ, better half", "Spearman's ρ", "R²", error,
         "draws"),
        tuple(rows),
    )  # fmt: skip


def _against(found: Outcome) -> tuple[Block, ...]:
    """The table of one seed of the same cost, and the noise ceiling."""
    one = found.summary("one_seed_table")
    if not one.runs and math.isnan(found.ceiling):
        return ()
    learned = number(found.summary("one_seed_trainings").mean, 0)
    others = number(found.summary("pairs").mean, 0)
    rows: list[tuple[Cell, ...]] = []
    if one.runs:
        entries = (
            ("a table of one seed", "one_seed_table", f"the {learned} it has"),
            ("a surrogate of the same runs", "one_seed_learned", f"the same {learned}"),
            ("a surrogate of the same runs", "one_seed_held", f"{others} of other classes"),
        )
        for words, quantity, where in entries:
            each = found.summary(quantity)
            rows.append((words, learned, where, number(each.mean, 3), between(each.low, each.high, 3)))
    if not math.isnan(found.ceiling):
        rows.append(("another seed of the whole table", f"{found.config['known']:,}", "all", number(found.ceiling, 3),
                     "–"))  # fmt: skip
    note = (
        "The truth of the first rows is the mean over an architecture's other runs, the last row is one run against "
        "another; the truth of the rest of this page is the mean over all runs, which is less noisy."
    )
    head = ("what ranks", "trainings", "architectures ranked", "τ with the truth", f"{LEVEL:.0%} interval")
    return (
        Grid("Ranking by single trainings, by a surrogate of them, and the noise ceiling", head, tuple(rows), note),
    )


def _reading(found: Outcome) -> tuple[str, ...]:
    return (
        "Every number of a surrogate is a prediction. Nothing here was trained: measurements come from the table.",
        "No architecture that is judged has the isomorphism class of one that was learned: twins of learned cells, "
        "which a surrogate only has to remember, are left out.",
        "The noise ceiling is the mean τ between two seeds of the table: what a repetition of all trainings, once "
        "each, would reach. Predictions of a mean over runs can lie above it.",
        "τ is Kendall's tau-b. Within the better half, by the truth, is what a search near the top depends on.",
        "R² and mean error are of the metric itself; trees learn −log(101 − accuracy), which spreads the top apart.",
        "Intervals are calibrated on held-out classes among the learned architectures (cross-fitting in five folds), "
        "without an assumed distribution; calibration and coverage are of architectures the surrogate never saw.",
        "The draws of one repetition are nested: a larger one holds the smaller ones.",
        f"{LEVEL:.0%} intervals are bootstrap intervals of the mean over draws (BCa, {RESAMPLES:,} resamples, seed "
        f"{SEED}).",
    )


def _provenance(found: Outcome) -> tuple[tuple[str, tuple[str, ...]], ...]:
    config, question = found.config, found.question
    benchmark = config["benchmark"]
    sums = (f"{name}: sha256 {value}" for name, value in benchmark["table_sha256"].items())
    return (
        ("Table", (f"{benchmark['title']} ({benchmark['licence']})", *sums)),
        ("Truth", (question["words"] or "as the table has it",)),
        ("Surrogate", (
            "extremely randomised trees (200, half of the features a split) and histogram gradient boosting (200 "
            "rounds), averaged",
            "features: counts of the operation words on paths from input to output, skips left out, and sums over "
            "them; widths and costs in the size space",
        )),
        ("Software", (
            ", ".join(f"{name} {version}" for name, version in config["versions"].items()),
            f"commit {config['git'] or 'unknown'}",
        )),
        ("Host", (
            ", ".join(f"{name} {value}" for name, value in config["host"].items()),
            f"first started {config['started']}",
        )),
    )  # fmt: skip


def _again(found: Outcome) -> tuple[Block, ...]:
    text = json.dumps(found.config, indent=1, sort_keys=True, ensure_ascii=False)
    return (Listing("Command", command(found.config)), Listing("run.json", text, folded=True))


def command(config: dict[str, Any]) -> str:
    """The command that does the same once more."""
    question = config["question"]
    parts = [
        "nasgauge",
        "surrogate",
        config["benchmark"]["name"],
        "--dataset",
        str(question["dataset"]),
        "--metric",
        question["metric"],
        "--budget",
        str(question["budget"]),
        "--fit-on",
        str(config["fit_on"]),
    ]
    parts += [text for size in config["sizes"] for text in ("--size", str(size))]
    parts += ["--repeats", str(config["repeats"]), "--base-seed", str(config["base_seed"]), "--held",
              str(config["held"])]  # fmt: skip
    return shlex.join(parts)
