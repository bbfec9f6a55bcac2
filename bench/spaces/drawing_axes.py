"""Drawings in matplotlib: the same shapes at the same places, for figures in papers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from .drawing import FONT, LINE, PALE, Box, Curve, Drawing, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCH = 72.0  # px of a drawing in an inch of paper, so that its font keeps its size in points


def plot(drawing: Drawing, ax: Axes | None = None) -> Axes:
    """The shapes in ``ax``, or in axes of their own as large as the drawing."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    own = ax is None
    if ax is None:
        ax = Figure(figsize=(drawing.width / INCH, drawing.height / INCH)).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, drawing.width), ylim=(drawing.height, 0), aspect="equal")
    ax.set_axis_off()
    if drawing.title and not own:
        ax.set_title(drawing.title, fontsize=FONT - 1)
    for order, shape in enumerate(drawing.shapes, start=2):
        if isinstance(shape, Words):
            ax.text(*shape.middle, shape.words, color=shape.ink, fontsize=FONT, ha="center", va="center", zorder=order)
            continue
        alpha, style = PALE if shape.pale else 1.0, (0, (2, 2)) if shape.dashed else "solid"
        if isinstance(shape, Curve):
            points = [shape.start, *(point for piece in shape.pieces for point in piece)]
            path = Path(points, [Path.MOVETO, *[Path.CURVE4] * (len(points) - 1)])
            ax.add_patch(
                PathPatch(path, fill=False, edgecolor=LINE, linewidth=1.6, linestyle=style, alpha=alpha, zorder=order)
            )
            if shape.arrow:
                ax.add_patch(Polygon(shape.head, facecolor=LINE, edgecolor="none", alpha=alpha, zorder=order))
            continue
        _box(ax, shape, alpha, style, order, FancyBboxPatch)
    return ax


def _box(ax: Axes, box: Box, alpha: float, style: object, order: int, patch: type) -> None:
    x, y = box.middle
    corner = min(box.round, box.width / 2, box.height / 2)
    ax.add_patch(
        patch(
            (x - box.width / 2 + corner, y - box.height / 2 + corner),
            box.width - 2 * corner,
            box.height - 2 * corner,
            boxstyle=f"round,pad={corner}",
            facecolor=box.fill or "none",
            edgecolor=box.outline or "none",
            linestyle=style,
            alpha=alpha,
            zorder=order,
        )
    )
    if box.words:
        ax.text(x, y, box.words, color=box.ink, fontsize=FONT, ha="center", va="center", alpha=alpha, zorder=order)


def render(drawing: Drawing, form: str) -> bytes:
    """The picture as "pdf" or "png"; the same drawing gives the same bytes."""
    figure = plot(drawing).get_figure(root=True)
    assert figure is not None
    stream = io.BytesIO()
    nothing = {"CreationDate": None} if form == "pdf" else {"Software": None}
    figure.savefig(stream, format=form, dpi=2 * INCH, metadata=nothing)
    return stream.getvalue()
