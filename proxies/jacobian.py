"""Scores from how the outputs move with the input images: jacob_cov (NASWOT v1) and EPE-NAS."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .proxy import Proxy
from .signals import Signals

K = 1e-5
MANY_CLASSES = 100


def jacob_cov() -> Proxy:
    """-sum of log(v + k) + 1 / (v + k) over the eigenvalues v of the correlation of input Jacobians, k = 1e-5.

    Mellor et al., Neural Architecture Search without Training, first version (arXiv 2006.04647v1, equation 4). The
    Jacobian is that of the sum of an image's logits, all others' included, since normalisation couples them.
    Published: batch 256 with augmentation; here the run's batch. NaN where an image has no influence.
    """

    def score(signals: Signals) -> float:
        found = correlation(signals.jacobian.double().cpu().numpy())
        if not np.isfinite(found).all():
            return float("nan")
        values = np.linalg.eigvalsh(found)
        return -float((np.log(values + K) + 1 / (values + K)).sum())

    return Proxy("jacob_cov", "Mellor et al., arXiv 2006.04647v1, eq. 4", score, frozenset({"jacobian"}),
                 needs=frozenset({"images", "backward"}))  # fmt: skip


def epe_nas() -> Proxy:
    """Sum over classes of |sum of log(|corr| + k)| of the input Jacobians of each class's images, k = 1e-5.

    Lopes et al., EPE-NAS, ICANN 2021, equations 4 to 6. With more than 100 classes, as the released code: each
    class's sum is divided by its number of images, and the score is the sum of absolute differences over all ordered
    pairs of classes, divided by the number of classes. Classes of which the batch has one image are left out, where
    the code adds log(1 + k) up to 100 classes. NaN where no class is left, or an image has no influence.
    """

    def score(signals: Signals) -> float:
        jacobian = signals.jacobian.double().cpu().numpy()
        labels = signals.subject.batch.labels.cpu().numpy()
        many = signals.subject.batch.classes > MANY_CLASSES
        sums = []
        for label in np.unique(labels):
            rows = jacobian[labels == label]
            if len(rows) > 1:
                found = correlation(rows)
                sums.append(np.log(np.abs(found) + K).sum() / (len(rows) if many else 1))
        values = np.array(sums)
        if not len(values):
            return float("nan")
        if not many:
            return float(np.abs(values).sum())
        return float(np.abs(values[:, None] - values[None, :]).sum() / len(values))

    return Proxy("epe_nas", "Lopes et al., EPE-NAS, ICANN 2021, eq. 4-6", score, frozenset({"jacobian"}),
                 needs=frozenset({"images", "labels", "backward"}))  # fmt: skip


def correlation(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Pearson correlation of the rows, (n, n); NaN for a row that never changes."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    with np.errstate(invalid="ignore"):
        unit = centred / norms
    return unit @ unit.T
