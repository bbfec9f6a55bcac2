"""The command that turns a space into rows of numbers, and trains the encoders that have to learn how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .cli_options import Cluster, Datasets, Home, Jobs, RunFolder, end, integers

encoding = typer.Typer()


@encoding.command()
def encode(
    name: Annotated[str, typer.Argument(help="A benchmark, the path of a table, or a space.")],
    encoder: Annotated[str, typer.Option("--encoder", "-e", help="adjacency, path, cate, arch2vec, ...")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")],
    train: Annotated[
        bool, typer.Option("--train", help="Train the encoder first (cate, arch2vec), into the same folder.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the training, or of the encoding without one."),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(help="Weights that --train made [default: those that come with nasgauge].")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Of learned encoders: cpu, cuda, ... [default: cpu].")] = None,
    precision: Annotated[str, typer.Option(help="With --train: fp32 or bf16.")] = "fp32",
    compile_: Annotated[bool, typer.Option("--compile", help="With --train: use torch.compile.")] = False,
    home: Home = None,
) -> None:
    """Encode every architecture of a space as a row of numbers.

    Writes FOLDER/encoding.npy, (architectures, numbers) float32, in the order of ids. CATE and arch2vec answer from
    weights that come with nasgauge. --train makes others: FOLDER/weights.npz, written whole after every epoch
    (start the same command again to go on after a kill), and FOLDER/curves.csv.

    \b
    Examples:
      nasgauge encode nats-tss --encoder cate --out runs/cate
      nasgauge encode topology --encoder cate --train --out runs/cate-mine
      nasgauge encode nasbench101 -e cate --train --set layers=12 --set cross_layers=24 --device cuda \\
          --precision bf16 --out runs/cate101
      nasgauge encode topology -e path --set length=30 --out runs/paths
    """
    import numpy as np

    from . import open
    from . import searchers as _searchers  # noqa: F401  # whose encodings join the registry
    from .bench.spaces import SPACES
    from .bench.spaces import space as space_called
    from .bench.whole import whole_file
    from .proxies.encodings import vectors
    from .proxies.encodings.learned import train as train_encoder

    given = _settings(set_ or [])
    for option, asked in (("--precision", precision != "fp32"), ("--compile", compile_)):
        if asked and not train:
            raise typer.BadParameter("says how to train; give --train, too", param_hint=option)
    if train and weights is not None:
        raise typer.BadParameter("either weights that there are, or a training", param_hint="--weights, --train")
    space = space_called(name) if name in SPACES else open(name, home=home).space
    if train:
        how: dict[str, Any] = {"device": device or "cpu", "precision": precision, "compiled": compile_}
        weights = train_encoder(space, encoder, out, **how, progress=True, **given)
        print(weights, weights.with_name("curves.csv"), sep="\n")
        given = {}
    if weights is not None:
        given["weights"] = weights
    if device is not None:
        given["device"] = device
    rows = vectors(space, encoder, **given)
    path = out / "encoding.npy"
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, rows, allow_pickle=False)
    print(path)


@encoding.command()
def encodings(
    name: Annotated[str, typer.Argument(help="A benchmark, or the path of a table.")],
    encoder: Annotated[
        list[str],
        typer.Option(
            "--encoding",
            "-e",
            help="adjacency, path, cate, ...; may be given several times; predictors of "
            "the others are compared with those of the first.",
        ),
    ],
    dataset: Datasets = None,
    head: Annotated[
        list[str] | None, typer.Option(help="ridge, gp, random-forest, mlp; may be given several times [default: all].")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", "-m", help="Whose values [default: test_accuracy if there is one].")
    ] = None,
    budget: Annotated[int | None, typer.Option(help="Epochs of the training run [default: the longest].")] = None,
    sizes: Annotated[
        str, typer.Option(help="Architectures learned from, for the curves.")
    ] = "10,20,50,100,200,500,1000",
    fit_on: Annotated[int, typer.Option(help="Architectures learned from, in the fits looked at closely.")] = 100,
    draws: Annotated[int, typer.Option(help="Of each size; the same for every predictor.")] = 10,
    held: Annotated[int, typer.Option(help="At most so many architectures are predicted in each draw.")] = 1_000,
    pool: Annotated[
        int, typer.Option(help="At most so many architectures among which neighbours are looked for.")
    ] = 10_000,
    centres: Annotated[int, typer.Option(help="Architectures whose neighbours are looked at.")] = 1_000,
    neighbours: Annotated[int, typer.Option(help="How many nearest ones of each.")] = 10,
    pairs: Annotated[int, typer.Option(help="Pairs whose distances are compared with how they differ.")] = 5_000,
    mapped: Annotated[int, typer.Option(help="Architectures on the maps.")] = 1_000,
    searcher: Annotated[
        list[str] | None,
        typer.Option(
            "--searcher",
            "-s",
            help="dngo, predicted-evolution or nearest: search with every encoding, too; may be given several times.",
        ),
    ] = None,
    queries: Annotated[int, typer.Option(help="With --searcher: evaluations of a repetition.")] = 150,
    seeds: Annotated[int, typer.Option(help="With --searcher: repetitions.")] = 20,
    base_seed: Annotated[int, typer.Option(help="All random streams derive from it.")] = 0,
    jobs: Jobs = -1,
    cluster: Cluster = None,
    out: RunFolder = None,
    home: Home = None,
) -> None:
    """Measure what encodings are worth on a table.

    By predictors, neighbourhoods, maps, transfer and searches. Start the same command again to go on after a kill.
    The report of the folder has everything on one page. Fits and searches that fail are recorded, the others go on,
    and the exit code is 1.

    \b
    Examples:
      nasgauge encodings nats-tss -d cifar10 -e adjacency -e path -e cate --out runs/encodings
      nasgauge encodings nasbench101 -e path -e cate --head ridge --sizes 10,100,1000 --searcher dngo
    """
    from . import encodings, open
    from .searchers.runner.encoding_study import failed_words

    run = encodings(
        open(name, home=home), encoder, heads=head or (), dataset=dataset or (), metric=metric, budget=budget,
        sizes=integers(sizes, "--sizes"), fit_on=fit_on, draws=draws, held=held, pool=pool, centres=centres,
        neighbours=neighbours, pairs=pairs, mapped=mapped, searchers=searcher or (), queries=queries, seeds=seeds,
        base_seed=base_seed, jobs=jobs, cluster=cluster, out=out, progress=True,
    )  # fmt: skip
    print(f"{run.folder}\nnext: nasgauge report {run.folder}")
    end(failed_words(run))


def _settings(texts: list[str]) -> dict[str, Any]:
    """Values of NAME=VALUE: numbers, true, false, null, or else text."""
    answer: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"{text!r}; expected NAME=VALUE, as epochs=20", param_hint="--set")
        try:
            answer[name] = json.loads(value)
        except ValueError:
            answer[name] = value
    return answer
