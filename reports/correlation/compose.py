"""The page of a scoring run: how well scores order architectures, beside baselines, cheap training and noise."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ...proxies.score_run import ScoreRun
from ...searchers.runner.run import Run
from ..blocks import Block, Facts, Listing, Plot, Points, Section
from ..correlation_statistics import RESAMPLES
from ..panels import Panel
from ..report import Report
from ..statistics import LEVEL, SEED
from ..words import counted
from .analysis import ELSEWHERE, Analysis
from .evidence import evidence
from .first_cells import first_cells
from .grids import against_size, correlations, costs, counts, firsts
from .measures import CEILING
from .plots import Figures, agreement_plot, band_plot, matrix_plot, scatter_plot, top_plot
from .sentences import alarms, findings


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

    def plot(made: tuple[Plot, Figures] | None) -> tuple[Plot, ...]:
        figures.update({} if made is None else made[1])
        return () if made is None else (made[0],)

    sections = (
        Section("", (*alarms(analysis), findings(analysis), _facts(analysis))),
        Section(
            "How well scores order architectures", (*plot(agreement_plot(found, measured)), correlations(analysis))
        ),
        Section("What training the first by score finds", (*plot(top_plot(found, measured)), firsts(analysis))),
        Section("Every architecture", (*plot(scatter_plot(found, measured)), *first_cells(analysis))),
        Section("More than size?", (*against_size(analysis), *plot(band_plot(found)))),
        Section("Scores among themselves", plot(matrix_plot(found))),
        Section("What they cost", (costs(analysis),)),
        Section("Ties and failures", (counts(analysis),)),
        Section("How to read this", (Points(_reading(analysis)),)),
        Section("What was scored", (_proxies(analysis),)),
        Section("What this rests on", (Facts(_provenance(found.config)),)),
        Section("Do it again", _again(found.config)),
    )
    many = counted(sum(not each.reference for each in found.scored), "score")
    source = found.config.get("source")
    drawn = f"scores from {source['name']}" if source else f"{counted(len(found.seeds), 'seed')} of weights and images"
    return Report(
        title=f"{many} of {found.config['benchmark']['name']} against accuracy",
        lead=f"{counted(len(found.ids), 'architecture')}; {found.main.trained}; {drawn}",
        sections=sections,
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
        ("Truth", ("; ".join(f"{truth.trained}, {_runs(len(truth.runs))}"
                             for truth in found.truths),)),
    ]  # fmt: skip
    if "source" in config:
        rows.append(("Scores", (f"as {config['source']['name']} has them; {counted(len(found.seeds), 'seed')}",)))
    else:
        rows += [
            ("Images", (f"{images['name']}, batches of {config['batch']}" if images else "none",)),
            ("Seeds", (f"{len(found.seeds)}, from {config['base_seed']}: of initial weights and of the batch",)),
            ("Numbers", (f"{config.get('dtype', 'float32')} on {config.get('device') or 'cpu'}",)),
        ]
    return Facts(tuple(rows), compact=True)


def _runs(count: int) -> str:
    return f"mean over up to {counted(count, 'run')}" if count else "mean over runs"


def _reading(analysis: Analysis) -> tuple[str, ...]:
    found, config = analysis.found, analysis.found.config
    several = len(found.seeds) > 1
    lines = [
        "Every score is used with higher meaning better: what was published with lower meaning better is negated once, "
        "in its definition, and a sign is never dropped. A negative correlation is a score that orders backwards.",
        "τ is Kendall's tau-b. Equal scores share their rank; numbers about the first k are expected values over a "
        "random order within every tie.",
        f"Intervals of {LEVEL:.0%}: percentiles over {analysis.resamples:,} resamples of architectures with "
        f"replacement, seed {SEED}; {min(analysis.resamples, ELSEWHERE):,} for other truths than {found.main.words}.",
        "Those of numbers about the first k: percentiles over as many random halves of the architectures, without "
        "replacement, with k halved too (rounded up). A resample with replacement repeats architectures, so that its "
        "first k hold about a third fewer different ones: known to bias such numbers. What depends on how many "
        "architectures there are, as regret and best rank do, is still a little off: read its intervals as a spread.",
        f"The noise ceiling, “{CEILING}”, is the mean correlation of two single runs of the table's own full training, "
        "with the mean ends of their intervals. The truth of the other rows is the mean over runs, which is less "
        "noisy, so that a score may lie above it.",
        "Shorter trainings are the validation accuracy (where the table has it) of the table's own shorter runs: what "
        "the same money buys by training a little.",
        f"{config.get('mirrored', '')[:1].upper()}{config.get('mirrored', '')[1:]}. Every architecture counts "
        "once in all numbers, as it does in published ones; “one a class” counts every class once, with the mean "
        "truth of its members. Intervals take isomorphic architectures for independent, and so are a little narrow.",
    ]  # fmt: skip
    if several:
        lines.insert(2, "A score is the mean over seeds; “single seeds” is the range of what each seed alone "
                     "reaches. A seed decides the initial weights and the batch.")  # fmt: skip
    sizes = found.sizes()
    if sizes:
        lines.append(
            "Baselines that need no network (params, flops, random) are in every report, asked for or not; "
            "latency:DEVICE joins them when it is scored, where the table knows it."
        )
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
    if "source" in config:
        rows.append(("Scores", (f"{config['source']['name']}: sha256 {config['source']['sha256']}",)))
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
