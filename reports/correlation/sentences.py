"""The findings of a correlation report in words: what the numbers say, and no more."""

from __future__ import annotations

import math

from ..blocks import Alarm, Findings
from ..correlation_statistics import Estimate
from ..statistics import LEVEL
from ..words import between, counted, joined, number, signed
from .analysis import Analysis
from .evidence import METRICS
from .measures import AMONG, CEILING
from .plots import found_k
from .worth import most

MOST_NAMES = 8


def findings(analysis: Analysis) -> Findings:
    """What came out, on the main truth."""
    items = [_best(analysis), _against_yardstick(analysis), _against_training(analysis), _first(analysis)]
    items += [_beyond_size(analysis), _near_the_top(analysis)]
    return Findings(tuple(item for item in items if item is not None))


def alarms(analysis: Analysis) -> list[Alarm]:
    """What a reader must not miss."""
    found, given = analysis.found, []
    if found.missing:
        line = "All numbers below are of those that are there; the same command completes the run."
        given.append(Alarm(f"Incomplete: {counted(found.missing, 'score row')} missing", (line,)))
    failed = [each for each in found.scored if each.failed]
    if failed:
        lines = [
            f"{each.name}: {each.failed:,} of {counted(each.networks, 'network')}; {'; '.join(each.errors)}"
            for each in failed
        ]
        last = "They have no score, are counted as missing, and take no part in that proxy's statistics."
        total = sum(each.failed for each in failed)
        given.append(Alarm(f"{counted(total, 'score')} failed with an error", (*lines, last)))
    flat = [each.name for each in found.scored if math.isnan(analysis.measured.value(each.name, found.main, "kendall"))]
    if flat:
        line = "It is the same for all architectures, or missing for too many, so that there is nothing to correlate."
        given.append(Alarm(f"No correlation: {listed(flat)}", (line,)))
    return given


def estimate(value: Estimate, digits: int = 3) -> str:
    """A number with its interval."""
    if math.isnan(value.low):
        return number(value.value, digits)
    return f"{number(value.value, digits)} [{between(value.low, value.high, digits)}]"


def listed(names: list[str]) -> str:
    """Names, the last ones of many as a number."""
    if len(names) <= MOST_NAMES:
        return joined(names)
    return joined([*names[:MOST_NAMES], f"{len(names) - MOST_NAMES} more"])


def _ranked(analysis: Analysis, among: str = "all") -> list[tuple[str, Estimate]]:
    """Proxies and combinations with their tau, the best first."""
    found = analysis.found
    proxies = [each.name for each in found.scored if not each.reference]
    rows = [(name, measure.estimate) for name in proxies
            if (measure := analysis.measured.of(name, found.main, "kendall", among)) is not None]  # fmt: skip
    return sorted((row for row in rows if not math.isnan(row[1].value)), key=lambda row: -row[1].value)


def _best(analysis: Analysis) -> tuple[str, str] | None:
    ranked, found, measured = _ranked(analysis), analysis.found, analysis.measured
    if not ranked:
        return None
    name, tau = ranked[0]
    text = f"{LEVEL:.0%} interval {between(tau.low, tau.high, 3)} over architectures"
    seeds = [value for value in measured.found[name, found.main.key, "all", "kendall"].seeds if value == value]
    if len(seeds) > 1:
        text += f"; {len(seeds)} single seeds {between(min(seeds), max(seeds), 3)}"
    if not math.isnan(params := measured.value(analysis.yardstick.name, found.main, "kendall")):
        text += f". {analysis.yardstick.name.capitalize()} alone: {number(params, 3)}"
    if not math.isnan(ceiling := measured.value(CEILING, found.main, "kendall")):
        text += f"; two full trainings agree with τ {number(ceiling, 3)}"
    return f"{name} orders best: τ {number(tau.value, 3)} with {METRICS[found.main.metric]} on {found.main.dataset}", (
        f"{text}."
    )


def _against_yardstick(analysis: Analysis) -> tuple[str, str] | None:
    proxies = [each for each in analysis.found.scored if not each.reference]
    if not proxies:
        return None
    name, parts = analysis.yardstick.name, []
    for sign, words in ((1, "Better"), (0, "Not told apart"), (-1, "Worse")):
        which = analysis.beaten(sign)
        if which:
            ordered = sorted(which, key=lambda each: -analysis.gains[each].value)
            shown = [f"{each} ({signed(analysis.gains[each].value)})" for each in ordered]
            parts.append(f"{words}: {listed(shown)}.")
    better = analysis.beaten(1)
    head = f"{len(better)} of {counted(len(proxies), 'proxy', 'proxies')} order better than {name}"
    note = f"Differences of τ whose {LEVEL:.0%} interval, over architectures, excludes zero."
    return head, " ".join([*parts, note])


def _against_training(analysis: Analysis) -> tuple[str, str] | None:
    short, found, measured = analysis.cheapest, analysis.found, analysis.measured
    if short is None:
        return None
    tau = measured.found[short.name, found.main.key, "all", "kendall"].estimate
    above = [name for name, mine in _ranked(analysis) if mine.value > tau.value]
    head = f"No proxy orders as well as {short.name} of training"
    if above:
        order = "orders" if len(above) == 1 else "order"
        head = f"{counted(len(above), 'proxy', 'proxies')} {order} better than {short.name} of training"
    text = f"{short.about[0].capitalize()}: τ {estimate(tau)}."
    return head, text + (f" Above it: {listed(above)}." if above else "")


def _first(analysis: Analysis) -> tuple[str, str] | None:
    proxies = [each.name for each in analysis.found.scored if not each.reference]
    worths = {name: value for name in proxies if not math.isnan((value := analysis.worths[name]).accuracy)}
    if not worths:
        return None
    name, best = max(worths.items(), key=lambda item: item[1].accuracy)
    k = found_k(analysis.measured)
    known = analysis.found.main.values
    top = max(value for value in known if value == value)
    head = f"Training only the first {k} by {name} loses {number(top - best.accuracy)} points"
    equal = f"more than {most(analysis.found):,} random trainings"
    if not math.isinf(best.equal):
        equal = counted(int(best.equal), "random training")
    text = f"Expected best {number(best.accuracy)} % of {number(top)} %: as good as {equal}"
    if not math.isnan(best.trainings):
        cost = f"{best.trainings:.1g}" if best.trainings < 1 else number(best.trainings, 1)
        text += f"; scoring all {len(known):,} takes as long as {cost} full trainings"
    return head, text + "."


def _beyond_size(analysis: Analysis) -> tuple[str, str] | None:
    proxies = {each.name for each in analysis.found.scored if not each.reference}
    partials = {name: value for name, value in analysis.partials.items() if name in proxies}
    if not partials:
        return None
    kept = sorted((name for name, value in partials.items() if value.low > 0), key=lambda name: -partials[name].value)
    know = "knows" if len(kept) == 1 else "know"
    head = f"{len(kept)} of {counted(len(partials), 'proxy', 'proxies')} {know} more than the size of a network"
    shown = [f"{name} ({number(partials[name].value)})" for name in kept]
    text = "Partial rank correlation with accuracy, given parameters and FLOPs, above zero by its interval"
    return head, f"{text}: {listed(shown)}." if kept else f"{text}: none."


def _near_the_top(analysis: Analysis) -> tuple[str, str] | None:
    among = AMONG[0.1]
    ranked = _ranked(analysis, among)
    if not ranked:
        return None
    name, tau = ranked[0]
    head = f"Among the best tenth, {name} orders best: τ {number(tau.value, 3)}"
    unsure = [each for each, value in ranked if not value.low > 0]
    text = f"{LEVEL:.0%} interval {between(tau.low, tau.high, 3)}."
    return head, text + (f" Not above zero by their interval: {listed(unsure)}." if unsure else "")
