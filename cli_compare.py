"""The command that compares searchers: asked option by option, or by a study file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .cli_options import Cluster, Datasets, Home, Jobs, RunFolder, end, integers

comparing = typer.Typer()


@comparing.command()
def compare(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="BENCHMARK|STUDY.toml", help="A benchmark, the path of a table, or a study file.")
    ],
    searcher: Annotated[
        list[str] | None, typer.Option("--searcher", "-s", help="May be given several times; NAME or NAME:PRESET.")
    ] = None,
    out: RunFolder = None,
    dataset: Datasets = None,
    seconds: Annotated[float | None, typer.Option(help="Budget of one repetition in simulated seconds.")] = None,
    queries: Annotated[int | None, typer.Option(help="Budget of one repetition in evaluations.")] = None,
    seeds: Annotated[int, typer.Option(help="Repetitions of every searcher.")] = 100,
    base_seed: Annotated[int, typer.Option(help="All random streams derive from it.")] = 0,
    budget: Annotated[
        int | None, typer.Option(help="Epochs of a training during search [default: the shortest].")
    ] = None,
    report_budget: Annotated[
        int | None, typer.Option(help="Epochs of the trainings reported [default: the longest].")
    ] = None,
    budgets: Annotated[
        str | None, typer.Option(help="Epochs a multi-fidelity searcher can ask for, as 12,200 [default: all].")
    ] = None,
    trial: Annotated[
        str, typer.Option(help="'mean' over runs, or 'random': one run drawn for each evaluation.")
    ] = "mean",
    count_last: Annotated[
        bool, typer.Option(help="Whether the evaluation that crosses the budget counts, as officially.")
    ] = True,
    workers: Annotated[
        list[int] | None,
        typer.Option(
            "--workers",
            "-w",
            help="Simulated trainers that run at a time; given several times: a sweep "
            "over their number, with a report of its own [default: 1].",
        ),
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(
            help="With several trainers: 'async' (nobody waits), 'sync' (batches with a barrier); in a sweep "
            "may be given twice [default: async]."
        ),
    ] = None,
    batch_of_trainers: Annotated[
        bool, typer.Option(help="In a sweep: whether searchers that think in batches think of one for all trainers.")
    ] = True,
    resume: Annotated[
        bool, typer.Option(help="Whether a longer training goes on from a shorter one, or is charged in full.")
    ] = False,
    objective2: Annotated[
        str | None, typer.Option(help="Record a second objective: flops_millions, latency_ms:DEVICE, ...")
    ] = None,
    limit: Annotated[str | None, typer.Option(help="A hard limit, as 'flops_millions<=50'.")] = None,
    scores: Annotated[
        Path | None, typer.Option(help="Proxy scores, for searchers that use them: a run of `score`, or a CSV.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Train for real what searchers ask; what they found is looked up.")
    ] = False,
    live_seeds: Annotated[int, typer.Option(help="With --live: trainings of every class.")] = 1,
    images: Annotated[
        str | None, typer.Option(help="With --live: a set, an .npz or a folder of classes [default: the data set's].")
    ] = None,
    image_folder: Annotated[Path | None, typer.Option(help="With --live: where the official files lie.")] = None,
    limit_images: Annotated[int | None, typer.Option(help="With --live: at most so many images of a split.")] = None,
    size: Annotated[int | None, typer.Option(help="With --live: make images smaller, to this side.")] = None,
    device: Annotated[str, typer.Option(help="With --live: cpu, cuda, cuda:1, ...")] = "cpu",
    jobs: Jobs = -1,
    cluster: Cluster = None,
    home: Home = None,
) -> None:
    """Run searchers on a benchmark, many times, on a simulated clock.

    Start the same command again to go on after a kill. `nasgauge list` names the searchers, `python -m pydoc
    nasgauge.searchers` their presets. A study file (TOML) says all of it but --out, --jobs, --cluster and --home;
    every run folder holds the one that reproduces it. Failed repetitions are recorded, the others go on, and the
    exit code is 1.

    \b
    Examples:
      nasgauge compare nats-tss --searcher random --searcher evolution --dataset cifar10 \\
          --seconds 12000 --seeds 100 --out runs/first
      nasgauge compare nats-tss -s random -s evolution --seconds 12000 --workers 8 --mode sync
      nasgauge compare nats-tss -s tw-gp-batch -s random -d cifar10 --seconds 12000 -w 1 -w 2 -w 4 -w 8
      nasgauge compare nats-tss+hw-nas-bench -s evolution -d cifar10 --queries 300 \\
          --objective2 latency_ms:edgegpu --limit "flops_millions<=50"
      nasgauge compare tss-digits -s random -s evolution --queries 50 --seeds 5 --live
      nasgauge compare study.toml --out runs/second --cluster tcp://10.0.0.1:8786
    """
    import warnings

    from . import compare, open, study
    from .searchers.runner.run import FailedRepetitions
    from .searchers.runner.study import parse_limit
    from .searchers.runner.sweep import comparisons

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FailedRepetitions)
        if name.endswith(".toml"):
            _refuse_beside_study(context)
            run = study(name, out=out, jobs=jobs, cluster=cluster, home=home, progress=True)
        else:
            how = {"seeds": live_seeds, "images": images, "image_folder": image_folder, "limit": limit_images,
                   "size": size, "device": device}  # fmt: skip
            if not live:
                _refuse_without_live(context)
            run = compare(
                open(name, home=home), searcher or (), dataset=dataset or (), seconds=seconds, queries=queries,
                seeds=seeds, base_seed=base_seed, budget=budget, report_budget=report_budget,
                budgets=None if budgets is None else integers(budgets, "--budgets"),
                trial=trial, count_last=count_last, workers=_one_or_all(workers, 1), resume=resume,  # type: ignore[arg-type]
                mode=_one_or_all(mode, "async"), batch_of_trainers=batch_of_trainers,
                objective2=objective2, constraint=None if limit is None else parse_limit(limit), scores=scores,
                live=how if live else False, jobs=jobs, cluster=cluster, out=out, progress=True,
            )  # fmt: skip
    print(f"{run.folder}\nnext: nasgauge report {run.folder}")
    end(each.failed_words() for each in comparisons(run))


def _one_or_all(given: list[Any] | None, default: Any) -> Any:
    """An option that may be given several times: its one value, or all of them."""
    values = given or [default]
    return values[0] if len(values) == 1 else values


def _refuse_without_live(context: typer.Context) -> None:
    """An option that says how to train has nothing to say where nothing is trained."""
    for option in ("live_seeds", "images", "image_folder", "limit_images", "size", "device"):
        source = context.get_parameter_source(option)
        if source is not None and source.name != "DEFAULT":
            flag = "--" + option.replace("_", "-")
            raise typer.BadParameter("says how to train live; give --live, too", param_hint=flag)


def _refuse_beside_study(context: typer.Context) -> None:
    """An option that the study file already answers is a question with two answers."""
    free = {"name", "out", "jobs", "cluster", "home"}
    for option in context.params:
        source = context.get_parameter_source(option)
        if option not in free and source is not None and source.name != "DEFAULT":
            flag = "--" + option.replace("_", "-")
            raise typer.BadParameter("the study file says it; change the file", param_hint=flag)
