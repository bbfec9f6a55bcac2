"""Who trains the parts of a build: populations as large as memory allows, or one network after the other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nasgauge.bench.errors import BadValue
from nasgauge.bench.live.batches import Batches
from nasgauge.bench.live.build_run import BuildRun, Part
from nasgauge.bench.live.build_training import one_thread, train_classes, train_parts_together
from nasgauge.bench.live.device import now
from nasgauge.bench.live.images import SPLITS, Images
from nasgauge.bench.live.protocol import Protocol
from nasgauge.bench.live.training import train
from nasgauge.bench.spaces import Ids, Topology, space
from nasgauge.data.images import digits

SPACE = Topology()


@pytest.fixture(scope="module")
def images() -> Images:
    return digits.read().first(50)


def test_out_of_memory_halves_the_population_and_goes_on(images: Images, tmp_path: Path) -> None:
    run = BuildRun(tmp_path, SPACE, images, Protocol.of(images, 1), (0,), classes_a_part=2)
    sizes = []

    def of_small_memory(build_run: BuildRun, classes: Ids, batches: Batches) -> Part:
        sizes.append(len(classes))
        if len(classes) > 5:
            raise torch.OutOfMemoryError("a device for five")
        return train_classes(build_run, classes, batches)

    done = dict(train_parts_together(run, range(5), torch.device("cpu"), of_small_memory))
    assert sizes == [2, 8, 4, 4]
    for part, content in done.items():
        np.testing.assert_array_equal(content["classes"], run.classes_of(part))
        for row, arch in enumerate(run.classes_of(part)):
            alone = train_classes(run, np.array([arch]), Batches(images))
            np.testing.assert_allclose(content["train_loss"][row], alone["train_loss"][0], rtol=1e-3)


def test_a_part_that_does_not_fit_is_trained_in_smaller_populations(images: Images, tmp_path: Path) -> None:
    run = BuildRun(tmp_path, SPACE, images, Protocol.of(images, 1), (0,))
    sizes: list[int] = []

    def of_memory_for(most: int) -> Callable[[BuildRun, Ids, Batches], Part]:
        def training(build_run: BuildRun, classes: Ids, batches: Batches) -> Part:
            sizes.append(len(classes))
            if len(classes) > most:
                raise torch.OutOfMemoryError("too small a device")
            return {"classes": classes}

        return training

    done = dict(train_parts_together(run, [0, 1], torch.device("cpu"), of_memory_for(3)))
    assert sizes == [8, 4, *[2] * 8]
    for part, content in done.items():
        np.testing.assert_array_equal(content["classes"], run.classes_of(part))
    with pytest.raises(BadValue, match="smaller batch"):
        list(train_parts_together(run, [0], torch.device("cpu"), of_memory_for(0)))


def test_networks_that_are_no_population_are_kept_part_by_part(images: Images, tmp_path: Path) -> None:
    of = space("size")
    run = BuildRun(tmp_path, of, images, Protocol.of(images, 1, of), (0,))
    sizes = []

    def training(build_run: BuildRun, classes: Ids, batches: Batches) -> Part:
        sizes.append(len(classes))
        return {"classes": classes}

    assert [part for part, _ in train_parts_together(run, range(4), torch.device("cpu"), training)] == [0, 1, 2, 3]
    assert sizes == [8, 8, 8, 8]


def test_a_processor_trains_large_pictures_one_at_a_time_and_small_ones_together(
    images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = replace(images, **{f"x_{s}": images.split(s)[0].repeat(3, 1).repeat(3, 2) for s in SPLITS})
    protocol = Protocol.of(images, 1)
    run = BuildRun(Path(), SPACE, large, protocol, (0, 1))
    arch = int(run.order[0])
    found = train_classes(run, np.array([arch]), Batches(large))
    for seed in (0, 1):  # to the last bit, which a population does not give
        history = train(SPACE.network(arch, 10, macro=protocol.macro, seed=seed), Batches(large), protocol.recipe, seed)
        np.testing.assert_array_equal(found["train_loss"][0, seed], history["train_loss"])
    monkeypatch.setattr("nasgauge.bench.live.build_training.train", None)
    train_classes(replace(run, images=images), np.array([arch]), Batches(images))


def test_seconds_on_one_thread_are_those_it_worked() -> None:
    with one_thread():
        started = now(torch.device("cpu"))
        time.sleep(0.3)
        slept = now(torch.device("cpu")) - started
        weight, before = torch.randn(300, 300, requires_grad=True), time.process_time()
        started = now(torch.device("cpu"))
        for _ in range(20):
            (weight @ weight).sum().backward()  # the backward pass counts, too
        worked, all_threads = now(torch.device("cpu")) - started, time.process_time() - before
    assert slept < 0.1
    assert worked > 0.6 * all_threads
