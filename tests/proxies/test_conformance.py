"""Every built-in proxy meets the laws that a user's own is held to."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

torch = pytest.importorskip("torch")

import nasgauge as ng  # noqa: E402
from nasgauge.proxies import PROXIES, Batch, Proxy  # noqa: E402
from nasgauge.proxies.engine import score  # noqa: E402
from nasgauge.proxies.names import needed  # noqa: E402
from nasgauge.testing import ProxyConformance  # noqa: E402

VARIANTS = ("naswot:released", "knas:layers", "zen:repeats=2", "swap_regularised:mean=0.01,width=0.01")
LOOSE = {"ntk": 0.02, "jacob_cov": 0.01, "zico": 0.01}  # condition numbers and quotients magnify the last digits


def suite(name: str) -> type[ProxyConformance]:
    """The suite of one proxy."""
    return type(f"Test_{name}", (ProxyConformance,), {
        "test_the_number_of_workers_changes_no_score": None,  # below, for all together
        "make_proxy": lambda self: ng.proxies.proxy(name), "tolerance": LOOSE.get(name, 1e-3), "__test__": True,
    })  # fmt: skip


for _name in (*(name for name in PROXIES if not needed(name)), *VARIANTS):
    globals()[f"Test_{_name}"] = suite(_name)


def test_the_number_of_workers_changes_no_score(tmp_path: Path) -> None:
    batch = TestOwnFunction().batch()
    asked = ["all", *VARIANTS]
    runs = [score("topology", asked, tmp_path / str(jobs), archs=4, images=batch, jobs=jobs) for jobs in (1, 2)]
    alone, together = (run.frame()[list(run.proxies)] for run in runs)
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


class TestKnasReleased(ProxyConformance):
    """The released code splits the images in halves, by their order."""

    images = 50
    order_matters = True

    def make_proxy(self) -> Proxy:
        return ng.proxies.knas("released")


class TestOwnFunction(ProxyConformance):
    """A function of a user's own, which draws from the global generator and leaves gradients behind."""

    def make_proxy(self):  # type: ignore[no-untyped-def]
        def noisy_loss(network: torch.nn.Module, batch: Batch) -> float:
            loss = network(batch.images).square().mean()
            loss.backward()
            return float(loss.detach()) + float(torch.rand(1))

        return noisy_loss
