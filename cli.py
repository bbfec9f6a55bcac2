"""The command line: one command per verb; those that compute are in the modules `cli_*`."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from . import __version__
from .bench.errors import NasgaugeError
from .cli_compare import comparing
from .cli_encode import encoding
from .cli_options import Home, architectures, integer, say
from .cli_runs import runs
from .cli_training import trainings

app = typer.Typer(
    name="nasgauge", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Measure neural architecture search: open benchmarks, ask them anything, compare searchers, read the report.",
)  # fmt: skip

INTERRUPTED = 130


def _version(asked: bool) -> None:
    if asked:
        print(f"nasgauge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_(home: Home = None) -> None:
    """List benchmarks, searchers, proxies, encodings and spaces.

    Searchers take presets (`--searcher evolution:nb101`): see `python -m pydoc nasgauge.searchers`.

    \b
    Example:
      nasgauge list
    """
    from .bench.spaces import SPACES
    from .data.catalogue import CATALOGUE
    from .data.home import BUNDLED, tables_at_hand
    from .proxies import COMBINATIONS, PROXIES
    from .proxies.encodings import ENCODINGS
    from .searchers import SEARCHERS

    here = tables_at_hand(home)
    print("Benchmarks")
    for name, entry in CATALOGUE.items():
        size = sum(source.size for source in entry.sources) / 1e6
        state = "here" if name in here else f"nasgauge fetch {name}  ({size:.0f} MB)"
        print(f"  {name:<14} {entry.title}\n  {'':<14} {state}")
    for name, path in here.items():
        if name not in CATALOGUE:
            print(f"  {name:<14} {'comes with nasgauge' if path.parent == BUNDLED else path}")
    for kind, names in (
        ("Searchers", SEARCHERS), ("Proxies", (*PROXIES, *COMBINATIONS)), ("Encodings", ENCODINGS), ("Spaces", SPACES)
    ):  # fmt: skip
        print(textwrap.fill(", ".join(names), 100, initial_indent=f"{kind:<12}", subsequent_indent=" " * 12,
                            break_on_hyphens=False))  # fmt: skip


@app.command()
def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Benchmarks that `nasgauge list` shows.")],
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="FOLDER|URL", help="Take the files from a folder or server of the same layout."),
    ] = None,
    home: Home = None,
) -> None:
    """Download the public files of a benchmark into a table.

    They are small, checked by sha256, and read without executing anything in them. Without a network, give --from
    FOLDER or set NASGAUGE_MIRROR=FOLDER: the same files, laid out as on the server.

    \b
    Examples:
      nasgauge fetch nats-tss
      nasgauge fetch nats-tss nasbench101 --from /media/usb/mirrors
    """
    from .data.fetch import fetch

    for name in names:
        print(fetch(name, mirror=from_, home=home, say=say, progress=True))


@app.command()
def convert(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Official files or directories.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the table goes [default: by name].")] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Processes; -1: one per core.")] = -1,
    home: Home = None,
) -> None:
    """Make a table from an official file that you hold.

    Files are recognised by their content and read without executing anything in them: NATS-Bench (directory, tar,
    single file), NAS-Bench-201 (.pth, archive directory), NAS-Bench-101 (.tfrecord), HW-NAS-Bench (.pickle),
    NAS-Bench-Suite-Zero (.json).

    \b
    Examples:
      nasgauge convert NATS-tss-v1_0-3ffb9-simple.tar
      nasgauge convert nasbench_full.tfrecord --out tables/nasbench.h5
    """
    from .data.convert import convert

    if out is not None and len(paths) > 1:
        raise typer.BadParameter("one table holds one file; convert them one by one", param_hint="--out")
    for path in paths:
        converted = convert(path, out, home=home, jobs=jobs, progress=True, say=say)
        print(converted.path, *converted.more, sep="\n")


@app.command()
def info(
    name: Annotated[str, typer.Argument(help="A benchmark, a path, or several joined by +.")],
    check: Annotated[bool, typer.Option("--check", help="Also compare every column with its checksum.")] = False,
    home: Home = None,
) -> None:
    """Say what a benchmark holds and where it comes from.

    Every split in words, what is missing, provenance, licences, sha256.

    \b
    Examples:
      nasgauge info nats-tss
      nasgauge info nats-tss+hw-nas-bench --check
    """
    from . import open

    bench = open(name, home=home)
    print(bench.describe())
    for table in bench.tables:
        print(f"\n{table.path}\n  content sha256 {table.sha256()}")
        if check:
            table.verify()
            print("  every column agrees with its checksum")


@app.command()
def query(
    name: Annotated[str, typer.Argument(help="A benchmark, a path, or several joined by +.")],
    archs: Annotated[list[str], typer.Argument(metavar="ARCH...", help="Ids or official strings.")],
    metric: Annotated[list[str], typer.Option("--metric", "-m", help="What to ask; may be given several times.")],
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Which data set.")] = None,
    budget: Annotated[int | None, typer.Option(help="Epochs of the training run [default: the longest].")] = None,
    epoch: Annotated[int | None, typer.Option(help="A checkpoint inside the run [default: its end].")] = None,
    seed: Annotated[str, typer.Option(help="'mean', 'all', or one seed.")] = "mean",
    home: Home = None,
) -> None:
    """Ask a benchmark about architectures.

    Prints one line each: id, values (nan where nobody measured it), official string.

    \b
    Examples:
      nasgauge query nats-tss 6111 9930 --metric test_accuracy --dataset cifar10
      nasgauge query nats-tss 6111 -m valid_accuracy -m test_accuracy -d cifar10 --seed all
    """
    import numpy as np

    from . import open

    bench = open(name, home=home)
    ids = architectures(bench, archs)
    which = seed if seed in ("mean", "all") else integer(seed, "--seed", "mean, all, or one seed as an integer")
    answers = [
        np.asarray(bench.query(ids, each, dataset=dataset, budget=budget, epoch=epoch, seed=which))  # type: ignore[arg-type]
        for each in metric
    ]
    print("\t".join(["id", *metric, "architecture"]))
    for row, arch in enumerate(ids):
        values = [" ".join(f"{value:.10g}" for value in np.atleast_1d(answer[row])) for answer in answers]
        print("\t".join([str(arch), *values, bench.space.text(arch)]))


app.add_typer(comparing)
app.add_typer(runs)
app.add_typer(trainings)
app.add_typer(encoding)


@app.command()
def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="A run folder, several comparisons, or a file of scores.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Where to write [default: report/ in the run, of several beside the first]."),
    ] = None,
    benchmark: Annotated[
        str | None, typer.Option("--benchmark", "-b", help="Whose accuracies a file of scores is compared with.")
    ] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", "-d", help="Of a file of scores [default: all].")] = None,
    lower: Annotated[
        list[str] | None, typer.Option(help="A score that is better lower; may be given several times.")
    ] = None,
    home: Home = None,
) -> None:
    """Write the report of a run.

    One self-contained page, its figures as PDF and PNG, its tables as CSV. Several comparisons get one report on
    all of them: a test over all their data sets, what more trainers bring.

    Scores that somebody else computed (a CSV with a column id and one for each proxy, a zc_*.json of
    NAS-Bench-Suite-Zero, a converted table of one) are reported like those of `nasgauge score`.

    \b
    Examples:
      nasgauge report runs/first
      nasgauge report runs/tss runs/sss runs/nb101 --out runs/together
      nasgauge report scores.csv --benchmark nats-tss --lower ntk
    """
    from . import open, report
    from .reports.report import is_scores

    if is_scores(runs[0]):
        bench = None if benchmark is None else open(benchmark, home=home)
        folder = out or runs[0].with_suffix("")
        made = report(*runs, bench=bench, dataset=dataset, lower=lower or (), out=folder)
        written = made.save_all(folder / "report")
    else:
        if benchmark is not None or dataset is not None or lower:
            raise typer.BadParameter("only a file of scores needs it", param_hint="--benchmark, --dataset, --lower")
        written = report(*runs).save_all(out or (runs[0] if len(runs) == 1 else runs[0].parent) / "report")
    for path in written:
        print(path)


def main() -> None:
    """Run the command line; errors, those of the disk too, end in one line on standard error and exit code 1."""
    try:
        app()
    except NasgaugeError as error:
        say(f"nasgauge: {error}")
        sys.exit(1)
    except OSError as error:
        say(f"nasgauge: cannot read or write {error.filename or 'a file'}: {error.strerror or error}")
        sys.exit(1)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer turned the keyboard interrupt into it
            say("nasgauge: stopped; start the same command again to go on")
        raise


if __name__ == "__main__":
    main()
