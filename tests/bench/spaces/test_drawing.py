"""Pictures of architectures show what the cell does, legibly, in every form."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasgauge.bench.errors import BadArchitecture, BadValue, NotMeasured
from nasgauge.bench.spaces import Graph, space
from nasgauge.bench.spaces.drawing import Box, Curve, Drawing, Words
from nasgauge.bench.spaces.drawing_cells import BLUE, GREEN, OPERATIONS, ORANGE, draw_graph
from nasgauge.bench.spaces.drawing_layout import layered
from nasgauge.bench.spaces.listing import Listing
from nasgauge.testing import TinySpace

SPACES = ("topology", "size", "cells101")
SOME = [
    (name, arch) for name in SPACES for arch in space(name).sample(60, np.random.default_rng(0)).tolist()
]  # fmt: skip


def boxes(drawing: Drawing) -> list[Box]:
    return [shape for shape in drawing.shapes if isinstance(shape, Box)]


def curves(drawing: Drawing) -> list[Curve]:
    return [shape for shape in drawing.shapes if isinstance(shape, Curve)]


@pytest.mark.parametrize(("name", "arch"), SOME[::3])
def test_svg_is_well_formed_and_holds_the_words_of_every_box(name: str, arch: int) -> None:
    drawing = space(name).draw(arch)
    root = ElementTree.fromstring(drawing.svg)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    words = [shape.words for shape in drawing.shapes if isinstance(shape, (Box, Words)) and shape.words]
    assert texts == words
    assert root[0].text == f"{name} {arch}: {space(name).text(arch)}"
    assert not any("id" in element.attrib for element in root.iter())  # ids would clash on a page of several pictures
    assert drawing._repr_svg_() == drawing.svg and len(drawing.svg) < 6_000


@pytest.mark.parametrize(("name", "arch"), SOME)
def test_nothing_overlaps_and_nothing_leaves_the_picture(name: str, arch: int) -> None:
    drawing = space(name).draw(arch)
    for box in boxes(drawing):
        x, y = box.middle
        assert box.width / 2 <= x <= drawing.width - box.width / 2
        assert box.height / 2 <= y <= drawing.height - box.height / 2
    for curve in curves(drawing):
        for x, y in (curve.start, *(piece[2] for piece in curve.pieces)):
            assert 0 <= x <= drawing.width and 0 <= y <= drawing.height
    named = [box for box in boxes(drawing) if box.words]
    for one, two in combinations(named, 2):
        apart_x = abs(one.middle[0] - two.middle[0]) >= (one.width + two.width) / 2
        apart_y = abs(one.middle[1] - two.middle[1]) >= (one.height + two.height) / 2
        assert apart_x or apart_y


def test_a_cell_of_101_shows_its_operations_and_edges() -> None:
    drawing = space("cells101").draw("conv3x3~0+maxpool3x3~0,1+output~1,2")
    assert [(box.words, box.fill) for box in boxes(drawing)[1:3]] == [("conv 3×3", BLUE), ("max pool", GREEN)]
    assert [box.words for box in boxes(drawing)] == ["in", "conv 3×3", "max pool", "out"]
    assert len(curves(drawing)) == 5 and all(curve.arrow for curve in curves(drawing))
    tops = [box.middle[1] for box in boxes(drawing)]
    assert tops == sorted(tops)


def test_a_cell_of_201_shows_operations_on_edges_and_leaves_out_what_is_not_there() -> None:
    drawing = space("topology").draw("|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
    shown = Counter(box.words for box in boxes(drawing))
    assert shown == {"in": 1, "+": 2, "out": 1, "conv 3×3": 1, "avg pool": 1, "skip": 1, "conv 1×1": 1}
    absent = [curve for curve in curves(drawing) if not curve.arrow]
    assert len(absent) == 2 and all(curve.dashed and curve.pale for curve in absent)
    assert {box.fill for box in boxes(drawing) if box.words.startswith("conv")} == {BLUE, ORANGE}


def test_what_computes_nothing_is_pale() -> None:
    """Node 1 is fed by nothing, node 2 feeds nothing: the two convolutions at them are without effect."""
    topology = space("topology")
    text = "|none~0|+|nor_conv_3x3~0|none~1|+|avg_pool_3x3~0|nor_conv_3x3~1|none~2|"
    fills = [box.fill for box in boxes(topology.draw(text)) if box.words == "conv 3×3"]
    assert len(fills) == 2 and BLUE not in fills
    assert [box.fill for box in boxes(topology.draw(text)) if box.words == "avg pool"] == [GREEN]


def test_cells_of_201_all_have_the_same_layout() -> None:
    drawings = [space("topology").draw(arch) for arch in (0, 777, 15_624)]
    assert len({(drawing.width, drawing.height) for drawing in drawings}) == 1
    places = [[box.middle for box in boxes(drawing)][-4:] for drawing in drawings]
    assert places[0] == places[1] == places[2]


def test_bars_are_as_high_as_layers_are_wide() -> None:
    bars = [box for box in boxes(space("size").draw("8:16:64:64:32")) if box.fill]
    np.testing.assert_allclose([bar.height / bars[2].height for bar in bars], [1 / 8, 1 / 4, 1, 1, 1 / 2])
    assert len({bar.middle[1] + bar.height / 2 for bar in bars}) == 1  # they stand on one line


def relative_luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_words_stand_out_from_their_boxes() -> None:
    """The contrast that the Web Content Accessibility Guidelines ask of text, 4.5 to 1."""
    graph = Graph(("input", *OPERATIONS, "something else", "output"), ())
    for box in boxes(draw_graph(graph)):
        assert box.fill is not None
        light, dark = sorted((relative_luminance(box.fill), relative_luminance(box.ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, box.words


def test_spaces_of_your_own_are_drawn_from_their_graphs() -> None:
    tiny = TinySpace()
    assert all(ElementTree.fromstring(tiny.draw(arch).svg) is not None for arch in range(tiny.size))
    long = draw_graph(Graph(("input", "an operation with a long <name>", "output"), ((0, 1, ""), (1, 2, ""))), "<&>")
    assert "an operation …" in long.svg and "&lt;&amp;&gt;" in long.svg
    with pytest.raises(NotMeasured, match="graphs of space"):
        Listing("shapes", ["square", "circle"]).draw(0)


def test_what_is_no_architecture_is_not_drawn() -> None:
    with pytest.raises(BadArchitecture):
        space("topology").draw(15_625)


def test_a_picture_is_saved_as_its_ending_says(tmp_path: Path) -> None:
    drawing = space("topology").draw(1)
    for ending, start in ((".svg", b"<svg"), (".pdf", b"%PDF"), (".png", b"\x89PNG")):
        written = drawing.save(tmp_path / f"cell{ending}").read_bytes()
        assert written.startswith(start)
        assert drawing.save(tmp_path / f"again{ending}").read_bytes() == written
    with pytest.raises(BadValue, match=r"\.svg, \.pdf, \.png"):
        drawing.save(tmp_path / "cell.gif")
    assert not (tmp_path / "cell.gif").exists()


@pytest.mark.parametrize("name", SPACES)
def test_matplotlib_draws_the_same_shapes(name: str) -> None:
    from matplotlib.figure import Figure

    drawing = space(name).draw(9, title="a cell")
    ax = drawing.plot(Figure().add_subplot())
    assert ax.get_title() == "a cell"
    assert [text.get_text() for text in ax.texts] == [
        shape.words for shape in drawing.shapes if isinstance(shape, (Box, Words)) and shape.words
    ]
    arrows = sum(curve.arrow for curve in curves(drawing))
    assert len(ax.patches) == len(boxes(drawing)) + len(curves(drawing)) + arrows


def test_svg_needs_no_library() -> None:
    code = (
        "import sys; from nasgauge.bench.spaces import space; space('topology').draw(0).svg;"
        "print({'matplotlib', 'scipy', 'pandas'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"


@st.composite
def small_graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    nodes = draw(st.integers(1, 8))
    every = list(combinations(range(nodes), 2))
    return nodes, draw(st.lists(st.sampled_from(every), unique=True)) if every else []


@given(small_graphs())
def test_layouts_keep_their_promises(graph: tuple[int, list[tuple[int, int]]]) -> None:
    nodes, edges = graph
    layout = layered(nodes, edges, lambda a, b: 3.0 + (a < nodes) + (b < nodes))
    assert [(chain[0], chain[-1]) for chain in layout.chains] == edges
    for chain in layout.chains:  # an edge goes one layer at a time
        assert all(layout.layer[b] == layout.layer[a] + 1 for a, b in pairwise(chain))
        assert all(item >= nodes for item in chain[1:-1])
    assert min(layout.across) == 0
    for a, b in combinations(range(len(layout.layer)), 2):
        if layout.layer[a] == layout.layer[b]:
            assert abs(layout.across[a] - layout.across[b]) >= 3.0 + (a < nodes) + (b < nodes) - 1e-9 or any(
                layout.layer[c] == layout.layer[a]
                and min(layout.across[a], layout.across[b]) < layout.across[c] < max(layout.across[a], layout.across[b])
                for c in range(len(layout.layer))
            )


def test_a_chain_is_straight_and_edges_that_need_not_cross_do_not() -> None:
    chain = layered(4, [(0, 1), (1, 2), (2, 3)], lambda a, b: 1.0)
    assert chain.across == (0, 0, 0, 0) and chain.layer == (0, 1, 2, 3)
    ladder = layered(6, [(0, 1), (0, 2), (1, 4), (2, 3), (3, 5), (4, 5)], lambda a, b: 1.0)
    assert (ladder.across[1] - ladder.across[2]) * (ladder.across[4] - ladder.across[3]) > 0
