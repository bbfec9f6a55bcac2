"""Proxies as ratios to the passes that they cannot do without: seconds of one thread of a processor, best of a few."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from nasgauge.bench.spaces import space
from nasgauge.proxies import PROXIES, Proxy
from nasgauge.proxies import proxy as called
from nasgauge.proxies.names import needed
from nasgauge.proxies.proxy import Batch
from nasgauge.proxies.signals import Signals
from nasgauge.proxies.subject import Asked, Candidate

from .conftest import Row

TSS = space("topology")
ROUNDS = 4
CELLS = {
    "best": 6111,
    "typical": TSS.id(
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"
    ),
    "light": TSS.id("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"),
}
cells = pytest.mark.parametrize("name", CELLS)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread, whose processor time says the truth on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def batch_of(n: int) -> Batch:
    generator = torch.Generator().manual_seed(0)
    images, second = (torch.randn(n, 3, 32, 32, generator=generator) for _ in range(2))
    labels = torch.randint(0, 10, (n,), generator=generator)
    return Batch(images, labels, 10, second, labels)


def in_turns(calls: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, float]:
    """Smallest processor seconds of each call, made in turns, so that all meet the same machine."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            started = time.process_time()
            call()
            seconds[name].append(time.process_time() - started)
    return {name: min(each[1:]) for name, each in seconds.items()}  # the first time is a warm-up


def proxies(*chosen: str) -> list[Proxy]:
    found = [called(name) for name in chosen]
    return [each for each in found if isinstance(each, Proxy)]


def score(subject: Candidate, chosen: Sequence[Proxy]) -> None:
    """All of them in one pass."""
    signals = Signals(subject, frozenset().union(*(proxy.reads for proxy in chosen)))
    for proxy in chosen:
        if proxy.score is not None:
            proxy.score(signals)
        elif proxy.column is not None:
            proxy.column(Asked(TSS), torch.tensor([subject.arch]).numpy())


def forward(subject: Candidate) -> None:
    with torch.no_grad():
        subject.network(subject.batch.images)


def forward_backward(subject: Candidate) -> None:
    network, batch = subject.network, subject.batch
    loss = cross_entropy(network(batch.images), batch.labels)
    torch.autograd.grad(loss, list(network.parameters()))


@cells
def test_naswot(name: str, row: Row) -> None:
    subject = Candidate(TSS, CELLS[name], batch_of(128))
    chosen = proxies("naswot")
    found = in_turns({"ours": lambda: score(subject, chosen), "bare": lambda: forward(subject)})
    row(f"naswot, batch 128, {name} cell", found["ours"], "s", 1.6 * found["bare"], "bare forward", found["bare"])
    assert found["ours"] <= 1.6 * found["bare"]


@cells
def test_scores_of_the_gradient_together(name: str, row: Row) -> None:
    subject = Candidate(TSS, CELLS[name], batch_of(64))
    chosen = proxies("snip", "grad_norm", "plain", "fisher", "l2_norm")
    found = in_turns({"ours": lambda: score(subject, chosen), "bare": lambda: forward_backward(subject)})
    what = f"snip, grad_norm, plain, fisher, l2_norm, batch 64, {name} cell"
    row(what, found["ours"], "s", 1.5 * found["bare"], "forward + backward", found["bare"])
    assert found["ours"] <= 1.5 * found["bare"]


def test_all_together_beside_each_alone(row: Row) -> None:
    """Each alone builds its own network, as a run with this proxy alone does."""
    batch = batch_of(128)
    chosen = [proxy for proxy in proxies(*(name for name in PROXIES if not needed(name))) if proxy.name != "latency"]
    alone: dict[str, Callable[[], Any]] = {
        proxy.name: lambda proxy=proxy: score(Candidate(TSS, CELLS["typical"], batch), [proxy]) for proxy in chosen
    }
    together = {"together": lambda: score(Candidate(TSS, CELLS["typical"], batch), chosen)}
    found = in_turns(alone | together, rounds=2)
    summed = sum(seconds for name, seconds in found.items() if name != "together")
    row("all proxies together, batch 128", found["together"], "s", summed / 3, "each alone, summed", summed)
    assert summed >= 3 * found["together"]


def test_construction(row: Row) -> None:
    """A network's weights are drawn from one stream each; that must stay small beside what it is built for."""
    batch = batch_of(128)
    subject = Candidate(TSS, CELLS["typical"], batch)
    found = in_turns({
        "built": lambda: Candidate(TSS, CELLS["typical"], batch).network, "bare": lambda: forward(subject),
    })  # fmt: skip
    row("building a network", 1e3 * found["built"], "ms", 100 * found["bare"], "bare forward", 1e3 * found["bare"])
    assert found["built"] <= 0.2 * found["bare"]
