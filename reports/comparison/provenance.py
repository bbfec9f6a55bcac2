"""What a comparison rests on, and how its numbers are to be read: the words below every page."""

from __future__ import annotations

from typing import TypeAlias

from ..statistics import RESAMPLES, SEED
from ..words import counted, joined, number
from .asked import SPLITS, Asked, Benchmark, Live, Optimum, Source, Task
from .milestones import EQUAL
from .sentences import SPLIT_WORDS, budget

Row: TypeAlias = tuple[str, tuple[str, ...]]

TRIALS = {
    "mean": "the mean over all runs of the architecture in the table",
    "random": "one run of the architecture, drawn anew for every evaluation, with the cost of that run",
}


def provenance(asked: Asked) -> tuple[Row, ...]:
    """Files with checksums, space, splits, gaps, costs, seeds, software and host, as terms and lines."""
    crossing = "counts, as in the official protocol" if asked.count_last else "does not count"
    settings = (
        f"{each.label}: {', '.join([each.name, *(f'{key}={value}' for key, value in each.settings.items())])}"
        for each in asked.searchers
    )
    repeated = f"{counted(asked.seeds, 'repetition')} of each searcher on each data set, base seed {asked.base_seed}"
    return (
        *_benchmark(asked.benchmark),
        *(_task(task, asked.live) for task in asked.tasks),
        *((_trained(asked.live),) if asked.live else ()),
        ("Searchers", tuple(settings)),
        ("Budget", (f"{budget(asked)}; the evaluation that crosses it {crossing}",)),
        ("Clock", _clock(asked)),
        *((("Second objective", _second(asked)),) if asked.objective2 or asked.constraint else ()),
        ("Seeds", (
            repeated,
            f"the value told is {told_live(asked.live) if asked.live else TRIALS.get(asked.trial, asked.trial)}",
            f"bootstrap: {RESAMPLES:,} resamples, seed {SEED}",
        )),
        ("Software", (
            ", ".join(f"{name} {version}" for name, version in asked.versions.items()),
            f"commit {asked.git or 'unknown'}",
        )),
        ("Host", (
            ", ".join(f"{name} {value}" for name, value in asked.host.items()),
            f"first started {asked.started or 'at an unknown time'}",
        )),
    )  # fmt: skip


def told_live(live: Live) -> str:
    """Of which trainings the value that a searcher is told is."""
    seeds = joined(map(str, live.seeds))
    if len(live.seeds) == 1:
        return f"that of one training of the architecture, done live with seed {seeds}"
    return f"the mean over {len(live.seeds)} trainings of the architecture, done live with seeds {seeds}"


def _trained(live: Live) -> Row:
    """On what, how and where the values told were trained."""
    same = {True: "the very pictures of the table", False: "other pictures than the table's"}
    counts = joined(f"{count:,} {split}" for split, count in live.pictures.items())
    return "Trained live", (
        "what searchers are told was trained for the search, once for each isomorphism class and length, with seeds "
        f"that the table does not have: {joined(map(str, live.seeds))}",
        f"images: {live.images}, {counts}, sha256 {live.sha256}"
        + ("" if live.as_tabulated is None else f"; {same[live.as_tabulated]}"),
        f"protocol: {live.protocol}",
        f"device: {live.device}",
        "validation and test accuracies reported, the best, and random search in closed form are the table's",
    )


def _clock(asked: Asked) -> tuple[str, ...]:
    """Trainers, and how longer trainings are charged."""
    several = f"{asked.workers} trainers at a time, {asked.mode}" if asked.workers > 1 else "one training after another"
    longer = "goes on from a shorter one and costs the difference" if asked.resume else "is charged in full"
    lengths = any(len(task.budgets) > 1 for task in asked.tasks)
    scores = f"proxy scores: {asked.scores}; their measured seconds are a column of their own" if asked.scores else ""
    return tuple(filter(None, (several, f"a longer training {longer}" if lengths else "", scores)))


def _second(asked: Asked) -> tuple[str, ...]:
    """The second objective and the hard limit."""
    left = (
        f"{task.dataset}: {task.allowed:,} of {asked.benchmark.architectures:,} architectures allowed"
        for task in asked.tasks
        if asked.constraint and task.allowed is not None
    )
    said = (
        f"{asked.objective2}, smaller is better" if asked.objective2 else "",
        f"hard limit: {asked.limit}; what exceeds it is told as no number and never trained" if (
            asked.constraint) else "",
    )  # fmt: skip
    return (*filter(None, said), *left)


def reading(asked: Asked) -> tuple[str, ...]:
    """What the words and numbers of the page mean."""
    kinds = joined(sorted({task.cost_provenance for task in asked.tasks}))
    seconds = f"Simulated seconds are {kinds} costs of training, taken from the table; nothing was trained here."
    if asked.live:
        seconds = (
            "Simulated seconds are those that the live trainings took on this host, added up on the clock of one "
            "search: an architecture asked again is charged again. Those of random search in closed form are the "
            f"table's ({kinds})."
        )
    return (
        "The incumbent is the evaluation with the largest value told so far, among those of the longest training so "
        "far; the first one wins ties. Test accuracy never chooses it and is looked up afterwards.",
        "Regret is the best of the table minus the incumbent, in points of accuracy; each data set states the rule by "
        "which its best is the best.",
        f"95 % intervals are bootstrap intervals of the mean over repetitions (BCa, {RESAMPLES:,} resamples of whole "
        "repetitions). They say how well the mean is known, not how far single runs lie apart.",
        "How far single runs lie apart is told by the standard deviation of the sample, the quartiles and the drawn "
        "spread: all runs (line), their middle half (bar), median (tick) and mean (dot).",
        "IQM is the mean of the middle half of the repetitions: a quarter is cut at each end (Agarwal et al. 2021); "
        "its interval is Tukey & McLaughlin's.",
        "Seeds are paired in tests: runs of one seed are compared with each other. p-values are of the two-sided "
        "Wilcoxon signed-rank test (a tie counts half for each side), adjusted by Holm over all pairs of searchers on "
        "one data set and split; verdicts such as “beats” are at 5 % of the adjusted p, where mean and "
        "ranks of the differences agree on the side.",
        "Seeds are no tasks: the test over data sets (Friedman, Nemenyi) uses one number for each searcher and data "
        "set, its mean final test accuracy, and is refused where data sets are too few.",
        f"At optimum is the share of repetitions that end within {EQUAL:.5f} points of the best of the table.",
        "Random search in closed form is the exact expectation of drawing uniformly with the same budget; nothing is "
        "sampled for it.",
        seconds,
    )


def _benchmark(benchmark: Benchmark) -> tuple[Row, ...]:
    classes = "not counted" if benchmark.classes is None else f"{benchmark.classes:,}"
    tables = tuple(f"{name} sha256 {digest}".strip() for name, digest in benchmark.tables.items())
    return (
        ("Benchmark", (f"{benchmark.name}: {benchmark.title}", f"licence: {benchmark.licence}")),
        ("Table", tables or ("checksum unknown",)),
        ("Made from", tuple(_source(source) for source in benchmark.sources) or ("no source recorded",)),
        ("Space", (
            f"{benchmark.space}: {counted(benchmark.architectures, 'architecture')}",
            f"distinct up to isomorphism: {classes}",
            f"sampling law: {benchmark.sampling_law}",
        )),
    )  # fmt: skip


def _source(source: Source) -> str:
    size = f", {source.size:,} bytes" if source.size else ""
    return f"{source.name}{size}, sha256 {source.sha256 or 'unknown'}, {source.url or 'no address'}"


def _task(task: Task, live: Live | None) -> Row:
    """What is known of one data set: splits in words, gaps, optimum, cost."""
    gaps = joined(f"{count:,} {SPLIT_WORDS.get(name, name)}" for name, count in task.missing.items())
    told = task.search_metric.replace("valid_", "validation ").replace("_", " ")
    means = [
        f"{number(mean)} % {SPLIT_WORDS[name]}" for name in SPLITS if (mean := task.mean_of_space[name]) is not None
    ]
    lengths = joined(f"{length:,}" for length in task.budgets)
    return task.dataset, (
        f"searchers are told: {told} after {task.search_budget} epochs "
        + ("(trained live)" if live else f"({task.search_words})"),
        *((f"searchers may ask for trainings of {lengths} epochs",) if len(task.budgets) > 1 else ()),
        *(f"{SPLIT_WORDS[name]}: after {task.report_budget} epochs ({task.words[name]})" for name in SPLITS),
        *(f"best {SPLIT_WORDS[name]}: {_optimum(task.optimum[name])}" for name in SPLITS),
        f"mean architecture: {joined(means) or 'unknown'}",
        f"architectures without a number: {gaps}",
        "cost of one evaluation: its trainings and their validation (measured live)"
        if live
        else f"cost of one evaluation: {task.cost_words or 'training'} ({task.cost_provenance})",
    )


def _optimum(best: Optimum | None) -> str:
    return "not known" if best is None else f"{number(best.value, 4)} %, architecture {best.id}, {best.rule}"
