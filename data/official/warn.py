"""Said once for each kind: an official answer that misleads, and the call that answers what was meant."""

from __future__ import annotations

import warnings

WORDS = {
    "default-hp": (
        "hp was left at its default, a training of 12 epochs: say hp='12', or hp='200' (topology), '90' (size) for "
        "the full training; bench.query(..., budget=200)"
    ),
    "one-trial": (
        "is_random=True answers with one trial drawn from the global random stream: say is_random=False for the mean "
        "over trials or is_random=SEED for one of them; bench.query(..., seed='mean')"
    ),
    "cifar10-valid-test": (
        "the test-* values of 'cifar10-valid' belong to networks trained on half of the training images: report those "
        "of 'cifar10'; bench.query(..., 'test_accuracy', dataset='cifar10')"
    ),
    "valtest-as-valid": (
        "no validation accuracy at this epoch: the accuracy answered is that of ori-test, which contains the test "
        "images, and validation seconds come from a second drawn trial at the last epoch; ask for iepoch=None, or for "
        "hp='12'; bench.query(..., 'valid_accuracy') refuses this"
    ),
    "costs-of-one-seed": (
        "recorded parameters or FLOPs differ between the trials of an architecture: the answer is that of seed 888 "
        "alone; bench.query(arch, 'params_millions') counts them exactly"
    ),
    "latency-hp": (
        "simulate_train_eval answers with the latency recorded in the 12-epoch run, whatever hp is; "
        "api.get_latency(index, dataset, hp=...) has that of the run asked for"
    ),
    "loaded-only": (
        "in fast mode this counts only the architectures that were asked about so far; open with fast_mode=False, or "
        "use bench.optimum(...) and bench.query(...), which see the whole table"
    ),
    "float-matrix": "a matrix of floats has another module hash: cast it to int first, matrix.astype(int)",
    "too-many-vertices": (
        "cells of more than 7 vertices end in TypeError, not in OutOfDomainError or is_valid() == False: check "
        "len(spec.ops) first, or use space.from_graph(...), which says what is wrong"
    ),
    "show-all": "show(-1) of the official packages ends in KeyError; show one architecture at a time",
}

_SAID: set[str] = set()


class OfficialTrap(UserWarning):
    """An official answer, given as it is, that many readers take for something else."""


def warn_once(kind: str) -> None:
    """Warn about ``kind``, the first time in this process."""
    if kind not in _SAID:
        _SAID.add(kind)
        warnings.warn(f"official answer, reproduced: {WORDS[kind]}", OfficialTrap, stacklevel=4)


def say_again() -> None:
    """Forget what was said, so that every kind warns once more."""
    _SAID.clear()


class DefaultHp(str):
    """The text of a default hp, told from the same text given by a caller."""

    __slots__ = ()


HP = DefaultHp("12")
