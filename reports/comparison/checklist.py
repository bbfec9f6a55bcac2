"""The checklist of Lindauer & Hutter (JMLR 21, 2020), filled in from the run; the rest is left to its author.

The wording of the questions is abridged from the paper's appendix (version 1.1 of the list).
"""

from __future__ import annotations

from collections.abc import Mapping

from ..blocks import Facts
from ..words import counted, joined
from .asked import Asked
from .outcome import Outcome

YES, PARTLY, NO, YOURS, NOT_HERE = "yes", "in part", "no", "up to you", "does not apply"
RANDOM = ("random", "random_search")


def checklist(found: Outcome) -> Facts:
    """Questions with answers and the evidence for each."""
    asked = found.asked
    return Facts(tuple((question, answer) for part in (_code(asked), _comparing(found), _details(found))
                       for question, answer in part.items()))  # fmt: skip


def _answer(verdict: str, evidence: str) -> tuple[str, ...]:
    return f"{verdict[0].upper()}{verdict[1:]}.", evidence


def _code(asked: Asked) -> Mapping[str, tuple[str, ...]]:
    """Best practices for releasing code."""
    commit = f"commit {asked.git}" if asked.git else "the commit is not recorded"
    named = f"nasgauge {asked.versions.get('nasgauge', 'of an unknown version')}, {commit}"
    trained = "Nothing was trained here: accuracies come from the table named above, whose authors' pipeline they are."
    if asked.live:
        trained = f"What searchers were told was trained by {named}; reported accuracies are those of the table."
    changed = PARTLY if asked.git is None or asked.git.endswith("+changes") else YES
    own = [each.label for each in asked.searchers if each.name not in _built_in()]
    whose = (
        f"Built into {named}." if not own
        else f"{joined(own)}: not part of nasgauge; release that code. The rest is in {named}."
    )  # fmt: skip
    settings = "; ".join(
        f"{each.label}: {', '.join(f'{key}={value}' for key, value in each.settings.items()) or 'no settings'}"
        for each in asked.searchers
    )
    sources = joined(source.name for source in asked.benchmark.sources) or "no source file is recorded"
    return {
        "Code of the training pipeline": _answer(changed if asked.live else NOT_HERE, f"{trained} Files: {sources}."),
        "Code of the search space": _answer(changed, f"Space {asked.benchmark.space} of {named}."),
        "Hyperparameters and seeds of the final evaluation": _answer(
            YES if asked.tasks else NO,
            "; ".join(f"{task.dataset}: {task.report_budget} epochs, {task.words['test']}" for task in asked.tasks)
            + ". Seeds of the trainings are the table's.",
        ),
        "Code of the searchers": _answer(YOURS if own else changed, whose),
        "Hyperparameters and seeds of the searchers": _answer(
            YES, f"{settings}; seeds 0 to {asked.seeds - 1} from base seed {asked.base_seed}."
        ),
    }


def _comparing(found: Outcome) -> Mapping[str, tuple[str, ...]]:
    """Best practices for comparing methods."""
    asked = found.asked
    digests = ", ".join(digest[:12] for digest in asked.benchmark.tables.values())
    control = [each.label for each in asked.searchers if each.name in RANDOM]
    closed = len(found.expected) == len(asked.tasks)
    against = [f"searched ({joined(control)})"] * bool(control) + ["as an exact expectation"] * bool(found.expected)
    seeds = min((len(runs.seeds) for runs in found.repetitions.values()), default=0)
    measured = {task.cost_provenance for task in asked.tasks}
    return {
        "The same benchmark for all methods": _answer(
            YES, f"{asked.benchmark.name}, table sha256 {digests or 'unknown'}, same splits, same budget for every one."
        ),
        "Confounders controlled (hardware, versions, run time)": _answer(
            PARTLY if asked.live else YES,
            "Seconds of training were measured on this host during the search; all ran with the same versions, and "
            "searchers share the trainings of a class." if asked.live else
            f"Budgets are simulated seconds ({joined(sorted(measured))} costs of the table), not time on this host; "
            f"all ran with the same versions. Only searchers' own seconds and memory depend on the host.",
        ),
        "Ablation studies": _answer(
            YOURS, "A run does not tell which of its searchers are variants of one method; give them as searchers."
        ),
        "The same evaluation protocol": _answer(
            YES, "One clock, one incumbent rule (by what searchers are told), one lookup of test for all."
        ),
        "Performance over time": _answer(YES, "Curves on every axis, ranks over the budget, time to targets: above."),
        "Comparison to random search": _answer(
            YES if control and closed else PARTLY if against else NO,
            f"Random search is {joined(against)}." if against else "Add the searcher “random”.",
        ),
        "Several runs, seeds reported": _answer(
            YES if seeds >= 2 and not found.gaps else PARTLY if seeds else NO,
            f"{counted(seeds, 'repetition')} at least of {asked.seeds} asked for, numbered from 0; "
            "intervals and paired tests over repetitions.",
        ),
        "Tabular or surrogate benchmarks": _answer(
            YES,
            f"{asked.benchmark.title}: "
            + ("searched by live trainings, results looked up." if asked.live else "looked up, nothing trained."),
        ),
    }  # fmt: skip


def _details(found: Outcome) -> Mapping[str, tuple[str, ...]]:
    """Best practices for reporting details."""
    asked = found.asked
    proxied = any((runs.last("proxy_seconds") > 0).any() for runs in found.repetitions.values())
    proxies = "proxies' measured seconds included" if proxied else "no proxy was used"
    final = (
        "the final training of the architecture handed over is not part of the budget: add it for an end-to-end time"
    )
    return {
        "How hyperparameters were tuned, at what cost": _answer(
            YOURS,
            "Not known here. Published presets, where used, are named above; your own tuning is yours to tell.",
        ),
        "Time of the whole method, end to end": _answer(
            PARTLY, f"Simulated seconds plus searchers' own, {proxies}; {final}."
        ),
        "All details of the setup": _answer(
            YES if asked.git else PARTLY, "Files, splits, seeds, software and host are above, run.json is below."
        ),
    }


def _built_in() -> set[str]:
    from ...searchers import SEARCHERS

    return set(SEARCHERS)
