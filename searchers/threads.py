"""One thread of linear algebra: small matrices gain nothing from more, and sums in another order are other numbers."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401  (so that its library is among those found)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Inside, BLAS works on one thread, so that a search is the same beside others and alone, on any machine."""
    limited: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limited


def one_thread_learning() -> AbstractContextManager[Any]:
    """The same for scikit-learn's regressors, too: they are imported first, since a limit holds for what is loaded."""
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[Any] = threadpool_limits(1)
    return limited
