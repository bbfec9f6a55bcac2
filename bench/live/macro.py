"""What surrounds the cells: stem, stages, reductions and head, as one value (no PyTorch here)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from ..errors import BadValue

Reduction = Literal["residual", "pool"]


@dataclass(frozen=True)
class Macro:
    """The skeleton of a network of cells with four nodes (NAS-Bench-201, Figure 1; NATS-Bench).

    A stem convolution and its normalisation; stages of ``cells_per_stage`` cells; between two stages a reduction that
    halves the image; normalisation, ReLU, global average pooling and a linear layer. ``widths`` are channels in the
    order of NATS-Bench's size texts: first stage (and stem), reduction, second stage, reduction, third stage, ...

    ``reduction`` is ``residual`` (two 3x3 convolutions, the first with stride 2, beside a 2x2 average pooling with a
    1x1 convolution) or ``pool`` (the pooling and its 1x1 convolution alone).

    >>> Macro.mini()
    Macro(widths=(8, 16, 16), cells_per_stage=1, stem_kernel=1, image_channels=1, reduction='pool')
    """

    widths: tuple[int, ...] = (16, 32, 32, 64, 64)
    cells_per_stage: int = 5
    stem_kernel: int = 3
    image_channels: int = 3
    reduction: Reduction = "residual"

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        if not len(self.widths) % 2 or not all(_positive(width) for width in self.widths):
            raise BadValue(
                f"macro: widths={self.widths}; legal: an odd number of channel counts from 1 on, "
                "stages and reductions in turn"
            )
        for name in ("cells_per_stage", "stem_kernel", "image_channels"):
            if not _positive(getattr(self, name)):
                raise BadValue(f"macro: {name}={getattr(self, name)!r}; legal: an integer of at least 1")
        if not self.stem_kernel % 2:
            raise BadValue(f"macro: stem_kernel={self.stem_kernel}; legal: an odd number (the image keeps its size)")
        if self.reduction not in get_args(Reduction):
            raise BadValue(f"macro: reduction={self.reduction!r}; legal: {', '.join(get_args(Reduction))}")

    @classmethod
    def size(cls, widths: tuple[int, ...] = (64,) * 5) -> Macro:
        """NATS-Bench sss: one cell a stage; an architecture brings its own ``widths``."""
        return cls(widths, cells_per_stage=1)

    @classmethod
    def mini(cls, image_channels: int = 1, width: int = 8, cells_per_stage: int = 1) -> Macro:
        """A network for images of 8 x 8 or 16 x 16 pixels that trains in a second on a processor core.

        1x1 stem; cells; pooling to twice the channels; cells. With residual blocks or a 3x3 stem every cell
        classifies such images equally well; here the cell itself has to do the work.
        """
        return cls((width, 2 * width, 2 * width), cells_per_stage, 1, image_channels, "pool")

    def but(self, **changes: object) -> Macro:
        """This skeleton with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def stages(self) -> int:
        """Number of stages of cells."""
        return (len(self.widths) + 1) // 2

    def describe(self) -> str:
        """The skeleton in words."""
        return (
            f"{self.stem_kernel}x{self.stem_kernel} stem, {self.stages} stages of {self.cells_per_stage} cell(s), "
            f"widths {'-'.join(map(str, self.widths))}, {self.reduction} reduction"
        )

    def layers(self) -> tuple[tuple[Literal["cell", "reduction"], int, int], ...]:
        """Kind, channels in and channels out of each of the official list ``cells``, in order."""
        layers: list[tuple[Literal["cell", "reduction"], int, int]] = []
        width_in = self.widths[0]
        for place, width in enumerate(self.widths):
            for _ in range(1 if place % 2 else self.cells_per_stage):
                layers.append(("reduction" if place % 2 else "cell", width_in, width))
                width_in = width
        return tuple(layers)

    def check_image(self, shape: tuple[int, int, int]) -> None:
        """BadValue unless images of (height, width, channels) pass through this skeleton."""
        height, width, channels = shape
        factor = 2 ** (self.stages - 1)
        if channels != self.image_channels:
            raise BadValue(f"images of {channels} channels; this network takes {self.image_channels}")
        if height % factor or width % factor:
            raise BadValue(f"images of {height} x {width} pixels; this network needs sides divisible by {factor}")


@dataclass(frozen=True)
class StackMacro:
    """The skeleton of NAS-Bench-101 (Ying et al., ICML 2019, section 2): a 3x3 stem and stacks of cells.

    Before every stack but the first, 2x2 max-pooling halves the image and the channels double. The published
    accuracies belong to 128 stem channels; NASWOT scores networks with 16.

    ``norm_momentum`` is the share of a new batch in the running statistics of normalisation: 0.003 (TensorFlow calls it
    0.997) in the paper, whose trainings have thousands of steps; one of a hundred steps needs 0.1.
    """

    stem_channels: int = 128
    stacks: int = 3
    cells_per_stack: int = 3
    image_channels: int = 3
    norm_momentum: float = 0.003

    def __post_init__(self) -> None:
        for name in ("stem_channels", "stacks", "cells_per_stack", "image_channels"):
            if not _positive(getattr(self, name)):
                raise BadValue(f"macro: {name}={getattr(self, name)!r}; legal: an integer of at least 1")
        if not 0 < self.norm_momentum <= 1:
            raise BadValue(f"macro: norm_momentum={self.norm_momentum!r}; legal: above 0, at most 1")
        if self.stem_channels < 5:
            raise BadValue(
                f"macro: stem_channels={self.stem_channels}; legal: at least 5, one per vertex that may feed the output"
            )

    def describe(self) -> str:
        """The skeleton in words."""
        return f"3x3 stem of {self.stem_channels} channels, {self.stacks} stacks of {self.cells_per_stack} cell(s)"

    def check_image(self, shape: tuple[int, int, int]) -> None:
        """BadValue unless images of (height, width, channels) pass through this skeleton."""
        if shape[2] != self.image_channels:
            raise BadValue(f"images of {shape[2]} channels; this network takes {self.image_channels}")


def macro_of(stored: Mapping[str, Any]) -> Macro | StackMacro:
    """The skeleton whose fields a run folder or a table keeps."""
    kind = StackMacro if stored.keys() <= {field.name for field in fields(StackMacro)} else Macro
    return kind(**stored)


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
