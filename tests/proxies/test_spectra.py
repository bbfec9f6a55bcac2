"""NTK and MeCo, beside one backward pass per image and numpy's correlation."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from nasgauge.bench.errors import BadValue
from nasgauge.proxies import meco, ntk
from nasgauge.proxies.image_kernel import coupled_kernel, own_kernel
from nasgauge.proxies.proxy import Proxy
from nasgauge.proxies.signals import Signals
from nasgauge.proxies.subject import Candidate

from .plain_scores import CELLS, NO_PATH, batch, candidate, other_candidates

cells = pytest.mark.parametrize("name", CELLS)
N = 6


def scored(proxy: Proxy, subject: Candidate) -> float:
    assert proxy.score is not None
    return proxy.score(Signals(subject))


def vector(network: nn.Module) -> np.ndarray:
    """All gradients but those of biases."""
    return np.concatenate(
        [
            np.zeros(p.numel()) if p.grad is None else p.grad.flatten().numpy()
            for name, p in network.named_parameters() if name.endswith("weight")
        ]
    )  # fmt: skip


def coupled_rows(network: nn.Module, images: torch.Tensor) -> np.ndarray:
    """One backward pass per image, in training mode."""
    rows = []
    for image in range(len(images)):
        twin = copy.deepcopy(network).double().train()
        twin(images.double())[image].sum().backward()
        rows.append(vector(twin))
    return np.stack(rows)


def own_rows(network: nn.Module, images: torch.Tensor) -> np.ndarray:
    """One backward pass per image alone, normalised by numbers of the whole batch."""
    twin = copy.deepcopy(network).double().train()
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda _, inputs, __, name=name: seen.update({name: inputs[0].detach()}))
        for name, module in twin.named_modules() if isinstance(module, nn.BatchNorm2d)
    ]  # fmt: skip
    twin(images.double())
    for hook in hooks:
        hook.remove()
    for name, values in seen.items():
        norm = twin.get_submodule(name)
        norm.running_mean = values.transpose(0, 1).flatten(1).mean(1)
        norm.running_var = values.transpose(0, 1).flatten(1).var(1, unbiased=False)
    twin.eval()
    rows = []
    for image in images.double():
        twin.zero_grad(set_to_none=True)
        twin(image[None]).sum().backward()
        rows.append(vector(twin))
    return np.stack(rows)


@cells
@pytest.mark.parametrize(("variant", "rows"), [("paper", own_rows), ("released", coupled_rows)])
def test_ntk_by_one_backward_pass_per_image(name: str, variant: str, rows: object) -> None:
    images = batch(N)
    subject = candidate(CELLS[name], images, seed=2)
    expected = rows(subject.redrawn("kaiming"), images.images)  # type: ignore[operator]
    kernel = expected @ expected.T
    exact = (own_kernel if variant == "paper" else coupled_kernel)(
        subject.redrawn("kaiming").double(), images.images.double()
    )
    np.testing.assert_allclose(exact.numpy(), kernel, rtol=1e-8, atol=1e-12 * kernel.max())
    values = np.linalg.eigvalsh(kernel)
    proxy = ntk(variant, batch=N)  # type: ignore[arg-type]
    singular = values[0] < values[-1] * 1e-11  # the dead branch's network has too few weights for six images
    assert scored(proxy, subject) == pytest.approx(-math.inf if singular else -values[-1] / values[0], rel=1e-2)
    assert singular == (name == "dead branch")
    assert proxy.direction == "lower"


class Unusual(nn.Module):
    """A grouped convolution, a layer that is used twice, or a parameter of its own."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what
        self.stem = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.body = nn.Conv2d(4, 4, 3, padding=1, groups=2 if what == "groups" else 1)
        self.weight = nn.Parameter(torch.tensor(1.5)) if what == "own" else None
        self.classifier = nn.Linear(4, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.body(self.stem(images)).tanh()
        if self.what == "twice":
            features = self.body(features)
        return self.classifier(features.mean((2, 3)) * (1 if self.weight is None else self.weight))


@pytest.mark.parametrize("what", ["groups", "twice", "own", "nothing"])
def test_the_kernel_of_a_network_of_ones_own(what: str) -> None:
    torch.manual_seed(0)
    network, images = Unusual(what), torch.randn(5, 2, 6, 6)
    rows = own_rows(network, images)
    found = own_kernel(copy.deepcopy(network).double(), images.double())
    np.testing.assert_allclose(found.numpy(), rows @ rows.T, rtol=1e-8)


@pytest.mark.parametrize("space", ["cells101", "size"])
def test_the_kernel_on_other_spaces(space: str) -> None:
    """Strides, rectifiers in place, branches cut to width."""
    subject = other_candidates(4)[space]
    rows = own_rows(subject.redrawn("kaiming"), subject.batch.images)
    found = own_kernel(subject.redrawn("kaiming").double(), subject.batch.images.double())
    np.testing.assert_allclose(found.numpy(), rows @ rows.T, rtol=1e-7, atol=1e-9 * found.max())


def test_ntk_is_the_mean_of_its_repeats_and_reads_its_own_batch() -> None:
    images = batch(N)
    subject = candidate(CELLS["heavy"], images)
    single = []
    for repeat in range(2):
        rows = own_rows(subject.redrawn("kaiming", repeat), images.images[:4])
        values = np.linalg.eigvalsh(rows @ rows.T)
        single.append(-values[-1] / values[0])
    assert scored(ntk(batch=4, repeats=2), subject) == pytest.approx(np.mean(single), rel=1e-2)
    assert ntk("released").name == "ntk:released" and ntk(batch=4).name == "ntk:batch=4"


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_a_singular_kernel_is_minus_infinity(variant: str) -> None:
    assert scored(ntk(variant, batch=4), candidate(NO_PATH, batch(4))) == -math.inf  # type: ignore[arg-type]


@cells
def test_meco_sums_smallest_eigenvalues_of_all_modules(name: str) -> None:
    subject = candidate(CELLS[name], batch(4), seed=5)
    network = copy.deepcopy(subject.network).train()
    seen: list[torch.Tensor] = []
    network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    outputs: list[np.ndarray] = []
    for module in network.modules():
        module.register_forward_hook(lambda _, __, output: outputs.append(output[0].detach().double().numpy().copy()))
    twin = Candidate(subject.space, subject.arch, subject.batch, seed=5, macro=subject.macro)
    twin._network = network
    value = scored(meco(side=16), twin)
    assert [tuple(images.shape) for images in seen] == [(1, 1, 16, 16)]
    expected = 0.0
    for output in outputs:
        rows = output.reshape(len(output), -1)
        with np.errstate(all="ignore"):
            correlation = np.atleast_2d(np.corrcoef(rows)) if rows.shape[1] > 1 else np.zeros((len(rows),) * 2)
        correlation[~np.isfinite(correlation)] = 0
        expected += np.linalg.eigvalsh(correlation).min()
    assert value == pytest.approx(expected, abs=1e-4)


def test_settings_outside_their_range_are_refused() -> None:
    for make in (lambda: ntk(batch=1), lambda: ntk(repeats=0), lambda: ntk("other")):  # type: ignore[arg-type]
        with pytest.raises(BadValue, match="legal"):
            make()
