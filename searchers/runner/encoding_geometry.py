"""What distances between encoded architectures say: nearest neighbours, one-edit neighbours, pairs, maps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...bench.spaces import Ids, Space

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]

TOGETHER = 64  # architectures whose distances to all others are held at a time
PERPLEXITY = 30.0  # of t-SNE, the usual one
DIMENSIONS = 50  # principal components that t-SNE starts from


def one_of_each_class(space: Space, known: Ids) -> Ids:
    """The first of ``known`` (ascending) of every isomorphism class, ascending: twins are no neighbours."""
    _, first = np.unique(space.canonical(known), return_index=True)
    return np.sort(known[first])


def squared_distances(rows: Rows, some: npt.NDArray[np.intp]) -> Iterator[tuple[npt.NDArray[np.intp], Floats]]:
    """Squared Euclidean distances of ``some`` rows to all (n, d), a few at a time: (places (m,), (m, n))."""
    from scipy.spatial.distance import cdist

    whole = np.asarray(rows, dtype=np.float64)
    for first in range(0, len(some), TOGETHER):
        places = some[first : first + TOGETHER]
        yield places, cdist(whole[places], whole, "sqeuclidean")


def nearest_shares(distances: Floats, k: int) -> Floats:
    """By how much each belongs to the ``k`` nearest, rows adding up to k, (m, n); infinite distances never do.

    Those that tie for the last places share them: what is expected of fair draws among them.
    """
    last = np.partition(distances, k - 1, axis=1)[:, [k - 1]]
    within, equal = distances < last, distances == last
    places = k - within.sum(axis=1, keepdims=True)
    return within + equal * (places / equal.sum(axis=1, keepdims=True))


def nearest_gaps(rows: Rows, centres: npt.NDArray[np.intp], k: int, values: Floats) -> Floats:
    """Mean absolute difference of ``values`` (n, columns) from each centre to its ``k`` nearest, (m, columns)."""
    found = np.empty((len(centres), values.shape[1]))
    start = 0
    for places, distances in squared_distances(rows, centres):
        distances[np.arange(len(places)), places] = np.inf
        shares = nearest_shares(distances, min(k, len(rows) - 1))
        for place, (centre, share) in enumerate(zip(places, shares, strict=True)):
            taken = np.flatnonzero(share)
            weights = share[taken] / share[taken].sum()
            found[start + place] = weights @ np.abs(values[taken] - values[centre])
        start += len(places)
    return found


def other_gaps(centres: npt.NDArray[np.intp], values: Floats) -> Floats:
    """The same over all other architectures: what a neighbour drawn at random is expected to differ by."""
    return np.stack([np.abs(values - values[centre]).sum(axis=0) / (len(values) - 1) for centre in centres])


def edit_gaps(space: Space, ids: Ids, values: Floats) -> Floats:
    """The same over the architectures one change away from each of ``ids`` (m,), one of each other class.

    Args:
        values: of every architecture of the space, (n_arch, columns), NaN where nobody measured it.

    Returns:
        (m, columns); NaN where no neighbour was measured.
    """
    positions, neighbours = space.neighbour_pairs(ids)
    classes = space.canonical(neighbours)
    some = (classes != space.canonical(ids)[positions]) & ~np.isnan(values[neighbours]).any(axis=1)
    positions, neighbours, classes = positions[some], neighbours[some], classes[some]
    _, first = np.unique(positions * space.size + classes, return_index=True)
    positions, neighbours = positions[first], neighbours[first]
    gaps = np.abs(values[neighbours] - values[ids[positions]])
    count = np.bincount(positions, minlength=len(ids)).astype(np.float64)
    count[count == 0] = np.nan
    return np.stack([np.bincount(positions, column, len(ids)) for column in gaps.T], axis=1) / count[:, None]


def nearest_few(rows: Rows, centre: int, k: int) -> tuple[npt.NDArray[np.intp], Floats]:
    """Places of the ``k`` nearest to one architecture, nearest first, ties by place, with their distances."""
    _, squared = next(squared_distances(rows, np.array([centre])))
    squared[0, centre] = np.inf
    places = np.argsort(squared[0], kind="stable")[: min(k, len(rows) - 1)]
    return places, np.sqrt(squared[0, places])


def percentiles(values: Floats) -> Floats:
    """The place of each number among the known ones (n,), mean place of ties, as a share [percent]; NaN stays NaN."""
    from scipy.stats import rankdata

    known = ~np.isnan(values)
    found = np.full(len(values), np.nan)
    found[known] = 100 * (rankdata(values[known]) - 0.5) / max(1, known.sum())
    return found


def disjoint_pairs(n: int, most: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Up to ``most`` random pairs out of ``n``, none of which shares a member with another: independent draws."""
    order = rng.permutation(n)[: 2 * min(most, n // 2)]
    return order[0::2], order[1::2]


def pair_distances(rows: Rows, one: npt.NDArray[np.intp], other: npt.NDArray[np.intp]) -> Floats:
    """Euclidean distances of pairs of rows, (pairs,)."""
    return np.sqrt(np.square(rows[one].astype(np.float64) - rows[other].astype(np.float64)).sum(axis=1))


def principal_map(rows: Rows) -> tuple[Floats, Floats]:
    """The first two principal components of ``rows``, (n, 2), and the share of variance of each, (2,)."""
    from sklearn.decomposition import PCA

    found = PCA(2, svd_solver="full").fit(np.asarray(rows, dtype=np.float64))
    return found.transform(np.asarray(rows, dtype=np.float64)), found.explained_variance_ratio_


def neighbour_map(rows: Rows, rng: np.random.Generator) -> Floats:
    """t-SNE (van der Maaten & Hinton, 2008) of ``rows``, from at most 50 principal components, (n, 2)."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    whole = np.asarray(rows, dtype=np.float64)
    few = min(DIMENSIONS, whole.shape[1], len(whole))
    whole = PCA(few, svd_solver="full").fit_transform(whole)
    perplexity = min(PERPLEXITY, (len(whole) - 1) / 3)
    made = TSNE(2, perplexity=perplexity, init="pca", random_state=int(rng.integers(2**31)), n_jobs=1)
    return made.fit_transform(whole).astype(np.float64)
