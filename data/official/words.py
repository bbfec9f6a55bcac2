"""Texts that the official packages print or return, and writing them to standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .dialect import Dialect

if TYPE_CHECKING:
    from .results import ArchResults

COMMENT = (
    "In this dict, train-loss/accuracy/time is the metric on the {trained} of CIFAR-10. The test-loss/accuracy/time is "
    "the performance of the CIFAR-10 test set after training on the {trained} by {hp} epochs. The per-time and "
    "total-time indicate the per epoch and total time costs, respectively."
)
"""Part of nats_bench's answer for two training keys, so it is given letter by letter."""

TRAINED = {"cifar10-valid": "train set", "cifar10": "train+valid sets"}


def comment(dataset: str, hp: object) -> str:
    """The comment of nats_bench's get_more_info, empty where it gives none."""
    return COMMENT.format(trained=TRAINED[dataset], hp=hp) if dataset in TRAINED else ""


def write(text: str) -> None:
    """A line on standard output: `show` and ``verbose`` promise it."""
    sys.stdout.write(f"{text}\n")


def log(text: str) -> None:
    """A line with the time (UTC) before it."""
    write(f"[{time.strftime('%Y-%m-%d %X', time.gmtime())}] {text}")


def information(results: ArchResults, dialect: Dialect, extra_info: str | None = None, show: bool = False) -> list[str]:
    """The lines of query_info_str_by_arch: the cell, then costs and final metrics of every training key."""
    names = results.get_dataset_names()
    lines = [results.arch_str, f"datasets : {names}, extra-info : {extra_info}"]
    for dataset in names:
        costs = results.get_compute_costs(dataset)
        seconds = costs["latency"]
        latency = f"{seconds * 1000:.2f}" if seconds is not None and seconds > 0 else None
        lines.append(
            f"{dataset:14s} FLOP={costs['flops']:6.2f} M, Params={costs['params']:.3f} MB, latency={latency} ms."
        )
        shown = [
            f"{title} : [{_metric(results.get_metrics(dataset, setname), dialect)}]"
            for title, setname in _sets(dataset, dialect)
        ]
        lines.append(f"{dataset:14s} {', '.join(shown)}")
    if show:
        write("\n".join(lines))
    return lines


def _sets(dataset: str, dialect: Dialect) -> Sequence[tuple[str, str]]:
    train, valid = ("train", "train"), ("valid", "x-valid")
    if dataset == "cifar10-valid":
        return (train, valid, ("test", "ori-test")) if dialect.tests else (train, valid)
    if dataset == "cifar10":
        return (train, ("test ", "ori-test"))
    return (train, valid, ("test", "x-test"))


def _metric(info: dict[str, Any], dialect: Dialect) -> str:
    return f"loss = {info['loss']:.3f}{dialect.joint}top1 = {info['accuracy']:.2f}%"


def sheet(results: ArchResults, dialect: Dialect) -> str:
    """What `show` prints of one hp."""
    arrows = ">" * 40
    length = f"{arrows} {results.get_total_epoch():03d} epochs {arrows}"
    return "\n".join([length, *information(results, dialect)])


END = "<" * 40 + "-" * 12 + "<" * 40
"""The line that `show` prints behind an architecture."""
