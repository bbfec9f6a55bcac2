"""The page on predictors: how they rank what they never saw, beside the noise ceiling, and whether intervals hold."""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

from ...searchers.runner.judging import FIRST
from ...searchers.runner.run import Run
from ..blocks import Alarm, Block, Facts, Findings, Listing, Points, Section
from ..panels import Panel
from ..report import Report
from ..statistics import LEVEL, RESAMPLES, SEED, Summary
from ..words import between, counted, joined, number, p_value, signed
from .grids import measures_grid, noise_grid, sizes_grid
from .measures import BY_COLUMN, metric_words, unit
from .outcome import Outcome, outcome
from .plots import calibration_plot, difference_plot, learning_curves, prediction_plot

OFF = 5.0  # points by which intervals of 90 % may hold less


def surrogate(run: Run) -> Report:
    """The report on a run of kind "surrogate"; the same folder gives the same bytes.

    Raises:
        BadFile: run.json or a part is damaged.
        MissingFile: no fit is finished yet.
    """
    found = outcome(run)
    name = found.config["benchmark"]["name"]
    figures: dict[str, tuple[Panel, ...]] = {}

    def drawn(made: tuple[Block, dict[str, tuple[Panel, ...]]]) -> Block:
        figures.update(made[1])
        return made[0]

    curves = drawn(learning_curves(found))
    against = [drawn(difference_plot(found))] if len(found.differences) else []
    honest = drawn(calibration_plot(found))
    scatter = [drawn(prediction_plot(found))] if len(found.predictions) else []
    noise = tuple(grid for dataset in found.datasets if (grid := noise_grid(found, dataset)) is not None)
    budgets = dict.fromkeys(str(each["budget"]) for each in found.questions.values())
    return Report(
        title=f"{metric_words(found.metric).capitalize()} of {name}, predicted",
        lead=f"{joined(found.datasets)}, after {joined(budgets)} epochs, by {joined(found.models)}; "
        f"{counted(found.config['draws'], 'draw')} of {found.sizes[0]:,} to {found.sizes[-1]:,} architectures",
        sections=(
            Section("", (*_alarms(found), _findings(found), _facts(found))),
            Section("How many architectures it takes",
                    (curves, *(sizes_grid(found, dataset) for dataset in found.datasets))),
            Section(f"From {found.close:,} architectures",
                    (*against, *(measures_grid(found, dataset) for dataset in found.datasets))),
            Section("Whether intervals hold", (honest,)),
            Section("Against noise, and a table of one seed", noise),
            Section("Predicted and measured", tuple(scatter)),
            Section("How to read this", (Points(_reading(found)),)),
            Section("What this rests on", (Facts(_provenance(found)),)),
            Section("Do it again", _again(found)),
        ),
        figures=figures,
        tables={
            "fits": found.fits, "curves": found.curve, "differences": found.differences,
            "predictions": found.predictions,
            **({"failures": found.failures.drop(columns="traceback")} if len(found.failures) else {}),
        },
    )  # fmt: skip


def _alarms(found: Outcome) -> list[Alarm]:
    alarms = []
    if found.missing:
        line = "All numbers below are of those that are there; the same command completes the run."
        alarms.append(Alarm(f"Incomplete: {counted(found.missing, 'fit')} missing", (line,)))
    if len(found.failures):
        first = found.failures.iloc[0]
        line = f"{first['model']} on {first['dataset']}, {first['size']} architectures: {first['error']}"
        alarms.append(Alarm(f"{counted(len(found.failures), 'fit')} broke off with an error", (line,)))
    lines = []
    for dataset in found.datasets:
        covered = {model: found.summary(dataset, model, found.close, "coverage_90").mean for model in found.models}
        sure = [f"{model} {number(share, 1)} %" for model, share in covered.items() if share < 90 - OFF]
        if sure:
            lines.append(f"{dataset}: intervals of 90 % hold too few of the truths by {joined(sure)}.")
    if lines:
        alarms.append(Alarm("Some intervals do not hold what they promise", tuple(lines)))
    return alarms


def _findings(found: Outcome) -> Findings:
    items = []
    for dataset in found.datasets:
        items += [item for item in (_ranking(found, dataset), _one_seed(found, dataset)) if item is not None]
        items.append(_honesty(found, dataset))
    return Findings(tuple(items))


def best(found: Outcome, dataset: str, size: int, column: str) -> str | None:
    """The model with the best mean of a measure; None where nobody has one."""
    means = {model: found.summary(dataset, model, size, column).mean for model in found.models}
    known = {model: BY_COLUMN[column].better * mean for model, mean in means.items() if not math.isnan(mean)}
    return max(known, key=lambda model: known[model]) if known else None


def _ranking(found: Outcome, dataset: str) -> tuple[str, str] | None:
    model = best(found, dataset, found.close, "tau")
    if model is None:
        return None
    tau = found.summary(dataset, model, found.close, "tau")
    subject = model if len(found.models) == 1 else f"{model} ranks best: it"
    head = f"{dataset}: from {found.close:,} architectures, {subject} ranks those of other classes with τ "
    others = [
        f"{number(found.summary(dataset, model, found.close, 'pairs').mean, 0)} architectures, {_interval(tau, 3)}",
        f"R² {number(found.summary(dataset, model, found.close, 'r2').mean, 3)}, mean error "
        f"{number(found.summary(dataset, model, found.close, 'error').mean)} {unit(found.metric)}",
    ]
    if not math.isnan(found.ceiling(dataset)):
        others.append(f"two seeds of the table agree with τ {number(found.ceiling(dataset), 3)}")
    row = found.difference(dataset, model, found.close, "tau")
    if row is not None:
        others.append(
            f"{signed(row['mean'])} against {found.reference} ({between(row['low'], row['high'], 3)}, adjusted p "
            f"{p_value(row['p_holm'])})"
        )
    first = best(found, dataset, found.sizes[0], "tau")
    if first is not None and found.sizes[0] != found.close:
        early = found.summary(dataset, first, found.sizes[0], "tau")
        others.append(f"from {found.sizes[0]:,} the best is {first} with τ {number(early.mean, 3)}")
    return head + number(tau.mean, 3), "; ".join(others) + "."


def _one_seed(found: Outcome, dataset: str) -> tuple[str, str] | None:
    """Only the model that ranks best: the others are in the table."""
    model = best(found, dataset, found.fit_on, "tau") if found.fit_on in found.sizes else None
    if model is None or not found.summary(dataset, model, found.fit_on, "one_seed_table").runs:
        return None
    quantities = ("one_seed_trainings", "one_seed_table", "one_seed_learned", "one_seed_held")
    trainings, table, learned, held = (found.summary(dataset, model, found.fit_on, each).mean for each in quantities)
    gain = found.gain(dataset, model)
    verb = "beats" if gain.low > 0 else "is worse than" if gain.high < 0 else "cannot be told from"
    return (
        f"{dataset}: where both answer, {model} {verb} a table of one seed",
        f"{number(trainings, 0)} single runs rank their own architectures with τ {number(table, 3)} against the other "
        f"runs, {model} fitted on the same runs with τ {number(learned, 3)} (difference {signed(gain.mean)}, "
        f"{_interval(gain, 3)}); and it answers for all others too, with τ {number(held, 3)}.",
    )


def _honesty(found: Outcome, dataset: str) -> tuple[str, str]:
    model = best(found, dataset, found.close, "nll") or found.reference
    numbers = {
        column: found.summary(dataset, model, found.close, column)
        for column in ("nll", "coverage_90", "width", "calibration")
    }
    subject = f"{model}'s" if len(found.models) == 1 else f"{model} has the best likelihood: its"
    return (
        f"{dataset}: {subject} 90 % intervals hold {number(numbers['coverage_90'].mean, 1)} % of the truths",
        f"{_interval(numbers['coverage_90'], 1)}; they are {number(numbers['width'].mean)} {unit(found.metric)} wide "
        f"on average, the calibration error is {number(numbers['calibration'].mean, 1)} points, NLL "
        f"{number(numbers['nll'].mean, 3)}.",
    )


def _interval(summary: Summary, digits: int) -> str:
    if math.isnan(summary.low):
        return f"{counted(summary.runs, 'draw')}, no interval"
    return f"{LEVEL:.0%} interval {between(summary.low, summary.high, digits)} over {counted(summary.runs, 'draw')}"


def _facts(found: Outcome) -> Facts:
    benchmark = found.config["benchmark"]
    predicted = (
        f"{metric_words(found.metric)} on {dataset} after {each['budget']} epochs, mean over runs; {each['known']:,} "
        "measured" for dataset, each in found.questions.items()
    )  # fmt: skip
    rows = (
        ("Benchmark", (str(benchmark["title"]),)),
        ("Space", (f"{benchmark['space']}: {benchmark['architectures']:,} architectures, {benchmark['classes']:,} up "
                   "to isomorphism",)),
        ("Predicted", tuple(predicted)),
        ("Learned", ("−log(101 − accuracy)" if found.config["scale"] == "log-error" else "the number as it is",)),
        ("Judged on", (f"at most {found.config['held']:,} others, isomorphic to none that any size learned from",)),
        ("Draws", (f"{found.config['draws']} of each size, uniform among the measured; base seed "
                   f"{found.config['base_seed']}",)),
    )  # fmt: skip
    return Facts(rows, compact=True)


def _reading(found: Outcome) -> tuple[str, ...]:
    return (
        "Every number of a predictor is a prediction. Nothing here was trained: measurements come from the table.",
        "No architecture that is judged has the isomorphism class of one that was learned: twins of learned cells, "
        "which a predictor only has to remember, are left out.",
        "The noise ceiling is the mean τ between two seeds of the table: what a repetition of all trainings, once "
        "each, would reach. Predictions of a mean over runs can lie above it.",
        "τ is Kendall's tau-b. Within the better half, by the truth, is what a search near the top depends on. "
        f"P@{FIRST}: of the {FIRST} best by prediction, the share that are truly among the {FIRST} best of those "
        "judged; ties are drawn fairly.",
        "R² and mean error are of the metric itself, of the median of each forecast.",
        "NLL: mean negative logarithm of the density that was forecast at what came out, normal on the scale that was "
        "learned, counted in the metric's own unit. A few truths far outside their interval can rule it.",
        "Calibration error: mean distance between level and share of truths within, over central intervals of 10 to "
        "95 %. Sharpness: mean width of 90 % intervals; of two honest forecasts the sharper one is better.",
        "Gaussian processes find their scales on at most 300 architectures, then learn from all; tree-Wasserstein ones "
        "take wider bounds than published for searching, which “:published” has. The surrogate's intervals come from "
        "cross-fitting over classes, forests' from their trees and what is out of bag, perceptrons' from five "
        "members and what each did not learn.",
        "The draws of one repetition are nested: a larger one holds the smaller ones.",
        f"{LEVEL:.0%} intervals are bootstrap intervals of the mean over draws (BCa, {RESAMPLES:,} resamples, seed "
        f"{SEED}). Draws share the table: they say how a predictor does on this table, not on others.",
    )


def _provenance(found: Outcome) -> tuple[tuple[str, tuple[str, ...]], ...]:
    config = found.config
    benchmark = config["benchmark"]
    sums = (f"{name}: sha256 {value}" for name, value in benchmark["table_sha256"].items())
    words = (f"{dataset}: {each['words'] or 'as the table has it'}" for dataset, each in found.questions.items())
    return (
        ("Table", (f"{benchmark['title']} ({benchmark['licence']})", *sums)),
        ("Truth", tuple(words)),
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
    question = config["questions"][0]
    parts = ["nasgauge", "surrogate", config["benchmark"]["name"]]
    parts += [text for each in config["questions"] for text in ("--dataset", str(each["dataset"]))]
    parts += [text for model in config["models"] for text in ("--model", model)]
    parts += ["--metric", question["metric"], "--scale", config["scale"], "--fit-on", str(config["fit_on"])]
    parts += ["--sizes", ",".join(map(str, config["sizes"])), "--draws", str(config["draws"])]
    parts += ["--base-seed", str(config["base_seed"]), "--held", str(config["held"])]
    if len({each["budget"] for each in config["questions"]}) == 1:
        parts += ["--budget", str(question["budget"])]
    return shlex.join(parts)
