"""The page of a verification: does training again give what the table says, and what did it cost."""

from __future__ import annotations

import json
import math
import shlex
from typing import Any

from ...searchers.runner.run import Run
from ..blocks import Alarm, Block, Cell, Facts, Findings, Grid, Listing, Pictures, Points, Section
from ..pictures import drawable, picture
from ..report import Report
from ..statistics import RESAMPLES, SEED
from ..words import between, counted, number, signed
from .outcome import FEWEST_FOR_TAU, Outcome, outcome
from .plots import METRIC_WORDS, agreement_plot, curve_plot

DRAWN = 12  # architectures; each is some 3 kB of the page


def verification(run: Run) -> Report:
    """The report on a run of kind "verify"; the same folder gives the same bytes.

    Raises:
        BadFile: run.json or a part is damaged.
        MissingFile: no training is finished yet.
    """
    found = outcome(run)
    plan, name = found.plan, found.config["benchmark"]["name"]
    agreement, agreement_figures = agreement_plot(found)
    curves, curve_figures = curve_plot(found)
    many = counted(len(found.rows), "architecture")
    return Report(
        title=f"{many} of {name}, trained again",
        lead=f"{plan['dataset']}, {METRIC_WORDS[plan['metric']]} after {plan['recipe']['epochs']} epochs; "
        f"{counted(len(plan['seeds']), 'training')} of each",
        sections=(
            Section("", (*_alarms(found), *_findings(found), _facts(found))),
            Section("Agreement with the table", (agreement, _grid(found))),
            Section("Learning curves", (curves,)),
            Section("What it cost", (_costs(found),)),
            Section("How to read this", (Points(_reading(found)),)),
            Section("Architectures", (*_drawn(found), _texts(found))),
            Section("What this rests on", (Facts(_provenance(found)),)),
            Section("Do it again", _again(found)),
        ),
        figures=agreement_figures | curve_figures,
        tables={"architectures": found.rows, "epochs": found.epochs},
    )


def _alarms(found: Outcome) -> list[Alarm]:
    """What a reader must not miss: other recipes or images than the table's, divergence, what is not there."""
    alarms = []
    changed = {
        key: (value, found.plan["recipe"][key])
        for key, value in found.config["published"].items()
        if value != found.plan["recipe"][key]
    }
    lines = [f"{key}: {new} instead of {old}" for key, (old, new) in changed.items()]
    lines += found.config["departures"]
    if lines:
        last = "The values are no measurement of the table's; what can be compared is the order of the architectures."
        alarms.append(Alarm("Not trained as the table was", (*lines, last)))
    broken = found.rows[found.rows["diverged"] > 0]
    if len(broken):
        lines = [f"architecture {row.id}: {row.diverged} of {row.trainings}" for row in broken.itertuples()]
        last = "Their loss became infinite or no number; they are counted, but are in no mean."
        alarms.append(Alarm(f"{counted(int(broken['diverged'].sum()), 'training')} diverged", (*lines, last)))
    if found.missing:
        line = "All numbers below are of those that are there; the same command completes the run."
        alarms.append(Alarm(f"Incomplete: {counted(found.missing, 'training')} missing", (line,)))
    return alarms


def _findings(found: Outcome) -> tuple[Findings, ...]:
    """What can be said at a glance; nothing of one architecture that was trained otherwise."""
    agreement = found.agreement
    items = []
    if found.faithful and agreement.judged:
        head = f"{agreement.within} of {agreement.judged} within three seed standard deviations of the table"
        items.append((head, _bias(found)))
    order = _order(found)
    if order:
        items.append(order)
    return (Findings(tuple(items)),) if items else ()


def _bias(found: Outcome) -> str:
    agreement = found.agreement
    text = f"Mean difference {signed(agreement.bias, 2)} points"
    if not math.isnan(agreement.low):
        text += f", 95 % interval {between(agreement.low, agreement.high)}"
    if not math.isnan(agreement.lower):
        text += f"; limits of agreement {between(agreement.lower, agreement.upper)}"
    return text + "."


def _order(found: Outcome) -> tuple[str, str] | None:
    agreement = found.agreement
    if math.isnan(agreement.tau):
        return None
    many = f"{counted(agreement.architectures, 'architecture')}"
    if math.isclose(agreement.tau, 1):
        head = f"The order of all {many} is the table's"
    else:
        head = f"Kendall's tau with the table is {number(agreement.tau)}"
    if math.isnan(agreement.tau_low):
        return head, f"Kendall's tau-b {number(agreement.tau)} over {many}: too few for an interval."
    ends = between(agreement.tau_low, agreement.tau_high)
    return head, f"Kendall's tau-b {number(agreement.tau)}, 95 % interval {ends} (bootstrap over {many})."


def _facts(found: Outcome) -> Facts:
    plan, images = found.plan, found.config["images"]
    counts = ", ".join(f"{images['pictures'][split]:,} {split}" for split in ("train", "valid", "test"))
    benchmark = found.config["benchmark"]
    rows = (
        ("Benchmark", (benchmark["title"],)),
        ("Space", (f"{benchmark['space']}: {benchmark['architectures']:,} architectures",)),
        ("Images", (f"{images['name']}: {counts}",)),
        ("Recipe", (recipe_words(plan["recipe"]),)),
        ("Seeds", (", ".join(map(str, plan["seeds"])),)),
        ("Device", (str(found.config["host"]["device"]),)),
    )
    return Facts(rows, compact=True)


def recipe_words(recipe: dict[str, Any]) -> str:
    """A recipe as run.json keeps it, in words."""
    from ...bench.live.recipe import TrainingRecipe

    return TrainingRecipe(**recipe).describe()


def _grid(found: Outcome) -> Grid:
    rows: list[tuple[Cell, ...]] = [
        (
            f"{row.id}", number(row.tabulated), _runs(row.tabulated_runs),
            f"{number(row.measured)} ± {number(row.measured_std)}", signed(row.difference, 2), number(row.seed_std),
            signed(row.z, 1),
        )
        for row in found.rows.itertuples()
    ]  # fmt: skip
    return Grid(
        f"{METRIC_WORDS[found.plan['metric']].capitalize()} [%], the table's best first",
        ("Architecture", "table", "its runs", "measured", "difference", "seed SD", "z"),
        tuple(rows),
        "± one standard deviation between our seeds. Seed SD: between seeds, pooled over our trainings and, where the "
        "table has single runs, its own. z: the difference in seed SDs; a dash where no two seeds are known.",
    )


def _drawn(found: Outcome) -> tuple[Pictures, ...]:
    """The architectures as pictures, the table's best first; none where their space is not known here."""
    space = drawable(found.config["benchmark"])
    if space is None:
        return ()
    items = tuple(
        picture(space, int(row.id), f"measured {number(row.measured)} %, table {number(row.tabulated)} %")
        for row in found.rows.head(DRAWN).itertuples()
    )
    rest = len(found.rows) - len(items)
    return (Pictures("The table's best first", items, f"{rest:,} more are not drawn." if rest else ""),)


def _texts(found: Outcome) -> Facts:
    """The official string of each architecture."""
    return Facts(tuple((str(row.id), (str(row.architecture),)) for row in found.rows.itertuples()))


def _runs(count: int) -> str:
    return f"{count}" if count else "mean only"


def _costs(found: Outcome) -> Grid:
    memory = found.rows["peak_memory_mb"].notna().any()
    head = ("Architecture", "training [s]", "evaluation [s]", "images / s", *(("peak memory [MB]",) if memory else ()))
    rows: list[tuple[Cell, ...]] = [
        (
            f"{row.id}", number(row.train_seconds, 1), number(row.held_seconds, 1), number(row.images_per_second, 0),
            *((number(row.peak_memory_mb, 0),) if memory else ()),
        )
        for row in found.rows.itertuples()
    ]  # fmt: skip
    note = "Means over seeds. Training: forward, backward and step; evaluation: validation and test after every epoch."
    if not memory:
        note += " Peak memory is known on GPUs only."
    return Grid("Measured seconds of one training, and training images a second", head, tuple(rows), note)


def _reading(found: Outcome) -> tuple[str, ...]:
    words = METRIC_WORDS[found.plan["metric"]]
    return (
        f"Measured and tabulated are means over seeds of the {words} after the last epoch, both over few seeds: with n "
        "of ours and m of the table's, z is about √(1/n + 1/m) even where nothing but the seeds differs.",
        _sample(found),
        "Bland & Altman (Lancet, 1986): differences drawn over means show a bias that depends on the accuracy, which "
        "a correlation would hide.",
        f"Kendall's tau-b counts pairs in the same order; its interval needs at least {FEWEST_FOR_TAU} architectures.",
        f"Bootstrap: {RESAMPLES:,} resamples, seed {SEED}.",
    )


def _sample(found: Outcome) -> str:
    """Whether the trainings are others than the table's."""
    known = {seed for entry in found.config["tabulated"] for seed in entry["runs"]}
    shared = sorted(set(map(str, found.plan["seeds"])) & known, key=int) if found.plan["own"] else []
    if shared:
        return (
            f"Seeds {', '.join(shared)} are the table's own: these trainings repeat its very trainings, so that small "
            "differences say that training is reproducible, not that another sample would agree."
        )
    return (
        "Weights are drawn from our seeds by the benchmark's law, not its very numbers: no training repeats one of "
        "the table, it is another sample of the same experiment."
    )


def _provenance(found: Outcome) -> tuple[tuple[str, tuple[str, ...]], ...]:
    config = found.config
    benchmark, images, host = config["benchmark"], config["images"], config["host"]
    sums = (f"{name}: sha256 {value}" for name, value in benchmark["table_sha256"].items())
    layout = "NHWC (channels last)" if config["channels_last"] else "NCHW"
    return (
        ("Table", (f"{benchmark['title']} ({benchmark['licence']})", *sums)),
        ("Images", (images["source"] or images["name"], f"sha256 of pictures and labels {images['sha256']}")),
        ("Recipe", (recipe_words(found.plan["recipe"]), f"the table's: {recipe_words(config['published'])}")),
        ("Network", (_network(found), f"memory layout {layout}{', compiled' if config['compiled'] else ''}")),
        ("Software", (
            ", ".join(f"{name} {version}" for name, version in config["versions"].items()),
            f"commit {config['git'] or 'unknown'}",
        )),
        ("Host", (
            ", ".join(f"{name} {value}" for name, value in host.items()),
            f"first started {config['started']}",
        )),
    )  # fmt: skip


def _network(found: Outcome) -> str:
    macro = found.plan["macro"]
    skeleton = "the benchmark's own skeleton" if macro is None else ", ".join(f"{k} {v}" for k, v in macro.items())
    if found.plan["own"]:
        return f"{skeleton}; dead branches are left out"
    return f"{skeleton}; dead branches are left out unless that changes what is computed"


def _again(found: Outcome) -> tuple[Block, ...]:
    text = json.dumps(found.config, indent=1, sort_keys=True, ensure_ascii=False)
    return (Listing("Command", command(found)), Listing("run.json", text, folded=True))


def command(found: Outcome) -> str:
    """The command that does the same once more."""
    plan, given = found.plan, found.config["given"]
    parts = ["nasgauge", "verify", found.config["benchmark"]["name"], *(str(arch) for arch in plan["ids"])]
    parts += ["--dataset", plan["dataset"], "--metric", plan["metric"], "--budget", str(plan["budget"])]
    parts += ["--seeds", str(len(plan["seeds"])), "--base-seed", str(min(plan["seeds"])), "--device", given["device"]]
    for key, option in (
        ("images", "--images"), ("validation", "--validation"), ("limit", "--limit-images"), ("size", "--size"),
    ):  # fmt: skip
        if given[key] is not None:
            parts += [option, str(given[key])]
    for key, value in given["recipe"].items():
        parts += ["--recipe", f"{key}={','.join(value) if isinstance(value, list) else value}"]
    parts += ["--compile"] if found.config["compiled"] else []
    parts += [] if found.config["channels_last"] else ["--no-channels-last"]
    return shlex.join(parts)
