"""Where networks train: a device by its name, and what can be measured on it."""

from __future__ import annotations

import time

import torch

from ..errors import BadValue


def device_of(name: str | torch.device) -> torch.device:
    """The device called ``name``; BadValue lists what there is here where it is unknown or absent."""
    here = available()
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        raise BadValue(f"unknown device {name!r}; available here: {', '.join(here)}") from error
    if device.type not in here or (device.index or 0) >= (torch.cuda.device_count() if device.type == "cuda" else 1):
        raise BadValue(f"device {str(name)!r} is not available here; available: {', '.join(here)}")
    return device


def available() -> list[str]:
    """Kinds of device that there are here."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def now(device: torch.device) -> float:
    """Seconds of a clock that never goes back, once ``device`` has done what it was told.

    On one thread of a processor those that it worked: what else the machine does costs nothing.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.thread_time() if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter()


def describe(device: torch.device) -> str:
    """The device in words, for the record of a run."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"cpu, {threads} {'thread' if threads == 1 else 'threads'}"
