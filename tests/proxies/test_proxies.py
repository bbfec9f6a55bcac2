"""Laws that every proxy obeys, on every space and on networks without a path."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch

from nasgauge.bench.errors import BadValue
from nasgauge.proxies import PROXIES
from nasgauge.proxies import proxy as called
from nasgauge.proxies.proxy import Batch, Proxy
from nasgauge.proxies.signals import Signals, names
from nasgauge.proxies.subject import Candidate, Given

from .plain_scores import CELLS, NO_PATH, batch, candidate, other_candidates

COLUMNS = {"params", "flops", "depth", "random", "latency"}
NETWORKED = [
    *(name for name in PROXIES if name not in COLUMNS | {"swap_regularised", "linear_regions", "ntk"}),
    "linear_regions:samples=40", "ntk:batch=8", "ntk:released,batch=8", "knas:layers", "naswot:released",
    "swap_regularised:mean=0.01,width=0.1", "synflow:normalised=True",
]  # fmt: skip
each = pytest.mark.parametrize("name", NETWORKED)


def scored(proxy: Proxy, subject: Candidate) -> float:
    assert proxy.score is not None
    return proxy.score(Signals(subject, proxy.reads))


def of(name: str) -> Proxy:
    found = called(name)
    assert isinstance(found, Proxy)
    return found


@each
def test_same_seed_same_value_and_no_global_generator_is_touched(name: str) -> None:
    torch.manual_seed(5)
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = scored(of(name), candidate(CELLS["mixed"], batch(), seed=3))
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[1]
    assert (np.random.get_state()[1] == states[2]).all()  # noqa: NPY002
    torch.manual_seed(6)
    assert scored(of(name), candidate(CELLS["mixed"], batch(), seed=3)) == first
    assert math.isfinite(first)


@each
def test_the_network_is_left_as_it_was(name: str) -> None:
    subject = candidate(CELLS["mixed"], batch())
    network = subject.network
    network.cells[0].eval()  # modes may differ between modules
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    scored(of(name), subject)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert [module.training for module in network.modules()] == modes
    assert all(p.grad is None and p.requires_grad for p in network.parameters())
    hooks = [(m._forward_hooks, m._forward_pre_hooks) for m in network.modules()]
    assert not any(one or two for one, two in hooks)


@each
def test_the_order_of_images_does_not_matter(name: str) -> None:
    images = batch(8)
    order = torch.tensor([5, 2, 7, 0, 1, 6, 4, 3])
    assert images.second_images is not None and images.second_labels is not None
    turned = Batch(
        images.images[order], images.labels[order], 3, images.second_images[order], images.second_labels[order]
    )
    first, second = (scored(of(name), candidate(CELLS["mixed"], given)) for given in (images, turned))
    assert first == pytest.approx(second, rel=2e-3, abs=1e-4)


@each
def test_a_network_without_a_path_is_no_error(name: str) -> None:
    value = scored(of(name), candidate(NO_PATH, batch()))
    assert value == value or name in ("jacob_cov", "epe_nas")


@each
@pytest.mark.parametrize("space", ["cells101", "size"])
def test_every_space_is_scored(space: str, name: str) -> None:
    assert math.isfinite(scored(of(name), other_candidates()[space])) or name.startswith("az_train")


@each
def test_a_proxy_says_what_it_is(name: str) -> None:
    proxy = of(name)
    assert proxy.name.split(":")[0].replace("_bn", "") == name.split(":")[0]
    assert len(proxy.cites) > 10 and proxy.reads <= set(names())


@each
def test_needs_are_true(name: str) -> None:
    """What does not need images or labels has the same score on others."""
    proxy = of(name)
    images = batch(8)
    value = scored(proxy, candidate(CELLS["mixed"], images))
    others = Batch(batch(8, seed=1).images, images.labels, 3, images.second_images, images.second_labels)
    changed = scored(proxy, candidate(CELLS["mixed"], others))
    assert (changed != value) == ("images" in proxy.needs)
    labels = torch.tensor([0, 0, 1, 1, 2, 2, 1, 0])
    relabelled = Batch(images.images, labels, 3, images.second_images, images.second_labels)
    changed = scored(proxy, candidate(CELLS["mixed"], relabelled))
    assert (changed != value) == ("labels" in proxy.needs)


def test_a_column_is_no_score_of_a_network() -> None:
    subject = candidate(CELLS["mixed"], batch())
    with pytest.raises(BadValue, match=r"nasgauge\.score"):
        of("params")(subject.network, subject.batch)


def test_what_a_network_alone_cannot_say_is_refused() -> None:
    given = Given(candidate(CELLS["mixed"], batch()).network, batch())
    with pytest.raises(BadValue, match="prune=False"):
        given.unpruned()
    with pytest.raises(BadValue, match=r"nasgauge\.score"):
        given.thin()
