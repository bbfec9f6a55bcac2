"""How a network is trained: the published recipes, and the rule that makes a training a function of its seed.

The determinism rule, which every trainer here follows. A training is a function of (network, images, recipe, seed);
no global generator is read. Seed s owns these streams, each a ``numpy.random.SeedSequence`` of the numbers given:

===================  =====================================================================================
[s, 0, key]          the initial values of the parameter whose name has the key ``crc32(name)``
[s, 1, e]            the order in which epoch e (from 0) reads the training images
[s, 2, e]            the augmentation of epoch e: of every position in that order (`batches.Augmentation`)
===================  =====================================================================================

A parameter's initial value thus depends on its name and shape alone: networks with and without dead branches, and a
cell trained alone or among thousands, start from the same numbers. An epoch depends on nothing before it but weights
and optimiser state, so that a killed training resumes at its last whole epoch and ends as an undisturbed one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ..errors import BadValue, NotMeasured, UnknownName

Optimizer = Literal["sgd", "rmsprop"]
Schedule = Literal["cosine", "constant"]
Precision = Literal["float32", "bf16"]
AUGMENTATIONS = ("crop", "flip")

_WEIGHTS, _ORDER, _AUGMENTATION = 0, 1, 2


@dataclass(frozen=True)
class TrainingRecipe:
    """One way to train; the defaults are those of NAS-Bench-201 and NATS-Bench.

    ``lr`` is that of the first step; with schedule ``cosine`` it falls to 0 along a half wave over all steps of the
    training. ``momentum`` is SGD's (Nesterov's if ``nesterov``), or that of RMSProp. ``weight_decay`` is added to
    the gradient. ``augment`` holds ``crop`` (pad with zeros by `crop_padding`, cut at random) and ``flip`` (mirror
    left to right with probability 1/2). The last batch of an epoch is kept when it is smaller than ``batch``.
    ``precision`` ``bf16`` computes the forward pass in bfloat16 where PyTorch's autocast does.

    Raises:
        BadValue: a field outside its legal range.
    """

    epochs: int
    batch: int = 256
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    schedule: Schedule = "cosine"
    augment: tuple[str, ...] = AUGMENTATIONS
    precision: Precision = "float32"
    optimizer: Optimizer = "sgd"

    def __post_init__(self) -> None:
        object.__setattr__(self, "augment", tuple(self.augment))
        for name in ("epochs", "batch"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise BadValue(f"recipe: {name}={value!r}; legal: an integer of at least 1")
        for name, largest, words in (
            ("lr", math.inf, "above 0"), ("momentum", 1, "from 0 to below 1"), ("weight_decay", math.inf, "from 0 on"),
        ):  # fmt: skip
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < largest:
                raise BadValue(f"recipe: {name}={value!r}; legal: a number {words}")
        if not self.lr:
            raise BadValue("recipe: lr=0 trains nothing; legal: a number above 0")
        if not isinstance(self.nesterov, bool):
            raise BadValue(f"recipe: nesterov={self.nesterov!r}; legal: true or false")
        if self.optimizer == "sgd" and self.nesterov and not self.momentum:
            raise BadValue("recipe: nesterov needs a momentum above 0; give nesterov=false or a momentum")
        if self.optimizer == "rmsprop" and self.nesterov:
            raise BadValue("recipe: rmsprop has no Nesterov momentum; give nesterov=false")
        for name, kinds in (("optimizer", Optimizer), ("schedule", Schedule), ("precision", Precision)):
            if getattr(self, name) not in get_args(kinds):
                raise BadValue(f"recipe: {name}={getattr(self, name)!r}; legal: {', '.join(get_args(kinds))}")
        if unknown := [name for name in self.augment if name not in AUGMENTATIONS]:
            raise UnknownName.of("augmentation", unknown[0], AUGMENTATIONS)

    def but(self, **changes: Any) -> TrainingRecipe:
        """This recipe with some fields changed; UnknownName lists the fields."""
        names = [field.name for field in fields(self)]
        if unknown := [name for name in changes if name not in names]:
            raise UnknownName.of("recipe field", unknown[0], names)
        return replace(self, **changes)

    def describe(self) -> str:
        """The recipe in one line of words."""
        kind = "SGD" if self.optimizer == "sgd" else "RMSProp"
        nesterov = " (Nesterov)" if self.nesterov else ""
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return (
            f"{epochs}, {kind}, momentum {self.momentum:g}{nesterov}, lr {self.lr:g} {self.schedule}, "
            f"weight decay {self.weight_decay:g}, batch {self.batch}, "
            f"augmentation {' and '.join(self.augment) or 'none'}, {self.precision}"
        )


def changes_of(texts: Iterable[str]) -> dict[str, Any]:
    """Fields of a recipe from texts such as ``epochs=3``, ``nesterov=false``, ``augment=crop,flip``, ``augment=none``.

    Raises:
        UnknownName: no such field.
        BadValue: not of the form FIELD=VALUE, or no value of the field's kind.
    """
    changes: dict[str, Any] = {}
    kinds: dict[str, Callable[[str], Any]] = {
        "epochs": int, "batch": int, "lr": float, "momentum": float, "weight_decay": float, "nesterov": _truth,
        "augment": lambda text: () if text == "none" else tuple(text.split(",")),
    }  # fmt: skip
    names = [field.name for field in fields(TrainingRecipe)]
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadValue(f"recipe: {text!r}; legal: FIELD=VALUE with FIELD one of {', '.join(names)}")
        if name not in names:
            raise UnknownName.of("recipe field", name, names)
        try:
            changes[name] = kinds.get(name, str)(value)
        except ValueError:
            raise BadValue(f"recipe: {text!r}; {name} takes another kind of value, such as {_EXAMPLES[name]}") from None
    return changes


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


_EXAMPLES = {"epochs": "12", "batch": "256", "lr": "0.1", "momentum": "0.9", "weight_decay": "5e-4", "nesterov": "true"}
_BUDGETS = {"topology": (12, 200), "size": (1, 12, 90), "cells101": (4, 12, 36, 108)}


def recipe_of(space: str, budget: int) -> TrainingRecipe:
    """The recipe with which a space's benchmark was trained for ``budget`` epochs.

    topology: NAS-Bench-201 (Dong & Yang, ICLR 2020, Table 1) and NATS-Bench tss; 12 or 200 epochs. size: NATS-Bench
    sss (Dong et al., TPAMI 2021); 1, 12 or 90. cells101: NAS-Bench-101 (Ying et al., ICML 2019, Table 2); 4, 12, 36
    or 108. Each budget is a training of its own, whose learning rate falls to zero at its end.

    Raises:
        UnknownName: no recipe was published for the space.
        NotMeasured: the benchmark has no training of that length.
    """
    if space not in _BUDGETS:
        raise UnknownName.of("space with a published recipe", space, _BUDGETS, "Give a TrainingRecipe of your own.")
    if budget not in _BUDGETS[space]:
        legal = ", ".join(str(each) for each in _BUDGETS[space])
        raise NotMeasured(
            f"space {space!r} was never trained for {budget} epochs; legal: {legal}. "
            "Take one of these and change its epochs for a training of your own."
        )
    return recipe_for(space, budget)


def recipe_for(space: str | None, epochs: int) -> TrainingRecipe:
    """The published recipe of a space's benchmark, stretched to any number of epochs; NAS-Bench-201's by default."""
    if space == "cells101":
        return TrainingRecipe(epochs, lr=0.2, nesterov=False, weight_decay=1e-4, optimizer="rmsprop")
    return TrainingRecipe(epochs)


def crop_padding(side: int) -> int:
    """Zeros added on each side before a random crop [pixels]: 4 at 32 x 32 and 2 at 16 x 16, as the benchmarks do."""
    return side // 8


def learning_rate(recipe: TrainingRecipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of training step ``step``, counted from 0 over the whole training.

    The benchmarks move it at every step, not at every epoch: lr (1 + cos(pi step / steps)) / 2.
    """
    if recipe.schedule == "constant":
        return recipe.lr
    return recipe.lr * (1 + math.cos(math.pi * step / (recipe.epochs * steps_per_epoch))) / 2


def steps_per_epoch(recipe: TrainingRecipe, images: int) -> int:
    """Batches of an epoch over ``images`` images, the last one possibly smaller."""
    return -(-images // recipe.batch)


def epoch_order(seed: int, epoch: int, images: int) -> npt.NDArray[np.int64]:
    """The order in which epoch ``epoch`` (from 0) reads the training images: a permutation, (images,)."""
    return np.random.default_rng(np.random.SeedSequence([seed, _ORDER, epoch])).permutation(images)


def augmentation_seed(seed: int, epoch: int) -> int:
    """What to seed the generator with that draws the augmentation of one epoch."""
    return _number(seed, _AUGMENTATION, epoch)


def parameter_seed(seed: int, name: str) -> int:
    """What to seed the generator with that draws the initial value of the parameter called ``name``."""
    return _number(seed, _WEIGHTS, zlib.crc32(name.encode()))


def _number(*entropy: int) -> int:
    """63 bits that a `torch.Generator` takes as its seed."""
    return int(np.random.SeedSequence(list(entropy)).generate_state(1, np.uint64)[0] >> np.uint64(1))
