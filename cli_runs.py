"""The commands that ask tables or untrained networks, architecture by architecture: score, surrogate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .cli_options import Cluster, Datasets, Home, Jobs, RunFolder, end, integers

runs = typer.Typer()


@runs.command()
def score(
    name: Annotated[str, typer.Argument(help="A benchmark, the path of a table, or a space.")],
    proxy: Annotated[
        list[str], typer.Option("--proxy", "-p", help="naswot, zen:repeats=4, all, ...; may be given several times.")
    ],
    archs: Annotated[
        list[str] | None,
        typer.Option(
            "--archs",
            metavar="N|all|ARCH",
            help="How many to draw, all of them, or an official string; "
            "`--archs id:6111` names one by its id; may be given several times.",
        ),
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="A set, an .npz or a folder of classes [default: the first data set's own].")
    ] = None,
    image_folder: Annotated[Path | None, typer.Option(help="Where the official image files lie.")] = None,
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", "-d", help="Whose ground truth is kept [default: all].")
    ] = None,
    batch: Annotated[int, typer.Option(help="Images of a minibatch.")] = 128,
    seeds: Annotated[int, typer.Option(help="Initialisations and minibatches of every architecture.")] = 1,
    base_seed: Annotated[int, typer.Option(help="The first seed; the others count up from it.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    jobs: Jobs = -1,
    cluster: Cluster = None,
    shard: Annotated[str, typer.Option(metavar="I/N", help="Only the I-th of N shares of the work.")] = "1/1",
    merge: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="First take over what another machine has of this run.")
    ] = None,
    out: RunFolder = None,
    home: Home = None,
) -> None:
    """Score untrained networks with training-free proxies.

    Start the same command again to go on after a kill. `nasgauge list` names the proxies. Architectures are drawn
    uniformly, without replacement; proxies that are asked for together share their passes. A proxy that fails on
    some networks is recorded, the run goes on, and the exit code is 1.

    \b
    Examples:
      nasgauge score nats-tss --proxy naswot --proxy knas --archs 1000 --images cifar10 --seeds 3 --out runs/proxies
      nasgauge score tss-digits --proxy all --archs all --jobs 2
      nasgauge score nats-tss -p naswot --archs all --images cifar10 --device cuda
      nasgauge score topology -p synflow -p naswot:released --images mine.npz --out runs/mine

    \b
    Over two machines, each with its own folder:
      nasgauge score tss-digits -p naswot --shard 1/2 --out one        (here)
      nasgauge score tss-digits -p naswot --shard 2/2 --out two        (there)
      nasgauge score tss-digits -p naswot --merge two --out one        (here, once two was copied)
    """
    import warnings

    from . import open, score
    from .bench.spaces import SPACES
    from .proxies.score_run import FailedScores

    bench = name if name in SPACES else open(name, home=home)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FailedScores)
        run = score(
            bench, proxy, archs=_asked(archs or ["1000"]), images=images, image_folder=image_folder, batch=batch,
            seeds=seeds, base_seed=base_seed, dataset=dataset or (), device=device, jobs=jobs, cluster=cluster,
            shard=shard, merge=merge or (), out=out, progress=True,
        )  # fmt: skip
    left, whole = run.parts_left()
    if left:
        rest = "other shards bring the rest: with the same --out, or by --merge FOLDER in place of --shard"
        print(f"{run.folder}\n{whole - left} of {whole} parts are here; {rest}")
    else:
        print(f"{run.folder}\nnext: nasgauge report {run.folder}")
    end([run.failed_words()])


def _asked(archs: list[str]) -> int | str | list[int | str]:
    """How many architectures, "all", or which."""
    if len(archs) == 1 and archs[0] == "all":
        return "all"
    if len(archs) == 1 and archs[0].isdigit():
        return int(archs[0])
    texts = [arch.removeprefix("id:") for arch in archs]
    return [int(text) if text.isdigit() else text for text in texts]


@runs.command()
def surrogate(
    name: Annotated[str, typer.Argument(help="A benchmark, a path, or several joined by +.")],
    dataset: Datasets = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help="surrogate, tw-gp, wl-gp, path+ridge, ...; may be given several times; the others are "
            "compared with the first [default: surrogate]."
        ),
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", "-m", help="What to predict [default: test_accuracy if there is one].")
    ] = None,
    budget: Annotated[int | None, typer.Option(help="Epochs of the training run [default: the longest].")] = None,
    scale: Annotated[
        str, typer.Option(help="What is learned: log-error, -log(101 - accuracy), or plain.")
    ] = "log-error",
    fit_on: Annotated[int, typer.Option(help="Architectures learned from, in the fits looked at closely.")] = 500,
    sizes: Annotated[str, typer.Option(help="Architectures learned from, for the curves.")] = "50,100,200,500,1000",
    draws: Annotated[int, typer.Option(help="Of each size; the same for every model.")] = 10,
    base_seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    held: Annotated[int, typer.Option(help="At most so many architectures are predicted in each draw.")] = 5_000,
    jobs: Jobs = -1,
    cluster: Cluster = None,
    out: RunFolder = None,
    home: Home = None,
) -> None:
    """Measure how well a few architectures predict all others.

    By rank correlation, error, and how true the intervals are. Start the same command again to go on after a kill.
    Fits that fail are recorded, the others go on, and the exit code is 1.

    \b
    Models: surrogate (ensembles of trees), a Gaussian process (tw-gp, tw-2-gp, wl-gp, path-gp, hamming-gp,
    nasbot-gp), or ENCODING+HEAD with the heads ridge, gp, random-forest and mlp.

    \b
    Examples:
      nasgauge surrogate nats-tss --dataset cifar10
      nasgauge surrogate nats-tss -d cifar10 -d cifar100 --model tw-gp --model wl-gp --model path+ridge \\
          --sizes 20,50,100,200,500,1000 --jobs 2 --out runs/predictors
      nasgauge surrogate nasbench101 --fit-on 1000 --sizes 100,1000,4000 --draws 3
    """
    import warnings

    from . import open, surrogate
    from .searchers.runner.stretching import FailedFits, failed_words

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FailedFits)
        run = surrogate(
            open(name, home=home), model or ("surrogate",), dataset=dataset or (), metric=metric, budget=budget,
            scale=scale, fit_on=fit_on, sizes=integers(sizes, "--sizes"), draws=draws, base_seed=base_seed, held=held,
            jobs=jobs, cluster=cluster, out=out, progress=True,
        )  # fmt: skip
    print(f"{run.folder}\nnext: nasgauge report {run.folder}")
    end([failed_words(run)])
