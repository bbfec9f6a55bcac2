"""The page of a scoring run: how well scores order architectures, beside baselines, cheap training and noise."""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

from ...proxies.score_run import ScoreRun
from ...searchers.run import Run
from ..blocks import Block, Cell, Facts, Grid, Label, Listing, Points, Section
from ..correlation_statistics import RESAMPLES
from ..panels import Panel
from ..report import Report
from ..statistics import LEVEL, SEED
from ..view import Style
from ..words import between, counted, number
from .analysis import ELSEWHERE, Analysis
from .biases import tau
from .evidence import Scored, evidence
from .measures import AMONG, CEILING, first
from .plots import agreement_plot, band_plot, found_k, matrix_plot, scatter_plot, slots_of, top_plot
from .sentences import alarms, estimate, findings


def correlation(run: Run | ScoreRun, resamples: int = RESAMPLES) -> Report:
    """The report on a run of kind "score"; the same folder gives the same bytes.

    Args:
        resamples: of the intervals for the main truth; those of the others are of at most `ELSEWHERE`.

    Raises:
        BadFile: run.json or a part is damaged.
        MissingFile: no part is finished, or the run knows no ground truth.
    """
    analysis = Analysis.of(evidence(ScoreRun(run.folder)), resamples)
    found, measured = analysis.found, analysis.measured
    figures: dict[str, tuple[Panel, ...]] = {}
    plots = []
    for made in (agreement_plot(found, measured), top_plot(found, measured), scatter_plot(found, measured),
                 band_plot(found), matrix_plot(found)):  # fmt: skip
        plots.append(None if made is None else made[0])
        figures |= {} if made is None else made[1]
    agreement, top, scatter, bands, matrix = plots
    sections = (
        Section("", (*alarms(analysis), findings(analysis), _facts(analysis))),
        Section("How well scores order architectures", (agreement, _correlations(analysis))),
        Section("What training the first by score finds", (top, _firsts(analysis))),
        Section("Every architecture", (scatter,)),
        Section("More than size?", (_size(analysis), bands)),
        Section("Scores among themselves", (matrix,)),
        Section("What they cost", (_costs(analysis),)),
        Section("Ties and failures", (_counts(analysis),)),
        Section("How to read this", (Points(_reading(analysis)),)),
        Section("What was scored", (_proxies(analysis),)),
        Section("What this rests on", (Facts(_provenance(found.config)),)),
        Section("Do it again", _again(found.config)),
    )
    kept = (Section(each.title, tuple(block for block in each.blocks if block is not None)) for each in sections)
    many = counted(sum(not each.reference for each in found.scored), "score")
    return Report(
        title=f"{many} of {found.config['benchmark']['name']} against accuracy",
        lead=f"{counted(len(found.ids), 'architecture')}; {found.main.words} after {found.main.budget} epochs, "
        f"{counted(len(found.seeds), 'seed')} of weights and images",
        sections=tuple(section for section in kept if section.blocks),
        figures=figures,
        tables=analysis.tables(),
    )


def _facts(analysis: Analysis) -> Facts:
    found, config = analysis.found, analysis.found.config
    benchmark, images = config["benchmark"], config["images"]
    classes = int(found.first_of_class.sum())
    rows = [
        ("Benchmark", (str(benchmark.get("title", benchmark["name"])),)),
        ("Space", (f"{benchmark['space']}: {benchmark['architectures']:,} architectures",)),
        ("Sample", (str(config["sample"]),)),
        ("Isomorphic duplicates", (f"{counted(classes, 'class', 'classes')} among {len(found.ids):,} architectures",)),
        ("Truth", tuple(f"{truth.words} after {truth.budget} epochs, {_runs(len(truth.runs))}"
                        for truth in found.truths)),
        ("Images", (f"{images['name']}, batches of {config['batch']}" if images else "none",)),
        ("Seeds", (f"{len(found.seeds)}, from {config['base_seed']}: of initial weights and of the batch",)),
        ("Numbers", (f"{config.get('dtype', 'float32')} on {config.get('device') or 'cpu'}",)),
    ]  # fmt: skip
    return Facts(tuple(rows), compact=True)


def _runs(count: int) -> str:
    return f"mean over up to {counted(count, 'run')}" if count else "mean over runs"


def _label(score: str, analysis: Analysis) -> Label:
    slot = slots_of(analysis.found.scored).get(score)
    return Label(score, None if slot is None else Style.of(slot).colour)


def _rows(analysis: Analysis, statistic: str, among: str, best_first: bool = True) -> list[str]:
    """Names of all scores, trainings and the ceiling, by a statistic of the main truth."""
    found = analysis.found
    names = [*(each.name for each in (*found.scored, *found.main.trainings())), CEILING]
    names = [name for name in names if analysis.measured.of(name, found.main, statistic, among) is not None]
    values = {name: analysis.measured.value(name, found.main, statistic, among) for name in names}
    return sorted(names, key=lambda name: (math.isnan(values[name]), -values[name] if best_first else values[name]))


def _correlations(analysis: Analysis) -> Grid:
    found, measured = analysis.found, analysis.measured
    several = len(found.seeds) > 1
    mirrored = bool(measured.per_class)
    rows: list[tuple[Cell, ...]] = []
    for name in _rows(analysis, "kendall", "all"):
        cells: list[Cell] = [_label(name, analysis)]
        whole = measured.found[name, found.main.key, "all", "kendall"]
        cells += [number(whole.estimate.value, 3), between(whole.estimate.low, whole.estimate.high, 3)]
        if several:
            known = [value for value in whole.seeds if value == value]
            cells.append(between(min(known), max(known), 3) if len(known) > 1 else "–")
        cells += [number(measured.value(name, found.main, each), 3) for each in ("spearman", "weighted")]
        for among in list(AMONG.values())[1:]:
            measure = measured.of(name, found.main, "kendall", among)
            cells.append("–" if measure is None else estimate(measure.estimate, 2))
        if mirrored:
            cells.append(number(measured.per_class.get((name, found.main.key), math.nan), 3))
        cells.append(f"{whole.used:,}")
        rows.append(tuple(cells))
    head = ["", "τ", f"{LEVEL:.0%} interval", *(("single seeds",) if several else ()), "ρ", "weighted τ"]
    head += [f"τ, {among}" for among in list(AMONG.values())[1:]]
    head += [*(("τ, one a class",) if mirrored else ()), "architectures"]
    note = "ρ is Spearman's, which is Pearson's correlation of the ranks. All numbers with their intervals: correlations.csv."
    return Grid(f"Correlation with {found.main.words}", tuple(head), tuple(rows), note)


def _firsts(analysis: Analysis) -> Grid:
    found, measured = analysis.found, analysis.measured
    k = found_k(measured)
    rows: list[tuple[Cell, ...]] = []
    for name in _rows(analysis, "regret", first(k), best_first=False):
        numbers = [measured.found[name, found.main.key, first(k), each].estimate
                   for each in ("regret", "precision", "recall", "best_rank", "ndcg")]  # fmt: skip
        digits = (2, 2, 2, 0, 3)
        rows.append((_label(name, analysis), *(estimate(each, d) for each, d in zip(numbers, digits, strict=True))))
    head = ("", "regret [points]", f"precision @{k}", "recall of the best 1 %", "best rank", f"NDCG @{k}")
    note = f"Expected values over a random order of equal scores, with {LEVEL:.0%} intervals over architectures."
    return Grid(f"The first {k} by score, {found.main.words}", head, tuple(rows), note)


def _size(analysis: Analysis) -> Grid | None:
    found, sizes = analysis.found, analysis.found.sizes()
    if not sizes:
        return None
    rows: list[tuple[Cell, ...]] = []
    for each in found.scored:
        part, gain = analysis.partials.get(each.name), analysis.gains.get(each.name)
        rows.append((
            _label(each.name, analysis), *(number(tau(each.values, size.values)) for size in sizes),
            "–" if part is None else estimate(part), "–" if gain is None else estimate(gain),
        ))  # fmt: skip
    head = ("", *(f"τ with {size.name}" for size in sizes), "partial correlation, given both",
            f"τ beyond that of {analysis.yardstick.name}")  # fmt: skip
    note = (
        "Partial: Spearman's correlation with accuracy of what a linear regression on the ranks of parameters and FLOPs "
        f"leaves over ({min(analysis.resamples, ELSEWHERE)} resamples). Differences of τ: paired, architectures "
        "resampled together."
    )
    return Grid(f"Size, and what is left without it, {found.main.words}", head, tuple(rows), note)


def _costs(analysis: Analysis) -> Grid:
    found = analysis.found
    k = found_k(analysis.measured)
    rows: list[tuple[Cell, ...]] = []
    for each in (*found.scored, *found.main.trainings()):
        value = analysis.worths[each.name]
        equal = "more than there are" if math.isinf(value.equal) else number(value.equal, 0)
        rows.append((
            _label(each.name, analysis), _seconds(each.seconds), _seconds(each.own_seconds), f"{each.networks:,}",
            _small(value.trainings), number(value.accuracy), equal,
            "all" if math.isinf(value.saved) else number(value.saved, 1),
        ))  # fmt: skip
    head = ("", "seconds an architecture", "of its own", "networks", "pays from [trainings saved]", f"best of first {k} [%]",
            "equals random trainings", "net trainings saved")  # fmt: skip
    full = found.main.seconds.get(found.main.budget, math.nan)
    note = (
        "Seconds as if each were computed alone, and of its own beside the signals that proxies share. Pays from: "
        "scoring all architectures with one seed takes as long as so many full trainings"
    )
    note += f" ({number(full, 0)} s each, as the table has it, on its own hardware)." if full == full else \
        ", which is unknown: the table has no training times."  # fmt: skip
    note += (
        f" Equals: so many random trainings have the same expected best as the first {k}. Net: those, less the {k} "
        "trained and less what the scores cost."
    )
    return Grid("Seconds, and when a score pays for itself", head, tuple(rows), note)


def _seconds(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.3g}" if value < 1000 else number(value, 0)


def _small(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2g}" if value < 10 else number(value, 0)


def _counts(analysis: Analysis) -> Grid:
    found, measured = analysis.found, analysis.measured
    rows: list[tuple[Cell, ...]] = []
    for each in found.scored:
        whole = measured.found[each.name, found.main.key, "all", "kendall"]
        known = each.values[found.first_of_class]
        known = known[known == known]
        alone = len(known) - _distinct(known)
        rows.append((
            _label(each.name, analysis), f"{_distinct(each.values):,}", f"{whole.ties:,}", f"{alone:,}",
            f"{int((each.values != each.values).sum()):,}", f"{_infinite(each):,}", f"{each.failed:,}", f"{whole.missing:,}",
        ))  # fmt: skip
    head = ("", "distinct scores", "architectures that tie", "ties between classes", "no score", "infinite",
            "networks failed", "left out")  # fmt: skip
    note = (
        "Isomorphic architectures share a score that is computed once a class, and tie. Ties between classes: how many "
        "scores of one architecture a class repeat another one. Left out: no score, or no truth."
    )
    return Grid("Counted, never dropped", head, tuple(rows), note)


def _distinct(values: Any) -> int:
    return len(set(values[values == values].tolist()))


def _infinite(score: Scored) -> int:
    return int(sum(abs(value) == math.inf for value in score.values.tolist()))


def _reading(analysis: Analysis) -> tuple[str, ...]:
    found, config = analysis.found, analysis.found.config
    several = len(found.seeds) > 1
    lines = [
        "Every score is used with higher meaning better: what was published with lower meaning better is negated once, "
        "in its definition, and a sign is never dropped. A negative correlation is a score that orders backwards.",
        "τ is Kendall's tau-b. Equal scores share their rank; numbers about the first k are expected values over a random "
        "order within every tie.",
        f"Intervals of {LEVEL:.0%}: percentiles over {analysis.resamples:,} resamples of architectures with replacement, "
        f"seed {SEED}; {min(analysis.resamples, ELSEWHERE):,} for other truths than {found.main.words}.",
        f"The noise ceiling, “{CEILING}”, is the mean correlation of two single runs of the table's own full training, "
        "with the mean ends of their intervals. The truth of the other rows is the mean over runs, which is less noisy, so "
        "that a score may lie above it.",
        "Shorter trainings are the validation accuracy (where the table has it) of the table's own shorter runs: what the "
        "same money buys by training a little.",
        f"{config.get('mirrored', '')[:1].upper()}{config.get('mirrored', '')[1:]}. Every architecture counts once in all "
        "numbers, as it does in published ones; “one a class” counts every class once, with the mean truth of its members. "
        "Intervals take isomorphic architectures for independent, and so are a little narrow.",
    ]  # fmt: skip
    if several:
        lines.insert(2, "A score is the mean over seeds; “single seeds” is the range of what each seed alone reaches. A seed "
                     "decides the initial weights and the batch.")  # fmt: skip
    sizes = found.sizes()
    if sizes:
        lines.append("Baselines that need no network (params, flops, random) are in every report, asked for or not.")
    return tuple(lines)


def _proxies(analysis: Analysis) -> Facts:
    return Facts(tuple((each.name, each.about) for each in analysis.found.scored if each.about))


def _provenance(config: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    benchmark, images = config["benchmark"], config["images"]
    sums = (f"{name}: sha256 {value}" for name, value in benchmark.get("table_sha256", {}).items())
    rows = [
        ("Table", (f"{benchmark.get('title', benchmark['name'])} ({benchmark.get('licence', '')})", *sums)),
        ("Sampling", (config["sample"], f"the space is sampled {benchmark.get('sampling_law', 'uniformly over ids')}",
                      f"sha256 of the ids {config['ids_sha256']}")),
    ]  # fmt: skip
    if images:
        rows.append(("Images", (images.get("source") or images["name"], f"sha256 {images['sha256']}")))
        macro = config["macro"]
        skeleton = "the space's own" if macro is None else ", ".join(f"{key} {value}" for key, value in macro.items())
        rows.append(
            ("Network", (f"skeleton: {skeleton}", f"initial weights: {config['law'] or 'as the benchmark draws them'}"))
        )
    rows += [
        ("Truth", tuple(str(benchmark.get("description", "")).splitlines()[:40])),
        ("Software", (", ".join(f"{name} {version}" for name, version in config["versions"].items()),
                      f"commit {config['git'] or 'unknown'}")),
        ("Host", (", ".join(f"{name} {value}" for name, value in config["host"].items()),
                  f"first started {config['started']}")),
    ]  # fmt: skip
    return tuple(row for row in rows if any(row[1]))


def _again(config: dict[str, Any]) -> tuple[Block, ...]:
    text = json.dumps(config, indent=1, sort_keys=True, ensure_ascii=False)
    made = command(config)
    return (*((Listing("Command", made),) if made else ()), Listing("run.json", text, folded=True))


def command(config: dict[str, Any]) -> str:
    """The command that does the same once more; empty where it needs more than a command line can say."""
    images = config["images"]
    given = str(config["sample"]).split(" ")[1:2] == ["given"] or (images and images["name"] == "a given batch")
    own = any(str(each["cites"]).startswith("own function") for each in config["proxies"])
    if given or own or "source" in config:
        return ""
    parts = ["nasgauge", "score", config["benchmark"]["name"]]
    names = [each["name"] for each in (*config["proxies"], *config["combinations"])]
    parts += [text for name in names for text in ("--proxy", name)]
    parts += ["--archs", "all" if config["ids"] == config["benchmark"]["architectures"] else str(config["ids"])]
    parts += ["--images", images["name"], "--batch", str(config["batch"])] if images else []
    parts += ["--seeds", str(config["seeds"]), "--base-seed", str(config["base_seed"]), "--device", config["device"]]
    return shlex.join(parts)
