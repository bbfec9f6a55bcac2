"""The report on a comparison of searchers: what came out, curves, tables, and what all of it rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ...searchers.runner.run import Run
from ..blocks import Alarm, Block, Facts, Findings, Listing, Plot, Points, Section, Text
from ..page import slug
from ..panels import Panel
from ..report import Report
from ..view import View
from ..words import counted, joined, number, p_value
from . import contest, sentences
from .arrivals import arrival_grid, arrival_plot, arrival_views
from .asked import SPLITS, Asked, Task
from .checklist import checklist
from .found_cells import found_cells
from .grids import effort_grid, final_grid, quality_grid
from .milestones import targets
from .objectives import Fronts
from .outcome import Outcome, curve_table, expected_table, outcome
from .parallel import parallel_blocks, parallel_figures
from .plots import file_names, interactive_plot, paper_figures
from .provenance import provenance, reading, told_live
from .sentences import SPLIT_WORDS


def comparison(run: Run) -> Report:
    """The report on a run of kind "compare"; the same folder gives the same bytes.

    Raises:
        BadFile: run.json or a part is damaged, or holds what was never asked for.
        MissingFile: the run has no finished part yet.
    """
    found = outcome(run)
    asked = found.asked
    several = len(asked.labels) > 1
    fronts = Fronts(found) if asked.objective2 and any(task.reference for task in found.tasks) else None
    ranks = contest.rank_views(found) if several and found.tasks else {}
    arrivals = {task.dataset: arrival_views(found, task) for task in found.tasks}
    figures = _figures(found, fronts, ranks, arrivals)
    tables = dict(found.tables)
    if fronts is not None:
        import pandas as pd

        tables["fronts"] = pd.DataFrame(fronts.rows)
    if len(found.failures):
        tables["failures"] = found.failures.drop(columns="traceback")
    if found.curves:
        tables["curves"] = curve_table(found)
    if found.expected:
        tables["random-closed-form"] = expected_table(found)
    first: tuple[Block, ...] = (*_alarms(found), *_first_failure(found), _summary(found), _facts(asked))
    sections = [Section("", first)]
    if several and found.tasks:
        sections.append(Section("Who is ahead", _ahead(found, ranks)))
    sections.extend(
        Section(task.dataset, _task_blocks(found, task, figures, arrivals.get(task.dataset, {})))
        for task in asked.tasks
    )
    if fronts is not None:
        sections.append(Section("Two objectives", fronts.blocks()))
    if asked.workers > 1:
        sections.append(Section("Several trainers", parallel_blocks(found)))
    sections += [
        Section("How to read this", (Points(reading(asked)),)),
        Section("What this rests on", (Facts(provenance(asked)),)),
        Section("Checklist", (Text((CHECKLIST,)), checklist(found))),
        Section("Do it again", _again(run, asked)),
    ]
    return Report(
        title=sentences.title(asked),
        lead=f"{joined(task.dataset for task in asked.tasks)}; {counted(asked.seeds, 'repetition')} of each "
        f"searcher on each data set, each of {sentences.budget(asked)}"
        + ("; what searchers were told was trained live" if asked.live else ""),
        sections=tuple(sections),
        figures=figures,
        tables=tables,
    )


PREDICTED_WORDS = {
    "search": "what searchers were told",
    **{split: f"{words} accuracies of what they found" for split, words in SPLIT_WORDS.items()},
}
CHECKLIST = (
    "The NAS best-practices checklist of Lindauer & Hutter (JMLR 2020), answered from what the run recorded; questions "
    "that a run cannot answer are left to its author."
)


def _figures(
    found: Outcome, fronts: Fronts | None, ranks: Mapping[tuple[str, str], View],
    arrivals: Mapping[str, Mapping[tuple[str, str], View]],
) -> dict[str, tuple[Panel, ...]]:  # fmt: skip
    """Everything for paper, by file name."""
    figures = paper_figures(found)
    names = file_names(found)
    for task in found.tasks:
        if views := arrivals[task.dataset]:
            axis = found.axes(task.dataset)[0]
            figures[f"{names[task.dataset]}-arrivals"] = tuple(views[target, axis] for target in targets(task, "test"))
        if len(found.runs(task.dataset)) > 1:
            figures[f"{names[task.dataset]}-pairs"] = (contest.pair_matrix(found, task),)
    if len(found.asked.labels) > 1 and found.tasks:
        for axis in sentences.AXIS_WORDS:
            if shown := tuple(view for (_, its), view in ranks.items() if its == axis):
                figures[f"ranks-{axis}"] = shown
                break
        if (diagram := contest.critical_differences(found, contest.over_tasks(found))) is not None:
            figures["critical-differences"] = (diagram,)
        if len(found.tasks) > 1:
            figures["final-regret"] = (contest.regret_matrix(found),)
    return {**figures, **parallel_figures(found), **(fronts.figures() if fronts is not None else {})}


def _alarms(found: Outcome) -> list[Alarm]:
    """What is not there, with counts, and what nobody measured."""
    alarms = []
    predicted = [
        f"{task.dataset}: {joined(PREDICTED_WORDS[name] for name in task.predicted)}"
        for task in found.asked.tasks
        if task.predicted
    ]
    if predicted:
        last = "Differences between searchers can be those of the surrogate; train what was found (nasgauge verify)."
        alarms.append(Alarm("Accuracies are predicted, not measured", (*predicted, last)))
    if len(found.failures):
        counts = found.failures.groupby(["dataset", "searcher"], sort=False, observed=True)
        lines = [
            f"{dataset}, {searcher}: {counted(frame['seed'].nunique(), 'repetition')}, e.g. seed "
            f"{frame['seed'].iloc[0]} at query {frame['query'].iloc[0]}: {frame['error'].iloc[0]}"
            for (dataset, searcher), frame in counts
        ]
        last = "They are in no number below; which ones they are stands in failures.csv."
        alarms.append(Alarm(f"{counted(len(found.failures), 'repetition')} failed", (*lines, last)))
    if found.gaps:
        expected = found.asked.seeds * len(found.asked.tasks) * len(found.asked.labels)
        lost = sum(gap.expected - gap.found for gap in found.gaps)
        lines = [
            f"{gap.dataset}, {gap.searcher}: {gap.found:,} of {gap.expected:,} repetitions"
            + (f" ({gap.failed:,} failed)" if gap.failed else "")
            for gap in found.gaps
        ]
        last = "All numbers below are of the repetitions that are there; the same command completes the run."
        alarms.append(Alarm(f"Incomplete: {lost:,} of {expected:,} repetitions are missing", (*lines, last)))
    unknown = [
        f"{row.dataset}, {row.searcher}: {row.missing:,} of {row.missing + row.runs:,} final incumbents have no "
        f"{SPLIT_WORDS[row.split]} accuracy in the table and are left out of every number on it"
        for row in found.tables["final"].itertuples()
        if row.missing
    ]
    if unknown:
        alarms.append(Alarm("Some architectures that were found have no reported accuracy", tuple(unknown)))
    lacking = [task.dataset for task in found.asked.tasks if task.dataset not in found.expected]
    if lacking:
        line = f"Not in the run folder: {joined(f'expectation-{name}.parquet' for name in lacking)}."
        alarms.append(Alarm("The closed-form line of random search is missing", (line,)))
    return alarms


def _first_failure(found: Outcome) -> list[Listing]:
    """Where the first of the failed repetitions broke off."""
    if not len(found.failures):
        return []
    return [Listing("Where the first one broke off", str(found.failures["traceback"].iloc[0]), folded=True)]


def _summary(found: Outcome) -> Findings:
    items = []
    for task in found.asked.tasks:
        final = found.rows("final", task.dataset, split="test")
        pairs = found.rows("pairs", task.dataset, split="test", reference=found.asked.labels[0])
        items += sentences.findings(task, found.asked, final, pairs)
    return Findings(tuple(items))


def _facts(asked: Asked) -> Facts:
    benchmark, task = asked.benchmark, asked.tasks[0]
    distinct = f", {benchmark.classes:,} up to isomorphism" if benchmark.classes is not None else ""
    told = "the mean over an architecture's runs" if asked.trial == "mean" else "one run of an architecture, drawn anew"
    told = told_live(asked.live) if asked.live else told
    same = len({(each.search_budget, each.report_budget) for each in asked.tasks}) == 1
    lengths = f"after {task.search_budget} epochs, " if same else ""
    reported = f"after {task.report_budget} epochs, mean over runs" if same else "see below"
    return Facts(
        (
            ("Benchmark", (benchmark.title,)),
            ("Space", (f"{benchmark.space}: {benchmark.architectures:,} architectures{distinct}",)),
            ("One repetition", (sentences.budget(asked),)),
            ("Searchers are told", (f"validation accuracy {lengths}{told}",)),
            ("Reported accuracy", (reported,)),
            ("Repetitions", (f"{asked.seeds:,} of each searcher, base seed {asked.base_seed}",)),
        ),
        compact=True,
    )


def _ahead(found: Outcome, ranks: Mapping[tuple[str, str], View]) -> tuple[Block, ...]:
    """All searchers on all data sets: final regret, ranks over the budget, the test over data sets."""
    blocks: list[Block] = []
    if len(found.tasks) > 1:
        picture = Plot(
            "final-regret", {"Show": (("final", "final"),)}, {("final",): contest.regret_matrix(found)},
            ("final-regret",),
            "Mean test regret at the end of the budget [points]; the darker, the better its rank on that data set.",
        )  # fmt: skip
        blocks.append(picture)
    if ranks:
        blocks.append(contest.rank_plot(found, ranks))
    tested = contest.over_tasks(found)
    diagram = contest.critical_differences(found, tested)
    if diagram is None:
        blocks.append(Text((f"No test over data sets (Friedman, Nemenyi): {tested.refused}.",)))
    else:
        said = f"Friedman's test over {tested.tasks} data sets (Iman & Davenport's F): p {p_value(tested.p)}."
        caption = (
            "Mean rank by mean final test accuracy, 1 the best; bars join searchers whose ranks differ by less than "
            f"Nemenyi's critical difference at 5 %. {said}"
        )
        switch = {"Show": (("ranks", "ranks"),)}
        blocks.append(Plot("critical", switch, {("ranks",): diagram}, ("critical-differences",), caption))
    if len(found.tasks) > 1:
        blocks.append(contest.verdict_grid(found))
    return tuple(blocks)


def _task_blocks(
    found: Outcome, task: Task, figures: Mapping[str, tuple[Panel, ...]], arrivals: Mapping[tuple[str, str], View]
) -> tuple[Block, ...]:
    """Everything about one data set."""
    best = [
        f"{number(optimum.value)} % {SPLIT_WORDS[name]} (architecture {optimum.id}; {optimum.rule})"
        for name in SPLITS
        if (optimum := task.optimum[name]) is not None
    ]
    blocks: list[Block] = [Text((f"Best of the table: {joined(best)}.",))] if best else []
    there = found.runs(task.dataset)
    if found.axes(task.dataset):
        blocks.append(interactive_plot(found, task, figures))
    blocks += [final_grid(found, task, name) for name in SPLITS]
    if len(there) > 1:
        if found.asked.labels[0] in there:
            blocks.append(contest.paired_grid(found, task))
        if len(there) > 2:
            blocks.append(contest.pair_plot(found, task))
    if arrivals:
        blocks += [arrival_plot(found, task, arrivals), arrival_grid(found, task)]
    if there:
        blocks += [quality_grid(found, task), effort_grid(found, task)]
    if (cells := found_cells(found, task)) is not None:
        blocks.append(cells)
    return tuple(blocks)


def _again(run: Run, asked: Asked) -> tuple[Block, ...]:
    """How to get the same numbers once more."""
    blocks: list[Block] = []
    if (run.folder / "study.toml").is_file():
        study = (run.folder / "study.toml").read_text(encoding="utf-8")
        text = (
            "In the run folder, “nasgauge report .” writes this page, every figure and every table again from what was "
            "recorded. The folder also holds the study that it is; this runs it again and reports on it.",
        )
        folder = slug(asked.benchmark.name)
        commands = f"nasgauge compare study.toml --out {folder}-again\nnasgauge report {folder}-again"
        blocks += [Text(text), Listing("Command", commands), Listing("study.toml", study, folded=True)]
    else:
        text = ("This runs it again; the last line alone writes this page, every figure and every table.",)
        blocks += [Text(text), Listing("Command", sentences.command(asked) + "\nnasgauge report RUN-FOLDER")]
    blocks.append(
        Listing("run.json", json.dumps(run.config, indent=1, sort_keys=True, ensure_ascii=False), folded=True)
    )
    if asked.benchmark.description:
        blocks.append(Listing(f"What {asked.benchmark.name} holds", asked.benchmark.description, folded=True))
    return tuple(blocks)
