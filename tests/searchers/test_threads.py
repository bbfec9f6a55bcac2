"""Linear algebra on one thread, also in libraries that nobody had loaded before."""

from __future__ import annotations

import json
import os
import subprocess
import sys

LOADED_LATE = """
import json
from nasgauge.searchers.threads import one_thread_learning
with one_thread_learning():
    import numpy, scipy.linalg, sklearn.ensemble, sklearn.gaussian_process, sklearn.manifold, sklearn.neural_network
    from threadpoolctl import threadpool_info
    print(json.dumps([(each["filepath"], each["num_threads"]) for each in threadpool_info()]))
"""


def test_what_a_first_fit_loads_works_on_one_thread_too() -> None:
    """The first fit of a process would otherwise be summed in another order than those after it."""
    named = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    freely = {name: value for name, value in os.environ.items() if name not in named}
    done = subprocess.run([sys.executable, "-c", LOADED_LATE], env=freely, capture_output=True, text=True, check=True)
    threads = json.loads(done.stdout)
    assert len(threads) > 1
    assert {number for _, number in threads} == {1}
