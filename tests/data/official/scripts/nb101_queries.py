"""Queries of NAS-Bench-101, as scripts for the official package do them.

Usage: nb101_queries.py FILE
"""

import sys

from nasbench import api

CELLS = [
    (
        [[0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]],
        ["input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output"],
    ),
    ([[0, 1], [0, 0]], ["input", "output"]),
    ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], ["input", "conv3x3-bn-relu", "output"]),
]


def main():
    bench = api.NASBench(sys.argv[1], 5)
    print(sorted(bench.valid_epochs), len(list(bench.hash_iterator())))
    for matrix, ops in CELLS:
        spec = api.ModelSpec(matrix=matrix, ops=ops)
        print(bench.is_valid(spec))
        try:
            print(bench.query(spec, epochs=12))
        except (api.OutOfDomainError, KeyError) as error:
            print(type(error).__name__)
    for unique_hash in sorted(bench.hash_iterator())[:10]:
        fixed, computed = bench.get_metrics_from_hash(unique_hash)
        spec = api.ModelSpec(matrix=fixed["module_adjacency"], ops=fixed["module_operations"])
        for epochs in sorted(bench.valid_epochs):
            print(unique_hash, epochs, len(computed[epochs]))
            data = bench.query(spec, epochs=epochs)
            half = bench.query(spec, epochs=epochs, stop_halfway=True)
            for key in ("trainable_parameters", "training_time", "validation_accuracy", "test_accuracy"):
                print("  ", key, data[key], half[key])
    print(bench.get_budget_counters())


if __name__ == "__main__":
    main()
