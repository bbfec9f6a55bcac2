"""What a worker does: the networks of some architectures, one after the other, and all scores of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from ..bench.live.build_training import one_thread
from ..bench.live.device import device_of, now
from ..bench.live.macro import Macro, StackMacro
from ..bench.live.weights import Law
from ..bench.spaces import Space
from .memory import keep
from .minibatch import moved
from .plan import Piece
from .proxy import Batch, Proxy
from .signals import Signals
from .subject import Candidate, Subject

Row = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """What all parts of one group and seed share: proxies, batch, skeleton.

    ``combined`` names the combinations all of whose parts that need a network are in this group, with those parts.
    """

    space: Space
    proxies: tuple[Proxy, ...]
    combined: Mapping[str, tuple[str, ...]]
    batch: Batch
    seed: int
    macro: Macro | StackMacro | None
    law: Law | None
    device: str

    @property
    def reads(self) -> frozenset[str]:
        """The signals that some proxy reads."""
        return frozenset().union(*(proxy.reads for proxy in self.proxies))


def score_piece(work: Work | bytes, piece: Piece) -> tuple[Piece, list[Row]]:
    """The rows of one part; in another process ``work`` comes packed, and is unpacked once."""
    if isinstance(work, bytes):
        torch.set_num_threads(1)
        keep()
        work = _unpacked(work)
    device = device_of(work.device)
    with one_thread() if device.type == "cpu" else _exact():
        batch = moved(work.batch, device)
        _warm_up(work.device)
        return piece, [score_one(work, arch, batch) for arch in piece.ids]


def score_one(work: Work, arch: int, batch: Batch) -> Row:
    """All scores of one architecture: its network is built, read by every proxy, and let go."""
    subject = Candidate(
        work.space, arch, batch, seed=work.seed, macro=work.macro, law=work.law, device=batch.images.device
    )  # fmt: skip
    return {"id": arch, "seed": work.seed, **scores(subject, work.proxies, work.reads, work.combined)}


def scores(
    subject: Subject, proxies: tuple[Proxy, ...], reads: frozenset[str], combined: Mapping[str, tuple[str, ...]]
) -> Row:
    """Score, seconds and error of every proxy on one subject, from signals that they share.

    ``PROXY_own_seconds`` is what the proxy alone did; ``PROXY_seconds`` adds the signals that it read, as if nobody
    else had read them; ``shared_seconds`` is what all signals took, each once.
    """
    signals = Signals(subject, reads)
    device = subject.batch.images.device
    row: Row = {}
    own: dict[str, float] = {}
    used: dict[str, set[str]] = {}
    for proxy in proxies:
        start, before, error, value = now(device), math.fsum(signals.seconds.values()), None, math.nan
        with signals.reading() as used[proxy.name]:
            try:
                assert proxy.score is not None
                value = float(proxy.score(signals))
            except Exception as raised:  # noqa: BLE001 - whatever a proxy raises is recorded, and the run goes on
                error = f"{type(raised).__name__}: {raised}"
        shared = math.fsum(signals.seconds.values()) - before
        own[proxy.name] = max(0.0, now(device) - start - shared)
        row[proxy.name], row[f"{proxy.name}_error"] = value, error
    for name, whose in {**{proxy.name: (proxy.name,) for proxy in proxies}, **combined}.items():
        read = set().union(*(used[each] for each in whose))
        row[f"{name}_seconds"] = sum(own[each] for each in whose) + sum(signals.seconds[each] for each in read)
        if name in own:
            row[f"{name}_own_seconds"] = own[name]
    row["shared_seconds"] = sum(signals.seconds.values())
    return row


@lru_cache
def _warm_up(device: str) -> None:
    """What a process pays once, for its first network, is not the price of an architecture."""
    from ..bench.spaces import Topology

    images, labels = torch.zeros(2, 1, 8, 8, device=device), torch.zeros(2, dtype=torch.int64, device=device)
    signals = Signals(Candidate(Topology(), 0, Batch(images, labels, 2), macro=Macro.mini(), device=device))
    assert signals.jacobian.shape == (2, 64)


@lru_cache(maxsize=2)
def _unpacked(work: bytes) -> Work:
    import cloudpickle

    unpacked: Work = cloudpickle.loads(work)
    return unpacked


@contextmanager
def _exact() -> Iterator[None]:
    """A GPU without shortcuts: float32 is float32, and the same convolution gives the same numbers."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
        yield


def packed(work: Work) -> bytes:
    """The work for other processes; functions of your own travel with their code."""
    import cloudpickle

    content: bytes = cloudpickle.dumps(work)
    return content
