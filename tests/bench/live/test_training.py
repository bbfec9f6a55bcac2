"""Training one network: a function of its arguments, faithful to the recipe, and safe to kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from nasgauge.bench.errors import BadFile, BadValue
from nasgauge.bench.live.batches import Batches
from nasgauge.bench.live.device import device_of
from nasgauge.bench.live.images import Images
from nasgauge.bench.live.macro import Macro
from nasgauge.bench.live.optimizers import optimizer_of
from nasgauge.bench.live.recipe import TrainingRecipe, learning_rate, recipe_of
from nasgauge.bench.live.training import History, train
from nasgauge.bench.spaces import space

TSS = space("topology")
ARCH = TSS.id("|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_1x1~2|")
RECIPE = TrainingRecipe(3, batch=16)
MACRO = Macro.mini(3)


def stripes(count: int = 70, side: int = 8, seed: int = 0) -> Images:
    """Two classes: stripes that lie or stand."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    lying = np.broadcast_to((np.arange(side) % 4 < 2)[:, None], (side, side))
    noise = rng.integers(0, 130, (count, side, side, 3))
    x = (np.where(labels[:, None, None], lying, lying.T)[..., None] * 120 + noise).astype(np.uint8)
    first, second = count * 5 // 7, count * 6 // 7
    parts = [part for cut in np.split(np.arange(count), [first, second]) for part in (x[cut], labels[cut])]
    return Images("stripes", *parts, 2, (120.0,) * 3, (60.0,) * 3)


def run(seed: int = 7, **options: object) -> tuple[nn.Module, History]:
    network = TSS.network(ARCH, 2, macro=MACRO, seed=seed)
    return network, train(network, Batches(stripes()), RECIPE, seed, **options)  # type: ignore[arg-type]


def same(one: History, other: History) -> bool:
    return all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one.curves if not name.endswith("seconds")
    )


def test_training_is_a_function_of_its_arguments() -> None:
    torch.manual_seed(1)
    network, first = run()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    again, second = run()
    assert torch.equal(torch.get_rng_state(), state)
    assert same(first, second) and not same(first, run(seed=8)[1])
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_training_is_sgd_as_published() -> None:
    """The same weights as a loop written out with torch.optim and nothing of ours but the order of images."""
    network, history = run()
    recipe, batches = RECIPE, Batches(stripes())
    other = TSS.network(ARCH, 2, macro=MACRO, seed=7).train()
    optimizer = torch.optim.SGD(other.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=5e-4, foreach=False)
    losses = []
    for epoch in range(3):
        total = 0.0
        for step, (images, labels) in enumerate(batches.epoch(recipe, 7, epoch)):
            optimizer.param_groups[0]["lr"] = learning_rate(recipe, 4 * epoch + step, 4)
            loss = cross_entropy(other(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        losses.append(total / 50)
    assert np.allclose(history["train_loss"], losses, rtol=1e-5)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], atol=1e-5, rtol=1e-4)


def test_history_holds_every_epoch_in_percent() -> None:
    seen: list[tuple[int, dict[str, float]]] = []
    network, history = run(on_epoch=lambda epoch, row: seen.append((epoch, row)))
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert all(curve.shape == (3,) and np.isfinite(curve).all() for curve in history.curves.values())
    assert not history.diverged and history.resumed_after == 0 and history.images_per_second > 0
    images = stripes()
    x, y = next(Batches(images).held("test", 100))
    logits = network.eval()(x)
    assert history.final("test_accuracy") == pytest.approx(100 * (logits.argmax(1) == y).double().mean().item())
    assert history.final("test_loss") == pytest.approx(cross_entropy(logits, y).item(), rel=1e-4)
    assert history.final("train_accuracy") > 80  # stripes are easy


def test_a_set_without_validation_has_no_validation_accuracy() -> None:
    images = stripes().without_validation()
    history = train(TSS.network(ARCH, 2, macro=MACRO), Batches(images), RECIPE.but(epochs=1), 0)
    assert np.isnan(history["valid_accuracy"]).all() and np.isfinite(history["test_accuracy"]).all()


def test_channels_last_and_bfloat16_are_options() -> None:
    _, plain = run()
    network = TSS.network(ARCH, 2, macro=MACRO, seed=7)
    last = train(network, Batches(stripes(), channels_last=True), RECIPE, 7)
    assert np.allclose(last["train_loss"], plain["train_loss"], rtol=1e-2)
    network = TSS.network(ARCH, 2, macro=MACRO, seed=7)
    low = train(network, Batches(stripes()), RECIPE.but(precision="bf16"), 7)
    assert np.allclose(low["train_loss"][0], plain["train_loss"][0], rtol=0.1) and not same(low, plain)


@pytest.mark.slow
def test_compiled_training_is_the_same() -> None:
    assert np.allclose(run(compiled=True)[1]["train_loss"], run()[1]["train_loss"], rtol=1e-3)


def test_infinite_loss_is_recorded_as_diverged() -> None:
    network = TSS.network(ARCH, 2, macro=MACRO)
    with torch.no_grad():
        network.classifier.weight.fill_(float("inf"))
    history = train(network, Batches(stripes()), RECIPE, 0)
    assert history.diverged and np.isnan(history.final("test_accuracy"))
    assert np.isfinite(history["train_accuracy"][0]) and np.isnan(history["train_accuracy"][1:]).all()


def test_rmsprop_follows_tensorflow() -> None:
    """Two steps on one weight, computed by hand from the published rule."""
    weight = nn.Parameter(torch.tensor([2.0]))
    optimizer = optimizer_of(recipe_of("cells101", 4), [weight])
    value, square, moment = 2.0, 1.0, 0.0
    for gradient in (3.0, -1.0):
        weight.grad = torch.tensor([gradient])
        optimizer.step()
        slope = gradient + 1e-4 * value
        square = 0.9 * square + 0.1 * slope**2
        moment = 0.9 * moment + 0.2 * slope / (square + 1.0) ** 0.5
        value -= moment
        assert weight.item() == pytest.approx(value, rel=1e-6)


def test_unknown_or_absent_devices_say_what_there_is() -> None:
    assert device_of("cpu").type == "cpu"
    for name in ("gpu", "cuda:99", "cpux", "meta"):
        with pytest.raises(BadValue, match=r"available.*cpu"):
            device_of(name)


def test_checkpoint_of_another_training_or_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.pt"
    run(checkpoint=path)
    with pytest.raises(BadValue, match="another training"):
        run(seed=8, checkpoint=path)
    assert same(run(checkpoint=path)[1], run()[1])  # a finished one answers at once
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(BadFile, match="delete it"):
        run(checkpoint=path)
    torch.save({"identity": print}, path)  # no data: refused by weights_only
    with pytest.raises(BadFile, match="delete it"):
        run(checkpoint=path)


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np, torch
import test_training as t
torch.set_num_threads(1)
slow = t.RECIPE.but(epochs=6)
def tell(epoch, row):
    print(epoch, flush=True)
network = t.TSS.network(t.ARCH, 2, macro=t.MACRO, seed=7)
history = t.train(network, t.Batches(t.stripes(500)), slow, 7, checkpoint={checkpoint!r}, on_epoch=tell)
np.savez({out!r}, resumed=history.resumed_after, **history.curves)
"""


def test_killed_mid_epoch_it_resumes_to_the_same_numbers(tmp_path: Path) -> None:
    def start(name: str, checkpoint: str) -> subprocess.Popen[str]:
        script = SCRIPT.format(
            folder=str(Path(__file__).parent), checkpoint=str(tmp_path / checkpoint), out=str(tmp_path / name)
        )
        return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)

    calm = start("calm.npz", "calm.pt")
    victim = start("never.npz", "killed.pt")
    assert victim.stdout is not None
    assert victim.stdout.readline() and victim.stdout.readline()
    time.sleep(0.01)  # into the third epoch
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL and not (tmp_path / "never.npz").exists()
    assert start("resumed.npz", "killed.pt").wait() == 0 and calm.wait() == 0
    wanted, found = np.load(tmp_path / "calm.npz"), np.load(tmp_path / "resumed.npz")
    assert 2 <= found["resumed"] < 6
    for name in wanted.files:
        assert name.endswith("seconds") or name == "resumed" or np.array_equal(wanted[name], found[name]), name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_trains_as_a_cpu_does() -> None:
    network = TSS.network(ARCH, 2, macro=MACRO, seed=7)
    history = train(network, Batches(stripes(), "cuda", channels_last=True), RECIPE, 7)
    assert np.allclose(history["train_loss"], run()[1]["train_loss"], rtol=1e-2) and history.peak_memory > 0
