"""What a scoring run does: which architectures, grouped into parts, and what run.json says of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bench.benchmark import Benchmark
from ..bench.describe import identity
from ..bench.errors import BadValue
from ..bench.live.macro import Macro, StackMacro, macro_of
from ..bench.live.protocol import SMALL
from ..bench.spaces import Architectures, Cells101, Ids, Size, Space, Topology
from .combinations import Combination

if TYPE_CHECKING:
    from ..bench.live.weights import Law
    from .minibatch import Minibatches
    from .proxy import Proxy

STREAM = 3  # keeps the draw of architectures apart from those of images
LARGEST = 16  # architectures in a part
PARTS = 32  # a small run has at least so many, for as many workers
ASKED = (
    "kind", "benchmark", "sample", "ids_sha256", "proxies", "combinations", "images", "batch", "seeds", "base_seed",
    "macro", "law", "device", "archs_a_part",
)  # fmt: skip
"""The keys of run.json that decide the numbers."""


@dataclass(frozen=True)
class Piece:
    """Some architectures with one seed, scored by one group of proxies: one part of the run."""

    name: str
    group: str
    seed: int
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """Proxies on architectures of a space.

    Proxies whose score is the same for isomorphic architectures score one network of each class, that of its smallest
    id, for all members that are asked for; the others score every architecture.

    Args:
        ids: the architectures, each once; parts follow this order.
        sample: in words, how they were chosen.
        proxies: those that need a network, and those that are columns.
        device: "cpu" or "cuda".
    """

    bench: Benchmark | None
    space: Space
    ids: Ids
    sample: str
    proxies: tuple[Proxy, ...]
    combinations: tuple[Combination, ...]
    seeds: tuple[int, ...]
    batch: int
    device: str
    macro: Macro | StackMacro | None = None
    law: Law | None = None
    datasets: tuple[str, ...] = ()
    minibatches: Minibatches | None = field(default=None, repr=False)

    @cached_property
    def classes(self) -> Ids:
        """The smallest member of each architecture's class, (n_arch,)."""
        return self.space.canonical(self.ids)

    @property
    def networked(self) -> dict[str, list[Proxy]]:
        """Proxies that score a network: those that a class shares ("class"), and those that score each ("each")."""
        needing = [proxy for proxy in self.proxies if proxy.score is not None]
        groups = {
            "class": [proxy for proxy in needing if proxy.per_class],
            "each": [proxy for proxy in needing if not proxy.per_class],
        }
        return {group: members for group, members in groups.items() if members}

    @property
    def columns(self) -> list[Proxy]:
        """Proxies that need no network."""
        return [proxy for proxy in self.proxies if proxy.score is None]

    @property
    def archs_a_part(self) -> int:
        """Size of a part."""
        return min(LARGEST, max(1, len(self.ids) // PARTS))

    def pieces(self) -> list[Piece]:
        """All the work, in the order in which it is done: seed after seed."""
        size, found = self.archs_a_part, []
        for seed in self.seeds:
            for group in self.networked:
                ids = list(dict.fromkeys((self.classes if group == "class" else self.ids).tolist()))
                for number, first in enumerate(range(0, len(ids), size)):
                    name = f"{group}-s{seed:04d}-{number:05d}"
                    found.append(Piece(name, group, seed, tuple(ids[first : first + size])))
        return found

    def statement(self) -> dict[str, Any]:
        """What run.json says, but for the machine."""
        bench, ids = self.bench, np.ascontiguousarray(self.ids, dtype="<i8")
        bare = {"name": self.space.name, "space": self.space.name, "architectures": self.space.size}
        return {
            "kind": "score", "benchmark": bare if bench is None else identity(bench), "sample": self.sample,
            "ids": len(ids), "classes": len(np.unique(self.classes)),
            "ids_sha256": hashlib.sha256(ids.tobytes()).hexdigest(),
            "proxies": [describe_proxy(proxy) for proxy in self.proxies],
            "combinations": [json.loads(json.dumps(asdict(each))) for each in self.combinations],
            "images": None if self.minibatches is None else self.minibatches.describe(), "batch": self.batch,
            "seeds": len(self.seeds), "base_seed": self.seeds[0],
            "macro": None if self.macro is None else asdict(self.macro), "law": self.law, "device": self.device,
            "archs_a_part": self.archs_a_part, "datasets": list(self.datasets),
            "mirrored": "proxies marked per_class score one network of each isomorphism class, that of its smallest "
            "id; its other members have the same score",
        }  # fmt: skip


def describe_proxy(proxy: Proxy) -> dict[str, Any]:
    """A proxy as run.json keeps it."""
    return {
        "name": proxy.name, "cites": proxy.cites, "kind": "column" if proxy.score is None else "network",
        "needs": sorted(proxy.needs), "direction": proxy.direction, "per_class": proxy.per_class,
    }  # fmt: skip


def architectures(space: Space, archs: int | str | Architectures, base_seed: int) -> tuple[Ids, str]:
    """The architectures asked for, each once, and in words how they were chosen.

    Args:
        archs: how many to draw, "all", or ids, texts or graphs. A drawn set holds the smaller ones of the same seed.
    """
    if isinstance(archs, str) and archs == "all":
        archs = space.size
    if isinstance(archs, bool):
        raise BadValue(f"archs={archs!r}; give a number of architectures, 'all', or a list of them")
    if isinstance(archs, (int, np.integer)):
        if not 1 <= archs <= space.size:
            raise BadValue(f"archs={archs:,}; space {space.name!r} has 1 to {space.size:,} architectures to draw")
        stream = np.random.default_rng(np.random.SeedSequence([base_seed, STREAM]))
        law = "all, in random order" if archs == space.size else "drawn uniformly over ids, without replacement"
        return stream.permutation(space.size)[: int(archs)].astype(np.int64), f"{archs:,} architectures, {law}"
    ids = space.ids(archs)
    if not len(ids):
        raise BadValue("no architecture to score; give ids or texts, how many to draw, or 'all'")
    once = np.array(list(dict.fromkeys(ids.tolist())), dtype=np.int64)
    return once, f"{len(once):,} given architectures"


def skeleton(
    bench: Benchmark | None, space: Space, shape: Sequence[int], macro: Macro | StackMacro | None
) -> tuple[Macro | StackMacro | None, Law | None]:
    """What surrounds a cell and how weights are drawn: as given, as the table was made, or as proxies were published.

    A table of one's own says its skeleton; NAS-Bench-201 and NATS-Bench have theirs, NAS-Bench-101 is scored with 16
    stem channels and weights by fan-out, as NASWOT does. A bare space gets the skeleton for the size of the images. A
    space of one's own builds its networks itself.

    Raises:
        BadValue: images of another shape than the network takes.
    """
    law: Law | None = "fan-out" if isinstance(space, Cells101) else None
    if macro is None:
        macro = _own_skeleton(bench) or _published_skeleton(space, shape if bench is None else None)
    if macro is not None:
        height, width, channels = shape
        macro.check_image((height, width, channels))
    return macro, law


def _own_skeleton(bench: Benchmark | None) -> Macro | StackMacro | None:
    """The skeleton that a table of one's own was trained with."""
    extras = [table.info["extra"] for table in bench.tables] if bench is not None else []
    return next((macro_of(extra["macro"]) for extra in extras if "macro" in extra), None)


def _published_skeleton(space: Space, shape: Sequence[int] | None) -> Macro | StackMacro | None:
    """What proxies are published with; for a bare space of cells, what suits images of ``shape``."""
    if isinstance(space, Cells101):
        return StackMacro(stem_channels=16)
    if isinstance(space, Size):
        return Macro.size()
    if not isinstance(space, Topology):
        return None
    if shape is None:
        return Macro()
    height, width, channels = shape
    return Macro(image_channels=channels) if max(height, width) > SMALL else Macro.mini(channels)
