"""``nasbench.api`` as its documentation has it, for a script to import where TensorFlow keeps the package away.

Plain and slow, by the description of the file and of the calls, with nothing of nasgauge in it.
"""

import base64
import copy
import hashlib
import json
import math
import random
import struct
from pathlib import Path

import numpy as np

OPERATIONS = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]


class OutOfDomainError(Exception):
    pass


def fields(message):
    """(number, value) of the fields of a protobuf message of varints, doubles and messages."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            size = 8 if key & 7 == 1 else varint()
            value, at = message[at : at + size], at + size
            yield key >> 3, struct.unpack("<d", value)[0] if key & 7 == 1 else value


class ModelSpec:
    def __init__(self, matrix, ops):
        matrix, edges = np.array(matrix), np.array(matrix) != 0
        last = len(matrix) - 1
        reach = np.linalg.matrix_power(edges.astype(int) + np.eye(last + 1, dtype=int), last + 1) > 0
        kept = [vertex for vertex in range(last + 1) if reach[0, vertex] and reach[vertex, last]]
        self.valid_spec = len(kept) > 1
        self.matrix = matrix[np.ix_(kept, kept)]
        self.ops = [ops[vertex] for vertex in kept]

    def hash_spec(self):
        labels = [-1, *(OPERATIONS.index(op) for op in self.ops[1:-1]), -2]
        degrees = zip(self.matrix.sum(axis=1).tolist(), self.matrix.sum(axis=0).tolist(), labels, strict=True)
        hashes = [hashlib.md5(str(each).encode()).hexdigest() for each in degrees]
        for _ in labels:
            before, hashes = hashes, []
            for vertex in range(len(labels)):
                sources = sorted(before[other] for other in np.flatnonzero(self.matrix[:, vertex]))
                targets = sorted(before[other] for other in np.flatnonzero(self.matrix[vertex]))
                text = "".join(sources) + "|" + "".join(targets) + "|" + before[vertex]
                hashes.append(hashlib.md5(text.encode()).hexdigest())
        return hashlib.md5(str(sorted(hashes)).encode()).hexdigest()


class NASBench:
    def __init__(self, dataset_file, seed=None):
        random.seed(seed)
        self.fixed, self.computed, self.valid_epochs = {}, {}, set()
        self.seconds, self.epochs = 0.0, 0
        content, at = Path(dataset_file).read_bytes(), 0
        while at < len(content):
            (size,) = struct.unpack("<Q", content[at : at + 8])
            module_hash, epochs, digits, operations, raw = json.loads(content[at + 12 : at + 12 + size])
            at += 12 + size + 4
            vertices = math.isqrt(len(digits))
            found = list(fields(base64.b64decode(raw)))
            self.valid_epochs.add(epochs)
            self.fixed.setdefault(module_hash, {
                "module_adjacency": np.array(list(map(int, digits)), dtype=np.int8).reshape(vertices, vertices),
                "module_operations": operations.split(","),
                "trainable_parameters": next(value for number, value in found if number == 2),
            })  # fmt: skip
            half, final = [dict(fields(value)) for number, value in found if number == 1][1:]
            names = {2: "training_time", 3: "train_accuracy", 4: "validation_accuracy", 5: "test_accuracy"}
            run = {f"halfway_{name}": half[number] for number, name in names.items()}
            run |= {f"final_{name}": final[number] for number, name in names.items()}
            self.computed.setdefault(module_hash, {}).setdefault(epochs, []).append(run)

    def hash_iterator(self):
        return self.fixed.keys()

    def is_valid(self, spec):
        return spec.valid_spec

    def get_metrics_from_hash(self, module_hash):
        return copy.deepcopy(self.fixed[module_hash]), copy.deepcopy(self.computed[module_hash])

    def query(self, spec, epochs=108, stop_halfway=False):
        if epochs not in self.valid_epochs or not spec.valid_spec:
            raise OutOfDomainError
        fixed, computed = self.get_metrics_from_hash(spec.hash_spec())
        run = computed[epochs][random.randint(0, 2)]
        when = "halfway_" if stop_halfway else "final_"
        chosen = {name.removeprefix(when): value for name, value in run.items() if name.startswith(when)}
        self.seconds += chosen["training_time"]
        self.epochs += epochs // 2 if stop_halfway else epochs
        return {**fixed, **chosen}

    def get_budget_counters(self):
        return self.seconds, self.epochs
