"""The laws of a proxy: what decides a score, and that the network, the generators and the workers do not notice."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ..bench.spaces import space as space_called

if TYPE_CHECKING:
    from torch import nn

    from ..proxies import Batch, Proxy
    from ..proxies.subject import Candidate


class ProxyConformance(ABC):
    """The laws of `nasgauge.proxies.Proxy`, on small networks of the topology space and made-up images."""

    #: Ids of the topology space whose networks are scored: convolutions, poolings and skips, some edges dead.
    archs: tuple[int, ...] = (6111, 9930, 2412)
    #: Images of the batch, of 8 x 8 grey pixels.
    images = 16
    #: Whether the score may depend on the order of the images.
    order_matters = False
    #: How far two orders of the same images may be apart, relative; float32 sums differ in their last digits.
    tolerance = 1e-3

    @abstractmethod
    def make_proxy(self) -> Proxy | Callable[[nn.Module, Batch], float]:
        """The proxy under test, or a function of a network and a batch."""

    @property
    def proxy(self) -> Proxy:
        """The proxy under test."""
        from ..proxies.names import chosen

        (single,), _ = chosen([self.make_proxy()])
        return single

    def batch(self, order: Sequence[int] | None = None) -> Batch:
        """Made-up images of ten classes, the same every time; in another order if asked."""
        import torch

        from ..proxies import Batch

        rows = list(range(self.images)) if order is None else list(order)
        stream = torch.Generator().manual_seed(11)
        pictures = torch.randn(2 * self.images, 1, 8, 8, generator=stream)
        labels = torch.arange(2 * self.images) // 2 % 10
        first, second = pictures[: self.images], pictures[self.images :]
        return Batch(first[rows], labels[: self.images][rows], 10, second[rows], labels[self.images :][rows])

    def subject(self, arch: int, batch: Batch | None = None) -> Candidate:
        """An architecture's untrained network beside a batch."""
        from ..bench.live.macro import Macro
        from ..proxies.subject import Candidate

        return Candidate(space_called("topology"), arch, batch or self.batch(), seed=3, macro=Macro.mini())

    def score(self, subject: Candidate) -> float:
        """The proxy's score of one subject.

        Raises:
            AssertionError: the proxy raised an error.
        """
        from ..proxies.work import scores

        proxy = self.proxy
        if proxy.column is not None:
            from ..proxies.subject import Asked

            return float(proxy.column(Asked(subject.space, subject.seed), np.array([subject.arch]))[0])
        row = scores(subject, (proxy,), proxy.reads, {})
        assert row[f"{proxy.name}_error"] is None, row[f"{proxy.name}_error"]
        return float(row[proxy.name])

    def test_says_what_it_is(self) -> None:
        assert self.proxy.name
        assert self.proxy.cites
        assert self.proxy.direction in ("higher", "lower")

    def test_is_decided_by_network_batch_and_seed(self) -> None:
        first, again = ([self.score(self.subject(arch)) for arch in self.archs] for _ in range(2))
        assert first == again

    def test_is_finite_on_reachable_cells(self) -> None:
        assert all(np.isfinite(self.score(self.subject(arch))) for arch in self.archs)

    def test_leaves_the_network_as_it_was(self) -> None:
        import torch

        subject = self.subject(self.archs[-1])
        network = subject.network.eval()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        self.score(subject)
        assert subject.network is network
        assert not any(module.training for module in network.modules())
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert all(value.grad is None and value.requires_grad for value in network.parameters())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())

    def test_the_order_of_the_images_does_not_matter(self) -> None:
        if self.order_matters:
            pytest.skip("this proxy depends on the order of the images")
        order = np.random.default_rng(5).permutation(self.images).tolist()
        for arch in self.archs:
            one, other = self.score(self.subject(arch)), self.score(self.subject(arch, self.batch(order)))
            assert other == pytest.approx(one, rel=self.tolerance, abs=1e-5)

    def test_leaves_the_global_generators_alone(self) -> None:
        import torch

        before, numpy_before = random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]  # noqa: NPY002
        torch_before = torch.get_rng_state()
        self.score(self.subject(self.archs[0]))
        assert random.getstate() == before
        np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # type: ignore[index]  # noqa: NPY002
        assert torch.equal(torch.get_rng_state(), torch_before)

    def test_the_number_of_workers_changes_no_score(self, tmp_path: Path) -> None:
        from ..proxies.engine import score

        values = []
        for jobs in (1, 2):
            run = score(
                "topology", [self.make_proxy()], tmp_path / str(jobs), archs=self.archs, images=self.batch(), jobs=jobs
            )
            values.append(run.frame()[self.proxy.name].to_numpy())
        np.testing.assert_array_equal(values[0], values[1])
