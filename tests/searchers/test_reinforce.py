"""The policy moves exactly as torch's autograd and Adam would move it."""

from __future__ import annotations

import numpy as np
import pytest

from nasgauge.bench.errors import BadValue
from nasgauge.bench.objective import Evaluation
from nasgauge.bench.spaces import space
from nasgauge.searchers import Recipe, reinforce
from nasgauge.searchers.reinforce import Reinforce
from nasgauge.testing import SearcherConformance


class TestNb201(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return reinforce()


class TestNb101(SearcherConformance):
    def make_recipe(self) -> Recipe:
        return reinforce("nb101")


def start(name: str = "topology", **settings: object) -> Reinforce:
    searcher = reinforce(**settings).start(space(name), np.random.default_rng(0))
    assert isinstance(searcher, Reinforce)
    return searcher


def test_updates_equal_those_of_torch() -> None:
    """The loop of AutoDL-Projects, written with autograd and torch.optim.Adam, on the same samples and rewards."""
    torch = pytest.importorskip("torch")
    searcher, topology = start(), space("topology")
    logits = torch.nn.Parameter(torch.tensor(searcher.logits))
    optimizer = torch.optim.Adam([logits], lr=0.01)
    top = bottom = 0.0
    for _ in range(120):
        (arch,) = searcher.ask(1)
        reward = 50 + arch % 41
        top, bottom = 0.9 * top + (1 - 0.9) * reward, 0.9 * bottom + (1 - 0.9)
        chosen = torch.tensor(topology.operations(arch).astype(np.int64))
        law = torch.distributions.Categorical(torch.softmax(logits, dim=-1))
        loss = (-law.log_prob(chosen) * (reward - top / bottom)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        searcher.tell([Evaluation(arch, float(reward), 1.0)])
        np.testing.assert_allclose(searcher.logits, logits.detach().numpy(), rtol=1e-9, atol=1e-12)


def test_the_version_of_nas_bench_101_is_plain_gradient_ascent() -> None:
    torch = pytest.importorskip("torch")
    searcher = start("cells101", rate=0.1, spread=0.0, optimizer="sgd", scale=0.01)
    edges, operations = (torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in ((21, 2), (5, 3)))
    top = bottom = 0.0
    for step in range(30):
        (arch,) = searcher.ask(1)
        (row,) = searcher._drawn[arch]
        reward = 0.9 + 0.01 * (step % 7)
        top, bottom = 0.9 * top + (1 - 0.9) * reward, 0.9 * bottom + (1 - 0.9)
        chosen = torch.tensor(row.astype(np.int64))
        laws = [torch.distributions.Categorical(logits=each) for each in (edges, operations)]
        likely = laws[0].log_prob(chosen[:21]).sum() + laws[1].log_prob(chosen[21:]).sum()
        gradients = torch.autograd.grad((reward - top / bottom) * likely, (edges, operations))
        with torch.no_grad():
            edges += 0.1 * gradients[0]
            operations += 0.1 * gradients[1]
        searcher.tell([Evaluation(arch, 100 * reward, 1.0)])
        np.testing.assert_allclose(searcher.logits[:21, :2], edges.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(searcher.logits[21:], operations.detach().numpy(), atol=1e-12)


def test_samples_follow_the_policy() -> None:
    searcher, topology = start(spread=1.0), space("topology")
    rows = topology.operations(searcher.ask(20_000))
    for slot in range(6):
        frequencies = np.bincount(rows[:, slot], minlength=5) / 20_000
        np.testing.assert_allclose(frequencies, searcher.policy()[slot], atol=0.02)


def test_choices_that_a_slot_lacks_are_never_drawn() -> None:
    searcher = start("cells101", spread=1.0)
    policy = searcher.policy()
    assert (policy[:21, 2] == 0).all()
    np.testing.assert_allclose(policy.sum(axis=1), 1)


def test_the_first_reward_moves_nothing_as_it_is_its_own_baseline() -> None:
    searcher = start()
    before = searcher.logits.copy()
    searcher.tell([Evaluation(searcher.ask(1)[0], 80.0, 1.0)])
    np.testing.assert_array_equal(searcher.logits, before)


def test_it_finds_the_better_choices() -> None:
    searcher, topology = start(rate=0.1), space("topology")
    for _ in range(400):
        (arch,) = searcher.ask(1)
        searcher.tell([Evaluation(arch, float((topology.operations(arch) == 3).sum()), 1.0)])
    assert (searcher.policy()[:, 3] > 0.6).all()


@pytest.mark.parametrize(
    "wrong", [{"rate": 0.0}, {"momentum": 1.0}, {"spread": -1.0}, {"optimizer": "lion"}, {"scale": 0.0}]
)
def test_senseless_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue, match=next(iter(wrong))):
        start(**wrong)
