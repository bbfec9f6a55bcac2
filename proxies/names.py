"""Proxies by their names, as the command line gives them, and the list that a run asks for."""

from __future__ import annotations

import copy
import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ..bench.errors import BadValue, UnknownName
from ..bench.live import need_torch
from . import COMBINATIONS, PROXIES
from . import combinations as laws
from .combinations import Combination

if TYPE_CHECKING:
    from .proxy import Proxy
    from .signals import Signals

Scored = Callable[[Any, Any], float]
"""A proxy of one's own: ``f(network, batch)``, higher is better."""
TAKEN = ("id", "class", "seed", "shared")
ENDINGS = ("_seconds", "_error")


def proxy(name: str) -> Proxy | Combination:
    """The proxy called ``name``: "naswot", "naswot:released", "zen:repeats=4", "latency:edgegpu", "az_nas", ...

    After the colon stand settings of the proxy's function, ``key=value`` or plain values in its order, separated by
    commas; for ``rank_sum`` and ``vote`` the names of their parts, separated by "+".

    Raises:
        UnknownName: no such proxy or setting; the message lists what there is.
        BadValue: a setting outside its range, or one that is needed and was not given.
    """
    base, _, rest = name.partition(":")
    if base in COMBINATIONS:
        maker = getattr(laws, base)
        if base == "rank_sum" and not rest:
            raise BadValue("rank_sum of which proxies? Give their names, as in rank_sum:naswot+synflow")
        made = maker(rest.split("+")) if rest else maker()
        assert isinstance(made, Combination)
        return made
    if base not in PROXIES:
        raise UnknownName.of("proxy", base, (*PROXIES, *COMBINATIONS))
    maker = _maker(base)
    plain, named = _settings(base, maker, rest)
    found: Proxy = maker(*plain, **named)
    return found


def everything() -> list[Proxy | Combination]:
    """Every proxy and combination that needs no setting."""
    free = [name for name in PROXIES if not needed(name)]
    return [proxy(name) for name in (*free, *(name for name in COMBINATIONS if name != "rank_sum"))]


def needed(name: str) -> list[str]:
    """The settings that a proxy cannot do without."""
    maker = _maker(name)
    parameters = inspect.signature(maker).parameters.values()
    return [each.name for each in parameters if each.default is inspect.Parameter.empty]


def chosen(proxies: Iterable[Any]) -> tuple[list[Proxy], list[Combination]]:
    """What is asked for, each once: the proxies (those that a combination is made of included) and the combinations.

    Args:
        proxies: names (see `proxy`, and "all"), `Proxy` and `Combination` objects, functions ``f(network, batch)``.

    Raises:
        UnknownName: no such proxy.
        BadValue: nothing asked for, something that is none of these, or two different proxies of one name.
    """
    if isinstance(proxies, str) or not isinstance(proxies, Iterable):
        raise BadValue(f"proxies={proxies!r}; give a list, such as ['naswot', 'params']")
    found: dict[str, Proxy | Combination] = {}
    listed: list[Proxy | Combination] = []
    for each in proxies:
        listed += everything() if each == "all" else [_one(each)]
    for made in listed:
        same = found.setdefault(made.name, made)
        if same is not made and _identity(same) != _identity(made):
            raise BadValue(f"two different proxies are called {made.name!r}; give one of them another name")
        if made.name in TAKEN or made.name.endswith(ENDINGS) or not made.name:
            raise BadValue(f"a proxy cannot be called {made.name!r}, which the tables of a run need for themselves")
    if not found:
        raise BadValue("no proxy given; name at least one, or 'all'")
    for combination in [each for each in listed if isinstance(each, Combination)]:
        for part in combination.parts:
            if part not in found:
                found[part] = proxy(part)
            if isinstance(found[part], Combination):
                raise BadValue(f"{combination.name!r} combines {part!r}, itself a combination; name its parts instead")
    single = [each for each in found.values() if not isinstance(each, Combination)]
    return single, [each for each in found.values() if isinstance(each, Combination)]


def of_function(function: Scored, name: str = "") -> Proxy:
    """A function of your own as a proxy; it is handed a copy of the network, to do with as it likes.

    PyTorch's global generator is set from the architecture's seed while it runs, so that what it draws there does not
    depend on what was scored before.
    """
    from .proxy import Proxy

    given = name or getattr(function, "__name__", "") or type(function).__name__
    if given == "<lambda>":
        raise BadValue("a lambda has no name; give a function, or Proxy(name, ...)")
    return Proxy(given, f"own function {source_of(function)}", partial(_call, function), frozenset({"network"}))


def source_of(function: Any) -> str:
    """A short digest of the source of a function, to tell whether it has changed; empty where there is no source."""
    try:
        return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]
    except (OSError, TypeError):
        return ""


def _call(function: Scored, signals: Signals) -> float:
    import torch

    network = copy.deepcopy(signals.network)
    with torch.random.fork_rng():
        torch.manual_seed(signals.subject.seed)
        return float(function(network, signals.subject.batch))


def _one(given: Any) -> Proxy | Combination:
    if isinstance(given, str):
        return proxy(given)
    if isinstance(given, Combination):
        return given
    from .proxy import Proxy

    if isinstance(given, Proxy):
        return given
    if callable(given) and not isinstance(given, type):
        if given in _makers():
            raise BadValue(f"the function {given.__name__} makes a proxy; call it: ng.proxies.{given.__name__}()")
        return of_function(given)
    raise BadValue(f"{given!r} is no proxy; give a name, an ng.proxies.naswot(), or a function f(network, batch)")


def _maker(name: str) -> Callable[..., Any]:
    """The function that makes a proxy."""
    need_torch(f"the proxy {name!r}")
    made: Callable[..., Any] = getattr(importlib.import_module(f".{PROXIES[name]}", __package__), name)
    return made


def _makers() -> list[Any]:
    modules = {name: sys.modules.get(f"{__package__}.{home}") for name, home in PROXIES.items()}
    return [getattr(module, name) for name, module in modules.items() if module is not None]


def _identity(each: Proxy | Combination) -> tuple[object, ...]:
    if isinstance(each, Combination):
        return (each.law, each.parts)
    return (each.cites, each.reads, each.needs, each.direction, each.per_class)


def _settings(base: str, maker: Callable[..., Any], text: str) -> tuple[Sequence[Any], dict[str, Any]]:
    """Positional and named settings of a proxy's function, as written after the colon."""
    parameters = inspect.signature(maker).parameters
    plain: list[Any] = []
    named: dict[str, Any] = {}
    for item in filter(None, text.split(",")):
        key, equals, value = item.partition("=")
        if not equals:
            plain.append(_value(key))
        elif key not in parameters:
            raise UnknownName.of(f"setting of proxy {base!r}", key, parameters)
        else:
            named[key] = _value(value)
    try:
        inspect.signature(maker).bind(*plain, **named)
    except TypeError as error:
        legal = ", ".join(map(str, parameters.values())) or "none"
        raise BadValue(f"proxy {base!r} with settings {text!r}: {error}; its settings: {legal}") from error
    return plain, named


def _value(text: str) -> int | float | bool | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
