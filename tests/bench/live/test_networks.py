"""Networks: the official names and outputs, what pruning changes, weights that are a function of the seed."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nasgauge.bench.errors import BadArchitecture, BadFile, BadValue, UnknownName
from nasgauge.bench.live import need_torch
from nasgauge.bench.live.cells101 import vertex_widths
from nasgauge.bench.live.liveness import constant_edges, live_edges
from nasgauge.bench.live.macro import Macro, StackMacro
from nasgauge.bench.live.weights import initialise, load_official
from nasgauge.bench.spaces import SPACES, Graph, space
from nasgauge.bench.spaces.topology import EDGES

sys.path.insert(0, str(Path(__file__).parents[2]))
import plain_networks as plain

TSS, SSS, CELLS = space("topology"), space("size"), space("cells101")
SAMPLE = [int(arch) for arch in TSS.sample(12, np.random.default_rng(2))]
NO_PATH = TSS.id("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|skip_connect~1|none~2|")
CONSTANT = TSS.id("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_1x1~1|skip_connect~2|")
DEAD_END = TSS.id("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|none~1|none~2|")


def pictures(count: int = 3, side: int = 32, channels: int = 3) -> Tensor:
    return torch.randn((count, channels, side, side), generator=torch.Generator().manual_seed(1))


def trained(arch: int) -> nn.Module:
    return plain.shake(plain.plain_topology(TSS.text(arch)), torch.Generator().manual_seed(arch))


@pytest.mark.parametrize("arch", [*SAMPLE, NO_PATH, CONSTANT, DEAD_END])
def test_unpruned_network_has_official_names_and_outputs(arch: int) -> None:
    official, ours = trained(arch), TSS.network(arch, prune=False)
    assert list(official.state_dict()) == list(ours.state_dict())
    ours.load_state_dict(official.state_dict())
    for mode in (True, False):
        torch.testing.assert_close(ours.train(mode)(pictures()), official.train(mode)(pictures()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("arch", [*SAMPLE, DEAD_END])
def test_official_weights_load_into_the_pruned_network_and_give_the_same_outputs(arch: int) -> None:
    official, ours = trained(arch), TSS.network(arch)
    if constant_edges(TSS.operations(arch)).any():
        with pytest.raises(BadValue, match="prune=False"):
            load_official(ours, official.state_dict())
        return
    load_official(ours, official.state_dict())
    for mode in (True, False):
        torch.testing.assert_close(ours.train(mode)(pictures()), official.train(mode)(pictures()), atol=1e-5, rtol=1e-5)


def test_gradients_are_those_of_the_official_network() -> None:
    arch = SAMPLE[0]
    official, ours = trained(arch), TSS.network(arch)
    load_official(ours, official.state_dict())
    for network in (ours, official):
        network.train()(pictures()).square().sum().backward()
    wanted = dict(official.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name].grad, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("arch", [0, 1234, 32767])
def test_size_network_has_official_names_and_outputs(arch: int) -> None:
    official = plain.shake(plain.plain_size(SSS.text(arch)), torch.Generator().manual_seed(arch))
    ours = SSS.network(arch)
    assert list(official.state_dict()) == list(ours.state_dict())
    load_official(ours, official.state_dict())
    torch.testing.assert_close(ours.eval()(pictures()), official.eval()(pictures()), atol=1e-5, rtol=1e-5)


def test_names_are_those_of_published_weights() -> None:
    names = set(TSS.network("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|nor_conv_1x1~2|", prune=False)
                .state_dict())  # fmt: skip
    assert {
        "stem.0.weight", "stem.1.running_mean", "cells.3.layers.5.op.1.weight", "cells.0.layers.0.op.2.bias",
        "cells.5.conv_a.op.1.weight", "cells.11.conv_b.op.2.weight", "cells.5.downsample.1.weight",
        "lastact.0.weight", "classifier.weight", "classifier.bias",
    } <= names  # fmt: skip


def test_weights_of_another_network_are_refused() -> None:
    state = trained(SAMPLE[0]).state_dict()
    with pytest.raises(BadFile, match="another network"):
        load_official(TSS.network(SAMPLE[1]), state)
    with pytest.raises(BadFile, match=r"classifier\.weight is \(10, 64\), expected \(100, 64\)"):
        load_official(TSS.network(SAMPLE[0], classes=100), state)
    with pytest.raises(BadFile, match=r"stem\.0\.weight is absent"):
        load_official(TSS.network(SAMPLE[0]), {name: state[name] for name in state if name != "stem.0.weight"})
    with pytest.raises(BadFile, match="extra is unknown"):
        load_official(TSS.network(SAMPLE[0]), {**state, "extra": torch.zeros(1)})


def test_live_edges_are_those_on_a_path_for_every_cell() -> None:
    rows = TSS.operations(np.arange(TSS.size))
    wanted = np.zeros((TSS.size, 6), dtype=bool)
    for middle in ((), (1,), (2,), (1, 2)):
        path = [EDGES.index(step) for step in itertools.pairwise((0, *middle, 3))]
        free = (rows[:, path] != 0).all(axis=1)
        for edge in path:
            wanted[:, edge] |= free
    assert np.array_equal(live_edges(rows), wanted)


def test_constant_edges_are_where_pruning_changes_the_function() -> None:
    rng = np.random.default_rng(3)
    generator = torch.Generator().manual_seed(0)
    macro = Macro((4, 4, 4), cells_per_stage=1)
    for arch in TSS.sample(30, rng):
        whole = plain.shake(TSS.network(int(arch), prune=False, macro=macro), generator).eval()
        pruned = TSS.network(int(arch), macro=macro).eval()
        own = pruned.state_dict()
        pruned.load_state_dict({name: whole.state_dict()[name] for name in own})
        same = torch.allclose(whole(pictures(2, 8)), pruned(pictures(2, 8)), atol=1e-5)
        assert same != constant_edges(TSS.operations(int(arch))).any(), TSS.text(int(arch))


def test_none_costs_nothing_and_a_cell_without_path_still_answers() -> None:
    network = TSS.network(NO_PATH)
    assert not any("layers" in name for name, _ in network.named_parameters())
    logits = network.eval()(pictures())
    assert logits.shape == (3, 10) and torch.isfinite(logits).all()
    assert torch.equal(logits[0], logits[1])  # nothing of the image arrives
    logits = network.train()(pictures())
    logits.sum().backward()
    assert torch.isfinite(logits).all()


def test_mini_network_is_only_another_skeleton() -> None:
    macro = Macro.mini(image_channels=1)
    network = TSS.network(6111, macro=macro)
    assert network(pictures(5, 8, 1)).shape == (5, 10)
    assert network.stem[0].weight.shape == (8, 1, 1, 1)
    assert [type(cell).__name__ for cell in network.cells] == ["Cell", "PoolReduction", "Cell"]
    macro.check_image((8, 8, 1))
    with pytest.raises(BadValue, match="3 channels; this network takes 1"):
        macro.check_image((8, 8, 3))
    with pytest.raises(BadValue, match="divisible by 4"):
        Macro().check_image((30, 30, 3))


@pytest.mark.parametrize(
    "changes", [{"widths": (8, 16)}, {"widths": (0,)}, {"cells_per_stage": 0}, {"stem_kernel": 2}, {"reduction": "max"}]
)
def test_impossible_skeletons_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadValue, match="macro"):
        Macro().but(**changes)


def test_weights_are_a_function_of_seed_and_name_alone() -> None:
    state = torch.get_rng_state()
    one, again, other = (
        TSS.network(CONSTANT, seed=777),
        TSS.network(CONSTANT, seed=777),
        TSS.network(CONSTANT, seed=888),
    )
    whole = TSS.network(CONSTANT, seed=777, prune=False).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in one.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]) and torch.equal(value, whole[name])
        assert value.ndim < 2 or not torch.equal(value, other.state_dict()[name])


def test_pytorch_law_is_that_of_fresh_modules() -> None:
    weight = TSS.network(6111, seed=1).cells[12].layers["0"].op[1].weight
    fan_in = weight.shape[1] * 9
    assert weight.abs().max() <= fan_in**-0.5
    assert weight.std().item() == pytest.approx((1 / 3 / fan_in) ** 0.5, rel=0.05)
    plain_layer = nn.Conv2d(64, 64, 3)
    assert plain_layer.weight.std().item() == pytest.approx(weight.std().item(), rel=0.05)


@pytest.mark.parametrize(("law", "variance"), [("tensorflow", lambda i, o: 1 / i), ("fan-out", lambda i, o: 2 / o)])
def test_laws_of_nasbench101(law: str, variance: object) -> None:
    network = CELLS.network(100_000, law=law)
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    for layer in convolutions[-6:]:
        area = layer.weight[0, 0].numel()
        wanted = variance(layer.in_channels * area, layer.out_channels * area)  # type: ignore[operator]
        assert layer.weight.var().item() == pytest.approx(wanted, rel=0.05)
    assert not network.classifier.bias.any()
    with pytest.raises(UnknownName, match="fan-out"):
        initialise(network, 0, "fanout")  # type: ignore[arg-type]


def test_cell_of_nasbench101_computes_what_the_paper_says() -> None:
    """Inception-like cell: two vertices feed the output (65 channels give 33 and 32), one is cut, input projected."""
    nodes = ("input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output")
    edges = ((0, 1), (1, 2), (0, 3), (1, 4), (2, 4), (2, 3), (3, 4), (0, 4))
    graph = Graph(nodes, tuple((source, target, "") for source, target in edges))
    assert vertex_widths(graph, 65) == [0, 22, 22, 21, 65]
    arch = CELLS.id(graph)
    macro = StackMacro(stem_channels=65, stacks=1, cells_per_stack=1)
    network = plain.shake(CELLS.network(arch, macro=macro), torch.Generator().manual_seed(4)).eval()
    cell = network.stacks[0][0]
    x = torch.rand((2, 65, 6, 6), generator=torch.Generator().manual_seed(5))
    graph = CELLS.graph(arch)
    values, widths, last = [x], vertex_widths(graph, 65), len(graph.nodes) - 1
    for vertex in range(1, last):
        block = cell.get_submodule(f"vertex_{vertex}")
        total = torch.zeros((2, widths[vertex], 6, 6))
        for source in range(vertex):
            if graph.adjacency[source, vertex]:
                total = total + (values[source][:, : widths[vertex]] if source else block.projection(x))
        pooling = graph.nodes[vertex] == "maxpool3x3"
        values.append(nn.functional.max_pool2d(total, 3, 1, 1) if pooling else block.op(total))
    wanted = torch.cat([values[vertex] for vertex in range(1, last) if graph.adjacency[vertex, last]], dim=1)
    torch.testing.assert_close(cell(x), wanted + cell.projection(x))


def test_proxy_width_of_nasbench101() -> None:
    network = CELLS.network(0, classes=1, macro=StackMacro(stem_channels=16), law="fan-out")
    assert network(pictures(2)).shape == (2, 1) and network.features(pictures(2)).shape == (2, 64)


def test_bad_arguments_end_in_one_clear_error() -> None:
    with pytest.raises(BadArchitecture):
        TSS.network(15_625)
    with pytest.raises(BadValue, match="classes=0"):
        TSS.network(0, classes=0)
    with pytest.raises(BadValue, match="take a StackMacro"):
        CELLS.network(0, macro=Macro())
    with pytest.raises(BadValue, match="at least 5"):
        StackMacro(stem_channels=4)


def test_without_pytorch_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from nasgauge.bench.errors import MissingPackage

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match=r"pip install nasgauge\[torch\]"):
        need_torch("a network")


def test_every_space_has_a_network() -> None:
    for name in SPACES:
        assert space(name).network(1, classes=3, device="meta").classifier.out_features == 3
