"""The report on a comparison of searchers: what came out, curves, tables, and what all of it rests on."""

from __future__ import annotations

import json

from ...searchers.run import Run
from ..blocks import Alarm, Block, Facts, Findings, Listing, Points, Section, Text
from ..report import Report
from ..view import View
from ..words import counted, joined, number
from . import sentences
from .asked import SPLITS, Asked, Task
from .grids import effort_grid, final_grid, paired_grid, rows_of
from .outcome import Outcome, curve_table, expected_table, outcome
from .plots import interactive_plot, paper_figures
from .provenance import provenance, reading
from .sentences import SPLIT_WORDS


def comparison(run: Run) -> Report:
    """The report on a run of kind "compare"; the same folder gives the same bytes.

    Raises:
        BadFile: run.json or a part is damaged, or holds what was never asked for.
        MissingFile: the run has no finished part yet.
    """
    found = outcome(run)
    asked = found.asked
    figures = paper_figures(found)
    tables = {"final": found.final, "paired": found.paired, "effort": found.effort, "incumbents": found.incumbents}
    if found.curves:
        tables["curves"] = curve_table(found)
    if found.expected:
        tables["random-closed-form"] = expected_table(found)
    return Report(
        title=sentences.title(asked),
        lead=f"{joined(task.dataset for task in asked.tasks)}; {counted(asked.seeds, 'repetition')} of each "
        f"searcher on each data set, each of {sentences.budget(asked)}",
        sections=(
            Section("", (*_alarms(found), _summary(found), _facts(asked))),
            *(Section(task.dataset, _task_blocks(found, task, figures)) for task in asked.tasks),
            Section("How to read this", (Points(reading(asked)),)),
            Section("What this rests on", (Facts(provenance(asked)),)),
            Section("Do it again", _again(run, asked)),
        ),
        figures=figures,
        tables={name: table for name, table in tables.items() if len(table)},
    )


def _alarms(found: Outcome) -> list[Alarm]:
    """What is not there, with counts."""
    alarms = []
    if found.gaps:
        expected = found.asked.seeds * len(found.asked.tasks) * len(found.asked.labels)
        lost = sum(gap.expected - gap.found for gap in found.gaps)
        lines = [f"{gap.dataset}, {gap.searcher}: {gap.found:,} of {gap.expected:,} repetitions" for gap in found.gaps]
        last = "All numbers below are of the repetitions that are there; the same command completes the run."
        alarms.append(Alarm(f"Incomplete: {lost:,} of {expected:,} repetitions are missing", (*lines, last)))
    unknown = [
        f"{row.dataset}, {row.searcher}: {row.missing:,} of {row.missing + row.runs:,} final incumbents have no "
        f"{SPLIT_WORDS[row.split]} accuracy in the table and are left out of every number on it"
        for row in found.final.itertuples()
        if row.missing
    ]
    if unknown:
        alarms.append(Alarm("Some architectures that were found have no reported accuracy", tuple(unknown)))
    lacking = [task.dataset for task in found.asked.tasks if task.dataset not in found.expected]
    if lacking:
        line = f"Not in the run folder: {joined(f'expectation-{name}.parquet' for name in lacking)}."
        alarms.append(Alarm("The closed-form line of random search is missing", (line,)))
    return alarms


def _summary(found: Outcome) -> Findings:
    items = []
    for task in found.asked.tasks:
        final, paired = (rows_of(table, task.dataset, "test") for table in (found.final, found.paired))
        items += sentences.findings(task, found.asked, final, paired)
    return Findings(tuple(items))


def _facts(asked: Asked) -> Facts:
    benchmark, task = asked.benchmark, asked.tasks[0]
    distinct = f", {benchmark.classes:,} up to isomorphism" if benchmark.classes is not None else ""
    told = "the mean over an architecture's runs" if asked.trial == "mean" else "one run of an architecture, drawn anew"
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


def _task_blocks(found: Outcome, task: Task, figures: dict[str, tuple[View, ...]]) -> tuple[Block, ...]:
    """Everything about one data set."""
    best = [
        f"{number(optimum.value)} % {SPLIT_WORDS[name]} (architecture {optimum.id}; {optimum.rule})"
        for name in SPLITS
        if (optimum := task.optimum[name]) is not None
    ]
    blocks: list[Block] = [Text((f"Best of the table: {joined(best)}.",))] if best else []
    if any(dataset == task.dataset for dataset, *_ in found.curves):
        blocks.append(interactive_plot(found, task, figures))
    blocks += [final_grid(found, task, name) for name in SPLITS]
    if len(found.asked.labels) > 1 and len(rows_of(found.paired, task.dataset, "test")):
        blocks.append(paired_grid(found, task))
    effort = found.effort[found.effort["dataset"] == task.dataset] if len(found.effort) else found.effort
    if len(effort):
        blocks.append(effort_grid(found.asked, effort))
    return tuple(blocks)


def _again(run: Run, asked: Asked) -> tuple[Block, ...]:
    """How to get the same numbers once more."""
    blocks: list[Block] = [
        Listing("Command", sentences.command(asked)),
        Listing("run.json", json.dumps(run.config, indent=1, sort_keys=True, ensure_ascii=False), folded=True),
    ]
    if asked.benchmark.description:
        blocks.append(Listing(f"What {asked.benchmark.name} holds", asked.benchmark.description, folded=True))
    return tuple(blocks)
