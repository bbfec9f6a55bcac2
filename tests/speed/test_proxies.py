"""Proxies as ratios to the passes that they cannot do without: seconds of one thread of a processor, best of a few."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn.functional import cross_entropy

from nasgauge.bench.live.macro import Macro
from nasgauge.bench.spaces import space
from nasgauge.proxies import Proxy, engine, names
from nasgauge.proxies import proxy as called
from nasgauge.proxies.combinations import Combination
from nasgauge.proxies.memory import kept
from nasgauge.proxies.proxy import Batch
from nasgauge.proxies.score_run import ScoreRun
from nasgauge.proxies.signals import Signals
from nasgauge.proxies.subject import Asked, Candidate

from ..plain_networks import plain_topology
from .conftest import Row, in_python
from .plain_zero_cost import SIX

pytestmark = pytest.mark.usefixtures("one_thread")

TSS = space("topology")
ROUNDS = 2
CELLS = {
    "best": 6111,
    "typical": TSS.id(
        "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|skip_connect~0|avg_pool_3x3~1|nor_conv_3x3~2|"
    ),
    "light": TSS.id("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"),
}
cells = pytest.mark.parametrize("name", CELLS)


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
    """What `--proxy all` asks for, beside a run with each of its names; each builds its own network.

    What bounds the ratio: in passes through the network (forward 1, backward by images 1, by weights too 2), each
    alone takes 37 and all together 11 for grad_norm, snip, plain, fisher, knas, grasp, zico, jacob_cov, epe_nas,
    vote and naswot; that is 3.4, of which grasp's Hessian product (4) and zico's second batch (3) are shared by
    nobody. The others (az_nas, ntk, zen, swap, meco, synflow) look at images or weights of their own and share less.
    The graph that several passes share must be kept, which makes each of them slower than one that can forget.
    """
    batch = batch_of(128)

    def run(made: Proxy | Combination) -> Callable[[], None]:
        chosen, _ = names.chosen([made])
        return lambda: score(Candidate(TSS, CELLS["typical"], batch), chosen)

    each = [made for made in names.everything() if isinstance(made, Combination) or made.score is not None]
    together, _ = names.chosen(["all"])
    calls = {made.name: run(made) for made in each}
    calls["together"] = lambda: score(Candidate(TSS, CELLS["typical"], batch), together)
    with kept():  # as the engine does
        found = in_turns(calls, rounds=2)
    summed = sum(found[made.name] for made in each)
    plain = sum(found[made.name] for made in each if isinstance(made, Proxy))
    row("all proxies, batch 128, combinations alone too", found["together"], "s", summed / 3, "each alone", summed)
    row("all proxies, batch 128, combinations not counted", found["together"], "s", plain / 2, "each alone", plain)
    assert summed >= 2.4 * found["together"]


def test_six_beside_their_authors_way(row: Row) -> None:
    """The six of zero-cost-nas from one pass, beside a pass and a copy of the whole network for each of them."""
    batch, chosen = batch_of(64), proxies(*SIX)
    sums = {"ours": 0.0, "theirs": 0.0}
    for name, arch in CELLS.items():
        plain = plain_topology(TSS.text(arch))
        calls: dict[str, Callable[[], Any]] = {
            "ours": lambda arch=arch: score(Candidate(TSS, arch, batch), chosen),
            "theirs": lambda plain=plain: [each(plain, batch.images, batch.labels) for each in SIX.values()],
        }
        found = in_turns(calls, rounds=1)
        what = f"six zero-cost proxies, batch 64, {name} cell"
        row(what, found["ours"], "s", found["theirs"] / 2, "their authors' way", found["theirs"])
        sums = {each: sums[each] + found[each] for each in sums}
    row("the three cells together", sums["ours"], "s", sums["theirs"] / 3, "their authors' way", sums["theirs"])
    assert sums["theirs"] >= 3 * sums["ours"]


def test_construction(row: Row) -> None:
    """A network's weights are drawn from one stream each; that must stay small beside what it is built for."""
    batch = batch_of(64)
    subject = Candidate(TSS, CELLS["typical"], batch)
    found = in_turns({
        "built": lambda: Candidate(TSS, CELLS["typical"], batch).network, "bare": lambda: forward(subject),
    })  # fmt: skip
    row("building a network", 1e3 * found["built"], "ms", 100 * found["bare"], "bare forward", 1e3 * found["bare"])
    assert found["built"] <= 0.2 * found["bare"]


def test_overhead_of_the_engine(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a run takes beyond signals and proxies: its folder, its parts, the work handed out; processor seconds."""
    for module in ("signals", "work"):
        monkeypatch.setattr(f"nasgauge.proxies.{module}.now", lambda device: time.process_time())
    ids = np.unique(TSS.canonical(np.arange(0, TSS.size, 97)))[:32]

    def run(folder: Path, ids: npt.NDArray[np.int64]) -> ScoreRun:
        images = batch_of(64)
        return engine.score(TSS, ["naswot", "snip"], folder, archs=ids, images=images, macro=Macro(), jobs=1)

    run(tmp_path / "warm", ids[:2])
    started = time.process_time()
    made = run(tmp_path / "run", ids)
    seconds, frame = time.process_time() - started, made.frame()
    inside = float(frame["shared_seconds"].sum() + frame[[c for c in frame if c.endswith("_own_seconds")]].sum().sum())
    row("32 networks by the engine, naswot and snip", seconds, "s", inside / 0.95, "signals and proxies", inside)
    assert seconds - inside <= 0.05 * seconds


MEMORY = """
import os, sys, numpy as np, torch
from nasgauge.bench.spaces import space
from nasgauge.proxies import Batch, engine
def resident_mb(network, batch):
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
tss = space("topology")
ids = np.unique(tss.canonical(np.arange(tss.size)))[-1000:]
batch = Batch(torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(8) % 4, 4)
asked = ["naswot", "grasp", "fisher", "jacob_cov", resident_mb]
found = engine.score(tss, asked, sys.argv[1], archs=ids, images=batch, jobs=1).frame()["resident_mb"]
print(found[90:110].mean(), found[980:1000].mean())
"""


def test_memory_of_a_worker_stays_flat(row: Row, tmp_path: Path) -> None:
    """What a process, begun for it, holds while it scores its 100th and its 1,000th network."""
    early, late = (float(word) for word in in_python(MEMORY, str(tmp_path / "run")).split())
    row("memory at the 1,000th network", late, "MB", 1.05 * early, "at the 100th", early)
    assert late <= 1.05 * early
