"""BANANAS: the encoding, the ensemble and the rounds are the paper's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import Graph, Space, space
from nasgauge.searchers import Recipe, bananas
from nasgauge.searchers.bananas import Bananas
from nasgauge.searchers.ensemble import Ensemble, Training
from nasgauge.searchers.paths import path_encoding
from nasgauge.testing import SearcherConformance, TinySpace

QUICK = {"members": 2, "layers": 2, "width": 4, "epochs": 4, "candidates": 12}


class TestBananas(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return bananas(**QUICK)


def paths_of(graph: Graph, labels_on_edges: bool) -> set[tuple[str, ...]]:
    """Every path from the first to the last vertex as the operations on it, by walking the graph."""

    def walk(vertex: int) -> list[tuple[str, ...]]:
        if vertex == len(graph.nodes) - 1:
            return [()]
        found = []
        for source, target, label in graph.edges:
            if source == vertex:
                here = (label,) if labels_on_edges else () if target == len(graph.nodes) - 1 else (graph.nodes[target],)
                found += [here + rest for rest in walk(target)]
        return found

    return set(walk(0))


@pytest.mark.parametrize(("name", "operations", "shortest"), [("topology", 5, 1), ("cells101", 3, 0)])
def test_encoding_marks_the_paths_of_the_graph(name: str, operations: int, shortest: int) -> None:
    space_ = space(name)
    ids = space_.sample(120, np.random.default_rng(0))
    longest = 3 if name == "topology" else 5
    whole = path_encoding(space_, ids, length=10_000)
    assert whole.shape[1] == sum(operations**size for size in range(shortest, longest + 1))
    starts = np.cumsum([0, *(operations**size for size in range(shortest, longest + 1))])
    found = []
    for row, arch in zip(whole, ids.tolist(), strict=True):
        graph = space_.graph(arch)
        paths = paths_of(graph, labels_on_edges=name == "topology")
        found.append(paths)
        per_size = [int(row[a:b].sum()) for a, b in itertools.pairwise(starts)]
        assert per_size == [sum(len(path) == size for path in paths) for size in range(shortest, longest + 1)]
    positions: dict[tuple[str, ...], int] = {}  # one position for one path, all over the sample
    for path in set.union(*found):
        having = np.array([path in paths for paths in found])
        agreeing = np.flatnonzero((whole.astype(bool) == having[:, None]).all(axis=0))
        assert len(agreeing) >= 1
        positions[path] = int(agreeing[0])


def test_the_truncated_encoding_keeps_the_short_paths() -> None:
    assert path_encoding(space("topology"), [0, 1]).shape == (2, 30)  # all of up to 2 operations
    assert path_encoding(space("cells101"), [0, 1]).shape == (2, 40)  # all of up to 3
    assert path_encoding(space("topology"), [0, 1], 5).shape == (2, 5)


def test_spaces_without_paths_are_one_hot() -> None:
    encoded = path_encoding(space("size"), np.arange(100))
    assert encoded.shape == (100, 40)
    assert (encoded.sum(axis=1) == 5).all()
    assert len(np.unique(encoded, axis=0)) == 100


def test_members_train_as_they_would_in_torch() -> None:
    """Same first weights and batches: mean absolute error by autograd and torch's Adam lead to the same answers."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    inputs = rng.integers(2, size=(20, 6)).astype(np.float32)
    targets = (inputs @ rng.normal(size=6) + 3).astype(np.float32)
    plan = Training(members=3, layers=2, width=5, epochs=12, batch=32)  # one batch holds all: its order is no matter
    ensemble = Ensemble(6, plan, np.random.default_rng(1))
    weights = [torch.nn.Parameter(torch.tensor(weight)) for weight in ensemble._weights]
    optimizer = torch.optim.Adam(weights, lr=0.01, betas=(0.9, 0.99), eps=1e-7)

    def answers() -> object:
        values = torch.tensor(inputs).expand(3, -1, -1)
        for layer in range(3):
            values = values @ weights[2 * layer] + weights[2 * layer + 1]
            values = torch.relu(values) if layer < 2 else values
        return values[:, :, 0]

    np.testing.assert_allclose(ensemble.predict(inputs), answers().detach().numpy(), atol=1e-5)  # type: ignore[attr-defined]
    for _ in range(12):
        loss = (answers() - torch.tensor(targets)).abs().mean(dim=1).sum()  # type: ignore[operator]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    ensemble.fit(inputs, targets)
    np.testing.assert_allclose(ensemble.predict(inputs), answers().detach().numpy(), atol=2e-3)  # type: ignore[attr-defined]


def test_the_ensemble_learns_and_its_members_differ() -> None:
    topology = space("topology")
    ids = topology.sample(140, np.random.default_rng(0))
    truth = (topology.operations(ids) == 3).sum(axis=1).astype(np.float32)
    inputs = path_encoding(topology, ids)
    ensemble = Ensemble(inputs.shape[1], Training(), np.random.default_rng(0))
    ensemble.fit(inputs, truth)
    answers = ensemble.predict(inputs)
    assert np.corrcoef(answers.mean(axis=0), truth)[0, 1] > 0.8
    assert (answers.std(axis=0) > 0).mean() > 0.9


def value(space_: Space, arch: int) -> float:
    return 40.0 + 2 * float(np.maximum(space_.operations(arch), 0).sum())


def run(searcher: object, space_: Space, trainings: int) -> list[int]:
    trace = []
    for _ in range(trainings):
        (arch,) = searcher.ask(1)  # type: ignore[attr-defined]
        trace.append(arch)
        searcher.tell([Evaluation(arch, value(space_, arch), 1.0)])  # type: ignore[attr-defined]
    return trace


def test_it_starts_at_random_and_goes_on_with_mutants_of_the_best() -> None:
    topology = space("topology")
    searcher = bananas(**QUICK, patience=1).start(topology, np.random.default_rng(0))
    trace = run(searcher, topology, 20)
    assert len(set(trace)) == 20
    best = max(trace[:10], key=lambda arch: value(topology, arch))
    changes = (topology.operations(trace[10:]) != topology.operations(best)).sum(axis=1)
    assert changes.max() < 6 and changes.mean() < 2.5


def test_a_round_is_asked_before_the_next_one_is_thought_of() -> None:
    searcher = bananas(**QUICK).start(space("topology"), np.random.default_rng(0))
    assert len(searcher.ask(7)) == 7
    assert len(searcher.ask(7)) == 3


def test_it_beats_random_search_on_a_smooth_landscape() -> None:
    topology = space("topology")
    trace = run(bananas(epochs=40).start(topology, np.random.default_rng(1)), topology, 60)
    drawn = topology.sample(60, np.random.default_rng(1)).tolist()
    assert max(value(topology, arch) for arch in trace[:60]) >= max(value(topology, arch) for arch in drawn)
    assert np.mean([value(topology, arch) for arch in trace[30:]]) > np.mean([value(topology, a) for a in drawn]) + 5


def test_it_never_repeats_and_ends_with_the_space() -> None:
    tiny = TinySpace()
    searcher = bananas(**QUICK, initial=2, batch=1).start(tiny, np.random.default_rng(0))
    assert isinstance(searcher, Bananas)
    assert sorted(run(searcher, tiny, 6)) == list(range(6))
    assert not searcher.ask(1)


@pytest.mark.parametrize("wrong", ["initial", "batch", "candidates", "patience", "members", "layers", "epochs"])
def test_senseless_settings_are_refused(wrong: str) -> None:
    with pytest.raises(BadValue, match=f"{wrong}=0"):
        bananas(**{wrong: 0}).start(TinySpace(), np.random.default_rng(0))
