r"""The metrics message inside a NAS-Bench-101 record (protobuf ``ModelMetrics``), decoded in bulk and without protobuf.

=================  ====================  ===  ==============================================
message            field                 no.  type
=================  ====================  ===  ==============================================
``ModelMetrics``   evaluation_data       1    repeated ``EvaluationData``: start, half, end
\                  trainable_parameters  2    int32
\                  total_time            3    double [s], training and evaluations
EvaluationData     current_epoch         1    double
\                  training_time         2    double [s], without evaluations
\                  train_accuracy        3    double, 0 to 1
\                  validation_accuracy   4    double, 0 to 1
\                  test_accuracy         5    double, 0 to 1
\                  checkpoint_path       6    string, skipped
=================  ====================  ===  ==============================================

The released files spell every message alike, field after field in this order; those are decoded as arrays
(`_usual`), any other message field by field (`decode_message`). As in proto2, unknown fields are skipped, the last
of several values of a field counts, and absent numbers read as 0; only an absent ``total_time`` is NaN.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...bench.errors import BadFile

EVALUATIONS = 3
FIELDS = ("current_epoch", "training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
DEEPEST = 100  # nested groups among unknown fields, as in protobuf itself

_VARINT, _DOUBLE, _BYTES, _OPEN, _CLOSE, _FLOAT = 0, 1, 2, 3, 4, 5
_EVALUATION_BYTES = 2 + 9 * len(FIELDS)
_TAIL = EVALUATIONS * _EVALUATION_BYTES
_DOUBLES = np.concatenate(
    [
        evaluation * _EVALUATION_BYTES + 3 + 9 * field + np.arange(8)
        for evaluation in range(EVALUATIONS)
        for field in range(len(FIELDS))
    ]
)


@dataclass(frozen=True)
class Metrics:
    """What n messages say."""

    evaluations: npt.NDArray[np.float64]  # (n, 3, 5): start, half-way, end; FIELDS
    parameters: npt.NDArray[np.int32]  # (n,)
    total_seconds: npt.NDArray[np.float64]  # (n,), NaN where absent


class Malformed(ValueError):
    """One message breaks the wire format or holds another number of evaluations; `decode` says where."""


def decode(messages: Sequence[bytes], where: Callable[[int], str]) -> Metrics:
    """All messages as arrays.

    Args:
        where: names message i in errors.

    Raises:
        BadFile: a malformed message, or one without exactly three evaluations.
    """
    count = len(messages)
    metrics = Metrics(np.zeros((count, EVALUATIONS, len(FIELDS))), np.zeros(count, np.int32), np.full(count, np.nan))
    sizes = np.fromiter(map(len, messages), dtype=np.int64, count=count)
    done = np.zeros(count, dtype=bool)
    for size in range(_TAIL + 11, _TAIL + 16):  # parameters of 1 to 5 bytes
        places = np.flatnonzero(sizes == size)
        if places.size:
            done[places] = _usual(messages, places, size, metrics)
    for place in np.flatnonzero(~done).tolist():
        try:
            evaluations, parameters, total = decode_message(messages[place])
        except Malformed as error:
            raise BadFile(f"{where(place)}: {error}") from error
        metrics.evaluations[place] = evaluations
        metrics.parameters[place] = parameters
        metrics.total_seconds[place] = total
    return metrics


def _usual(
    messages: Sequence[bytes], places: npt.NDArray[np.int64], size: int, metrics: Metrics
) -> npt.NDArray[np.bool_]:
    """Decode messages of one size that are spelled in the usual way into ``metrics``; says which ones are."""
    rows = np.frombuffer(b"".join([messages[place] for place in places.tolist()]), dtype=np.uint8).reshape(-1, size)
    digits = size - _TAIL - 10
    fixed = np.zeros(size, dtype=bool)
    expected = np.zeros(size, dtype=np.uint8)
    for start in range(0, _TAIL, _EVALUATION_BYTES):
        for at, byte in ((0, 1 << 3 | _BYTES), (1, _EVALUATION_BYTES - 2)):
            fixed[start + at], expected[start + at] = True, byte
        for field in range(len(FIELDS)):
            at = start + 2 + 9 * field
            fixed[at], expected[at] = True, field + 1 << 3 | _DOUBLE
    for at, byte in ((_TAIL, 2 << 3 | _VARINT), (_TAIL + 1 + digits, 3 << 3 | _DOUBLE)):
        fixed[at], expected[at] = True, byte
    varint = rows[:, _TAIL + 1 : _TAIL + 1 + digits]
    usual = (rows[:, fixed] == expected[fixed]).all(axis=1)
    usual &= (varint[:, :-1] >= 0x80).all(axis=1) & (varint[:, -1] < 0x80)
    rows, varint, chosen = rows[usual], varint[usual], places[usual]
    doubles = np.ascontiguousarray(rows[:, _DOUBLES]).view("<f8")
    metrics.evaluations[chosen] = doubles.reshape(-1, EVALUATIONS, len(FIELDS))
    parameters = (varint & 0x7F).astype(np.int64) @ (1 << 7 * np.arange(digits))
    metrics.parameters[chosen] = parameters.astype(np.uint32).view(np.int32)
    metrics.total_seconds[chosen] = np.ascontiguousarray(rows[:, -8:]).view("<f8")[:, 0]
    return usual


def decode_message(message: bytes) -> tuple[list[list[float]], int, float]:
    """Evaluations (3 rows of FIELDS), trainable parameters and total seconds of one message of any spelling.

    Raises:
        Malformed: not a ModelMetrics message, or one without exactly three evaluations.
    """
    evaluations: list[list[float]] = []
    parameters, total = 0, float("nan")
    for number, wire, value in _fields(message):
        if (number, wire) == (1, _BYTES):
            evaluations.append(_evaluation(bytes(value)))  # type: ignore[arg-type]
        elif (number, wire) == (2, _VARINT):
            low = int(value) & 0xFFFFFFFF  # type: ignore[arg-type]
            parameters = low - (1 << 32) if low >> 31 else low
        elif (number, wire) == (3, _DOUBLE):
            total = struct.unpack("<d", value)[0]  # type: ignore[arg-type]
    if len(evaluations) != EVALUATIONS:
        raise Malformed(f"it holds {len(evaluations)} evaluations; the released layout has {EVALUATIONS}")
    return evaluations, parameters, total


def _evaluation(message: bytes) -> list[float]:
    row = [0.0] * len(FIELDS)
    for number, wire, value in _fields(message):
        if wire == _DOUBLE and 1 <= number <= len(FIELDS):
            row[number - 1] = struct.unpack("<d", value)[0]  # type: ignore[arg-type]
    return row


def _fields(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(field number, wire type, value) of every field of a message; fields inside unknown groups are passed over."""
    at = 0
    groups: list[int] = []
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        value: int | bytes = b""
        if not 1 <= number < 1 << 29:
            raise Malformed(f"field number {number} at byte {at} of its metrics message")
        if wire == _VARINT:
            value, at = _varint(message, at)
        elif wire in (_DOUBLE, _FLOAT, _BYTES):
            size = {_DOUBLE: 8, _FLOAT: 4}.get(wire, 0)
            if wire == _BYTES:
                size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
            if at > len(message):
                raise Malformed(f"field {number} of its metrics message is truncated")
        elif wire == _OPEN and len(groups) < DEEPEST:
            groups.append(number)
            continue
        elif wire == _CLOSE and groups and groups[-1] == number:
            groups.pop()
            continue
        else:
            raise Malformed(f"wire type {wire} at byte {at} of its metrics message")
        if not groups:
            yield number, wire, value
    if groups:
        raise Malformed("a group of its metrics message has no end")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise Malformed("its metrics message is truncated")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
    raise Malformed(f"a number at byte {at} of its metrics message does not end")
