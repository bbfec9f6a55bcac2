"""The commands that train networks for real, or predict what was not trained: verify, build, predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .cli_options import Cluster, Home, Jobs, RunFolder, architectures, say

trainings = typer.Typer()


@trainings.command()
def verify(
    name: Annotated[str, typer.Argument(help="A benchmark or the path of a table.")],
    archs: Annotated[list[str] | None, typer.Argument(metavar="ARCH...", help="Ids or official strings.")] = None,
    stratified: Annotated[
        int, typer.Option(help="So many further architectures, one from each stratum of the tabulated accuracy.")
    ] = 0,
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Which data set.")] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", "-m", help="What to compare [default: valid_accuracy if there is one].")
    ] = None,
    budget: Annotated[
        int | None, typer.Option(help="The table's training length in epochs [default: the shortest].")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Trainings of every architecture.")] = 3,
    base_seed: Annotated[
        int | None,
        typer.Option(
            help="The first seed; the others count up from it [default: 0; after those of a table built here]."
        ),
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="A set, an .npz or a folder of classes [default: the data set's own].")
    ] = None,
    image_folder: Annotated[Path | None, typer.Option(help="Where the official image files lie.")] = None,
    validation: Annotated[
        str | None, typer.Option(help="'standard', 'nb201', 'none', or a share [default: as the table was made].")
    ] = None,
    limit_images: Annotated[int | None, typer.Option(help="Only the first so many images of every split.")] = None,
    size: Annotated[int | None, typer.Option(help="Make images smaller, to this side in pixels.")] = None,
    recipe: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="Change the recipe; may be given several times.")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    compile_: Annotated[bool, typer.Option("--compile", help="Run networks through torch.compile.")] = False,
    channels_last: Annotated[bool, typer.Option(help="Keep images in the memory layout NHWC.")] = True,
    out: RunFolder = None,
    home: Home = None,
) -> None:
    """Train architectures of a table again and compare.

    With the recipe that the table was made with. Start the same command again to go on after a kill. Recipe fields:
    epochs, batch, lr, momentum, nesterov, weight_decay, schedule (cosine, constant), augment (none, crop, flip,
    crop,flip), precision (float32, bf16), optimizer (sgd, rmsprop).

    \b
    Examples:
      nasgauge verify nats-tss 6111 9930 --dataset cifar10 --budget 12 --device cuda
      nasgauge verify nats-tss --stratified 5 -d cifar10 -m test_accuracy --budget 200 --device cuda \\
          --recipe precision=bf16 --compile
      nasgauge verify nats-tss 11272 14855 118 -d cifar10 --seeds 2 --limit-images 2000 \\
          --recipe epochs=6 --recipe batch=32
    """
    from . import open, verify
    from .bench.live.recipe import changes_of

    bench = open(name, home=home)
    run = verify(
        bench, architectures(bench, archs or []), dataset=dataset, metric=metric, budget=budget, sample=stratified,
        seeds=seeds, base_seed=base_seed, images=images, image_folder=image_folder, validation=_share(validation),
        limit=limit_images, size=size, recipe=changes_of(recipe or []), device=device, compiled=compile_,
        channels_last=channels_last, out=out, say=say, progress=True,
    )  # fmt: skip
    print(f"{run.folder}\nnext: nasgauge report {run.folder}")


@trainings.command()
def build(
    space: Annotated[str, typer.Option(help="The search space.")],
    images: Annotated[str, typer.Option(help="A set such as digits or cifar10, an .npz or a folder of classes.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Path of the table; its stem becomes its name.")],
    budget: Annotated[int, typer.Option(help="Epochs of every training.")] = 12,
    seeds: Annotated[int, typer.Option(help="Trainings of every class of architectures.")] = 3,
    sample: Annotated[int | None, typer.Option(help="Train only so many classes, drawn at random.")] = None,
    recipe: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="Change the recipe; may be given several times.")
    ] = None,
    image_folder: Annotated[Path | None, typer.Option(help="Where the official image files lie.")] = None,
    limit_images: Annotated[int | None, typer.Option(help="Only the first so many images of every split.")] = None,
    size: Annotated[int | None, typer.Option(help="Make images smaller, to this side in pixels.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder [default: runs/ and the table's name].")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")] = "cpu",
    jobs: Jobs = -1,
    cluster: Cluster = None,
    loss_curves: Annotated[bool, typer.Option(help="Keep the losses of every epoch, not only of the last.")] = True,
    licence: Annotated[str, typer.Option(help="What the table says of its licence.")] = "not stated",
) -> None:
    """Train a whole space on images of your own into a table.

    One training per isomorphism class and seed. Start the same command again to go on after a kill, or with a
    larger --sample to train the difference.

    \b
    Examples:
      nasgauge build --space topology --images digits --budget 6 --out tables/tss-digits.h5
      nasgauge build --space topology --images mine.npz --sample 500 --device cuda --out tables/mine.h5
      nasgauge build --space cells101 --images digits --budget 6 --sample 200 --out tables/101-digits.h5
    """
    from . import build
    from .bench.live.recipe import changes_of

    path = build(
        space, images, out=out, budget=budget, seeds=seeds, sample=sample, recipe=changes_of(recipe or []),
        image_folder=image_folder, limit=limit_images, size=size, run=run, device=device, jobs=jobs, cluster=cluster,
        loss_curves=loss_curves, licence=licence, progress=True,
    )  # fmt: skip
    following = "info" if sample is None else "predict"  # what was not trained tells a searcher nothing
    print(f"{path}\nnext: nasgauge {following} {path}")


@trainings.command()
def predict(
    name: Annotated[str, typer.Argument(help="A benchmark, or the path of a table, with a part of its space trained.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Path of the new table [default: NAME-predicted.h5 beside it].")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the ensembles.")] = 0,
    home: Home = None,
) -> None:
    """Stretch a partly trained table over its whole space.

    Learns from what is measured and writes what is predicted. The new table holds validation and test accuracy and
    the cost of a search, after the longest training, of every architecture, all marked as predicted; searchers can
    be compared on it. How far to trust it: `nasgauge surrogate`.

    \b
    Examples:
      nasgauge predict tables/mine.h5 --out tables/mine-predicted.h5
      nasgauge compare tables/mine-predicted.h5 -s random -s evolution --queries 200
    """
    from . import open

    bench = open(name, home=home)
    beside = Path(name) if Path(name).is_file() else Path(f"{bench.name}.h5")
    fitted = bench.surrogate(seed=seed)
    path = fitted.save(out or beside.with_name(f"{beside.stem}-predicted.h5"))
    say(fitted.describe())
    print(f"{path}\nnext: nasgauge compare {path} -s random -s evolution --queries 200")


def _share(text: str | None) -> float | str | None:
    """A share of the images where the text is a number, else the text itself."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text
