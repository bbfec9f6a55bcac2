"""Signals are computed once, when asked for; one pass serves all that was announced."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import nn

from nasgauge.bench.errors import BadValue
from nasgauge.proxies import fisher, grad_norm, grasp, jacob_cov, knas, naswot, plain, snip
from nasgauge.proxies.signals import Signals, names

from .plain_scores import CELLS, batch, candidate

LABELLED = [naswot, grad_norm, plain, snip, grasp, fisher, knas, jacob_cov]


def counted(network: nn.Module) -> list[int]:
    """Grows by one with every forward pass."""
    passes: list[int] = []
    network.register_forward_pre_hook(lambda *_: passes.append(1))
    return passes


def test_one_forward_pass_serves_all_that_is_announced() -> None:
    subject = candidate(CELLS["mixed"], batch())
    passes = counted(subject.network)
    proxies = [make() for make in LABELLED]
    signals = Signals(subject, frozenset().union(*(proxy.reads for proxy in proxies)))
    assert not passes  # nothing is computed before it is asked for
    together = [proxy.score(signals) for proxy in proxies if proxy.score]
    assert len(passes) == 1
    alone = [proxy(subject.network, subject.batch) for proxy in proxies]
    assert together == pytest.approx(alone, rel=1e-5)
    assert len(passes) == 1 + len(proxies)


def test_a_signal_is_computed_once() -> None:
    signals = Signals(candidate(CELLS["mixed"], batch()), frozenset({"layers"}))
    assert signals.layers is signals.layers


@pytest.mark.parametrize("make", LABELLED)
def test_an_unannounced_signal_can_be_asked_for(make: object) -> None:
    subject = candidate(CELLS["mixed"], batch())
    proxy = make()  # type: ignore[operator]
    bare = Signals(subject)
    _ = bare.layers, bare.agreement
    assert proxy.score(bare) == pytest.approx(proxy(subject.network, subject.batch), rel=1e-5)


def test_unknown_signals_are_refused_with_the_legal_ones() -> None:
    with pytest.raises(BadValue, match=r"unknown signal 'gradient'; legal: .*layers"):
        Signals(candidate(CELLS["mixed"], batch()), frozenset({"gradient"}))
    assert "layers" in names() and "_graph" not in names()


def test_reading_names_the_signals_and_their_parts() -> None:
    signals = Signals(candidate(CELLS["mixed"], batch()), frozenset({"layers", "agreement", "entropies"}))
    with signals.reading() as first:
        _ = signals.layers
    with signals.reading() as second:
        _ = signals.agreement
    with signals.reading() as third:
        _ = signals.entropies
    assert first == {"layers", "_graph", "forward", "network"}
    assert second == {"agreement", "forward", "network"}  # the forward pass was there already, and counts all the same
    assert third == {"entropies", "cells", "kaiming"}


def test_seconds_of_signals_add_up_without_counting_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that advances by one at every look, each signal's seconds are its own looks."""
    ticks = iter(range(1_000))
    monkeypatch.setattr(Signals, "_now", lambda self: float(next(ticks)))
    signals = Signals(candidate(CELLS["mixed"], batch()), frozenset({"layers"}))
    _ = signals.layers
    used = next(ticks)
    assert set(signals.seconds) == {"layers", "_graph", "forward", "network"}
    assert all(seconds > 0 for seconds in signals.seconds.values())
    assert sum(signals.seconds.values()) == used - 1  # from the first look to the last one


def test_the_graph_is_freed_with_the_signals() -> None:
    """Without the garbage collector: nothing of a network's pass is in a circle."""
    subject = candidate(CELLS["mixed"], batch())
    proxies = [make() for make in LABELLED]
    gc.disable()
    try:
        signals = Signals(subject, frozenset().union(*(proxy.reads for proxy in proxies)))
        for proxy in proxies:
            assert proxy.score is not None
            proxy.score(signals)
        logits, network = weakref.ref(signals.forward.logits), weakref.ref(subject.network)
        del signals
        assert logits() is None
        del subject
        assert network() is None
    finally:
        gc.enable()


def test_gradients_are_computed_where_the_caller_forbids_them() -> None:
    subject = candidate(CELLS["mixed"], batch())
    expected = grad_norm()(subject.network, subject.batch)
    with torch.no_grad():
        assert grad_norm()(subject.network, subject.batch) == expected
