"""pasupa2020 beside searches, comparisons and sweeps of ours: tables 1 to 3, figures 10 to 13. Does focal loss help?

The paper distinguishes three classes of canine red cells (10% codocytes, 10% hypochromic cells, 80% normal ones) with
DenseNet-121 and ResNet-50. It tries seven factors alpha of the focal loss beside cross-entropy, under-sampling and
over-sampling (table 1), then thins classes to seven imbalance ratios rho (table 2) and compares the two losses at each
(table 3, figure 13).

Here the same is run on any data set with classes: the largest class stands for the normal cells, the others (or those
of --minority) become rare. Alpha is searched by cross-validation on the training split, then every arm of table 1 is
tested at the paper's own ratio of 7.8, and the losses at all of its ratios, on the same real test images.

    python eval/pasupa2020.py DATA --out DIR [--budget quick|day|full] [--minority A,B] [--scratch A|all]

Networks whose published weights are missing are trained from scratch (not with --budget quick, which trains the small
sequential-cnn in their stead). Writes tables.md, figures.json, roc_*.svg (figure 10), confusion_*.svg (11), loss_*.svg
(12), improvement.svg (13), and with a report.html each: table1/ and sweep-NETWORK/; search-NETWORK/ has no page.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import paper_study
from budget import Amount, Budget, Timed
from gansynth.errors import InputError
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.wording import p_value, signed, signed_ends
from gansynth.remedies.arm import NONE
from gansynth.report.comparison.arms import arm_marks
from gansynth.report.comparison.curves import curve_chart, curves_of
from gansynth.report.comparison.page import write_comparison_page
from gansynth.report.sweep.page import sweep_findings, sweep_verdict, write_sweep_page
from gansynth.studies.comparison.entries import Endpoint
from gansynth.studies.comparison.result import Comparison
from gansynth.studies.comparison.splits import Images, make_folds
from gansynth.studies.search.result import OverFolds, RemedySearch
from gansynth.studies.search.study import search_remedy
from gansynth.studies.sweep.counts import counts_at
from gansynth.studies.sweep.result import ImbalanceSweep, Point
from gansynth.studies.sweep.study import sweep_imbalance
from paper_arms import confusion, tested, write_chart
from paper_backbones import Network, networks
from paper_study import (
    MISSING,
    Options,
    comparison,
    markdown,
    parts,
)
from pasupa2020_charts import improvement_chart, roc_chart
from pasupa2020_paper import (
    ALPHAS,
    CROSS_ENTROPY,
    FOCAL,
    METRICS,
    MODELS,
    OWN_RATIO,
    TABLE_1,
    TABLE_2,
    TABLE_3,
    cannot_compare,
    relative_improvement,
)

AMOUNTS: dict[Budget, Amount] = {
    "quick": Amount(32, 6, seeds=3, images=600),
    "day": Amount(64, 12, seeds=3, images=1200),
    "full": Amount(None, 100, seeds=5),
}
TIMED = Timed(14, Amount(32, 6, seeds=2, images=600), "both networks from scratch, and seven alphas")
"""Of the kept result: the time of a training in its first table, for all of its trainings, halved."""
MOST = {"quick": 600, "day": 1200, "full": None}
"""Training images of the largest class."""
TRIED = {"quick": (0.5, 1.0, 1.5), "day": ALPHAS, "full": ALPHAS}
SETTINGS = (
    "training.optimizer=adam", "training.learning_rate=0.001", "training.weight_decay=0", "training.warm_up=0",
    "training.schedule=constant", "training.batch_size=32", "training.keep=loss", "training.patience=0",
)  # fmt: skip
"""Adam at 0.001, batches of 32, the epoch of the least loss (section 4.2)."""
SEARCH_FOLDS = {"quick": 2, "day": 3, "full": 5}
STAND_IN = "sequential-cnn"
RATIOS = {rho: max(counts) / min(counts) for rho, counts in TABLE_2.items()}
"""The paper's ratios, from its counts: as printed they are rounded."""


@dataclass(frozen=True)
class Found:
    """What was carried out: the search and the sweep of each network, and one comparison of all arms of table 1."""

    searches: dict[str, RemedySearch]
    table_1: Comparison
    sweeps: dict[str, ImbalanceSweep]

    def alpha(self, name: str) -> float:
        """Return the alpha that the search of a network found best."""
        best = self.searches[name].highest
        if best is None:
            raise InputError(f"search-{name}: no alpha has finished all folds; run the study again")
        return best.values["alpha"]


def main() -> None:
    parser = paper_study.parser(__doc__)
    parser.add_argument("--minority", default="", help="classes that become rare; default: all but the largest")
    parser.add_argument("--scratch", help="networks to train without published weights; all or none")
    parser.add_argument(
        "--stand-in", default=STAND_IN, help=f"network where neither backbone is trained (default {STAND_IN})"
    )
    parser.add_argument("--most", type=int, help="training images of the largest class, instead of the budget's")
    given = parser.parse_args()
    asked = paper_study.options(given, AMOUNTS, TIMED)
    scratch = given.scratch if given.scratch is not None else "none" if asked.budget == "quick" else "all"
    minority = [name.strip() for name in given.minority.split(",") if name.strip()]
    try:
        names = [name.strip() for name in scratch.split(",")]
        study(asked, minority, names, given.most or MOST[asked.budget], given.stand_in)
    except InputError as error:
        sys.exit(f"error: {error}")


def study(
    asked: Options, minority: Sequence[str], scratch: Sequence[str], most: int | None, stand_in: str = STAND_IN
) -> None:
    """Search, compare and sweep; write and print the paper's tables beside ours."""
    nets = networks(list(MODELS), asked, scratch)
    if not any(net.spec for net in nets.values()):
        nets |= networks([stand_in], asked, ())
    trained = {name: net for name, net in nets.items() if net.spec}
    dataset = Images(asked.data, True).at(asked.amount.size or 64)
    folds = [fold.counts["train"] for fold in make_folds(dataset, asked.amount.folds, {}, 0)]
    counts = {name: min(fold[name] for fold in folds) for name in dataset.class_names}
    rare = list(minority) or [name for name in counts if name != max(counts, key=lambda one: counts[one])]
    kept = dict(zip(RATIOS, counts_at(list(RATIOS.values()), counts, rare, thin="both", most=most), strict=True))
    found = carry_out(asked, trained, kept[OWN_RATIO], rare, most)
    text = "\n".join(page(asked, nets, found, kept, rare))
    print(text)
    write_text(asked.out / "tables.md", text)
    write_json(
        asked.out / "figures.json",
        {
            "searches": {name: search.to_json() for name, search in found.searches.items()},
            "table 1": parts(found.table_1, ("about", "arms", "effects")),
            "sweeps": {name: sweep.to_json() for name, sweep in found.sweeps.items()},
        },
    )
    draw(asked, found)


def carry_out(
    asked: Options, trained: Mapping[str, Network], kept: Mapping[str, int], rare: Sequence[str], most: int | None
) -> Found:
    """Search alpha, test every arm of table 1 at the paper's own ratio, and both losses at all ratios."""
    amount, budget = asked.amount, asked.budget
    changes = list(SETTINGS)
    shared: dict[str, Any] = {
        "size": amount.size, "epochs": amount.epochs, "changes": changes, "jobs": asked.jobs, "device": asked.device,
        "weights_dir": asked.weights_dir,
    }  # fmt: skip
    searches = {}
    for name, net in trained.items():
        out = asked.out / f"search-{name}"
        searches[name] = search_remedy(
            asked.data, "focal", out, classifier=net.spec, grid={"alpha": TRIED[budget]}, folds=SEARCH_FOLDS[budget],
            rarity=kept, resume=(out / "search.json").is_file(), **shared,
        )  # fmt: skip
    arms = [NONE, *(f"focal:alpha={alpha:g}" for alpha in TRIED[budget]), "undersample", "oversample-turned"]
    specs = [net.spec for net in trained.values()]
    table_1 = comparison(asked, arms, specs, name="table1", rarity=kept, rare=rare, changes=changes)
    found, sweeps = Found(searches, table_1, {}), {}
    for name, net in trained.items():
        out = asked.out / f"sweep-{name}"
        sweeps[name] = sweep_imbalance(
            asked.data, [NONE, f"focal:alpha={found.alpha(name):g}"], [net.spec], out, ratios=list(RATIOS.values()),
            minority=rare, thin="both", most=most, seeds=amount.seeds, folds=amount.folds, after=write_comparison_page,
            resume=(out / "sweep.json").is_file(), **shared,
        )  # fmt: skip
        write_sweep_page(out)
    return Found(searches, table_1, sweeps)


def page(
    asked: Options,
    nets: Mapping[str, Network],
    found: Found,
    kept: Mapping[float, Mapping[str, int]],
    rare: Sequence[str],
) -> list[str]:
    """Return the paper's tables beside ours."""
    about = found.table_1.about
    tests = [line for name in found.sweeps for line in sweep_lines(found, name)]
    return [
        "# pasupa2020: focal loss over the imbalance ratio",
        "",
        f"{len(about.classes)} classes at {about.size} px, rare: {', '.join(rare)}; tested on "
        f"{sum(about.test_counts.values()):,} real images, {len(about.seeds)} seed(s), "
        f"{asked.amount.epochs} epochs. Figures with 95% intervals over test images and trainings. The paper's stand "
        "before the stroke, ours behind it.",
        "",
        *(
            f"- {MODELS.get(name, f'*{name}* (stands in)')}: {net.weights or 'from scratch'}"
            for name, net in nets.items()
        ),
        "",
        "## Table 1: factors of the focal loss, and other remedies",
        "",
        table_1(nets, found),
        "",
        f"Ours: tested at ρ = {ratio(kept[OWN_RATIO]):.3g}. Searched: macro-F1, mean ± standard deviation over "
        f"{SEARCH_FOLDS[asked.budget]} folds of the training split; it chose alpha = "
        f"{', '.join(f'{found.alpha(name):g} ({name})' for name in found.searches)}.",
        "",
        "What the tests say, each arm against cross-entropy (none):",
        "",
        tested(found.table_1, NONE),
        "",
        "## Table 2: images by class",
        "",
        table_2(kept, rare),
        "",
        "The paper's are all images; ours those to learn from. The test images are the same at every ratio.",
        "",
        "## Table 3: both losses at every ratio (paper / ours)",
        "",
        table_3(nets, found),
        "",
        *tests,
        "## Figure 13: what the focal loss adds, in percent of cross-entropy",
        "",
        figure_13(found),
        "",
        cannot_compare(),
    ]


def ratio(counts: Mapping[str, int]) -> float:
    return max(counts.values()) / min(counts.values())


def table_1(nets: Mapping[str, Network], found: Found) -> str:
    """Return table 1: the paper's networks, then what stands in for them."""
    rows = []
    for name, net in nets.items():
        lines = TABLE_1.get(name, TABLE_1["densenet121"])
        searched = {row.arm: row for row in found.searches[name].rows} if name in found.searches else {}
        for line in lines:
            entry = found.table_1.entry(line.arm, name)
            alpha = MISSING if line.alpha is None else f"{line.alpha:g}"
            row = searched.get(line.arm)
            spread = MISSING if row is None else _spread(row.scores["macro-F1"])
            epoch = MISSING if row is None or row.epoch is None else f"{row.epoch:.3g}"
            if entry is None and name not in MODELS:
                continue
            paper = [None] * 3 if name not in MODELS else list(line.scores)
            cells = [
                _pair(value, entry.metrics.get(metric) if entry else None, metric)
                for value, metric in zip(paper, METRICS.values(), strict=True)
            ]
            epochs = f"{line.epoch if name in MODELS else MISSING} / {epoch}"
            rows.append(
                [
                    MODELS.get(name, f"*{name}*"),
                    line.method,
                    alpha,
                    epochs,
                    *cells,
                    spread,
                    _weights(net, entry is not None),
                ]
            )
    return markdown(["model", "method", "alpha", "epoch", *METRICS, "searched F1", "weights"], rows)


def table_2(kept: Mapping[float, Mapping[str, int]], rare: Sequence[str]) -> str:
    """Return table 2: the paper's counts, and ours of as many classes as there are."""
    rows = []
    for rho, counts in TABLE_2.items():
        ours = kept[rho]
        names = [*rare, *(name for name in ours if name not in rare)]
        numbers = [*counts, sum(counts), *(ours[name] for name in names), sum(ours.values())]
        rows.append([f"{rho:.2f} / {ratio(ours):.2f}", *map(str, numbers)])
    names = [*rare, *(name for name in kept[OWN_RATIO] if name not in rare)]
    return markdown(["rho (paper / ours)", "codocyte", "hypochromia", "normal", "in all", *names, "in all"], rows)


def table_3(nets: Mapping[str, Network], found: Found) -> str:
    """Return table 3, the ratios below each other."""
    rows = []
    for name, net in nets.items():
        sweep = found.sweeps.get(name)
        for i, rho in enumerate(TABLE_3):
            cells = []
            for loss in (FOCAL, CROSS_ENTROPY):
                scores = TABLE_3[rho][name][loss] if name in MODELS else (None,) * 3
                for value, metric in zip(scores, METRICS.values(), strict=True):
                    cells.append(_pair(value, _at(sweep, found, name, loss, metric, i), metric))
            own = MISSING if sweep is None else f"{sweep.rhos[i]:.2f}"
            rows.append([MODELS.get(name, f"*{name}*"), f"{rho:.2f} / {own}", *cells, _weights(net, sweep is not None)])
    heads = [f"{loss.split()[0].lower()}: {metric}" for loss in (FOCAL, CROSS_ENTROPY) for metric in METRICS]
    return markdown(["model", "rho", *heads, "weights"], rows)


def sweep_lines(found: Found, name: str) -> list[str]:
    """Return what the tests of a sweep say."""
    sweep = found.sweeps[name]
    rows = []
    for endpoint in (sweep.primary, *(Endpoint("recall", one) for one in sweep.settings.minority)):
        for point in sweep.differences(f"focal:alpha={found.alpha(name):g}", name, endpoint):
            what = endpoint.metric + (f" of {endpoint.class_name}" if endpoint.class_name else "")
            gap = f"{signed(point.value)} ({signed_ends(point.interval)})"
            p = MISSING if point.p is None else p_value(point.p)
            rows.append([f"{point.rho:.3g}", what, gap, p, "yes" if point.shown else "no"])
    head = ["rho", "endpoint", "focal minus cross-entropy (95%)", "p (Holm, all ratios)", "shown"]
    return [
        f"{name}: {sweep_verdict(sweep)}",
        "",
        *(f"- {line}" for line in sweep_findings(sweep)),
        "",
        markdown(head, rows),
        "",
    ]


def figure_13(found: Found) -> str:
    """Return figure 13: the paper's from its table 3, and ours."""
    ours = our_improvement(found)
    rows = [
        [
            f"{rho:.2f}",
            *(
                f"{paper:+.1f} / {_signed(gain)}"
                for paper, gain in zip(relative_improvement(rho), ours[i], strict=True)
            ),
        ]
        for i, rho in enumerate(TABLE_3)
    ]
    return markdown(["rho", *METRICS], rows)


def our_improvement(found: Found) -> list[list[float | None]]:
    """Return by ratio what the focal loss adds to each figure in percent of cross-entropy, mean of our networks."""
    table: list[list[float | None]] = []
    for i in range(len(TABLE_3)):
        row: list[float | None] = []
        for metric in METRICS.values():
            gains = []
            for name, sweep in found.sweeps.items():
                pair = [_at(sweep, found, name, loss, metric, i) for loss in (FOCAL, CROSS_ENTROPY)]
                values = [point.value for point in pair if point is not None]
                if len(values) == 2 and values[1]:
                    gains.append(100 * (values[0] - values[1]) / values[1])
            row.append(float(np.mean(gains)) if gains else None)
        table.append(row)
    return table


def draw(asked: Options, found: Found) -> None:
    """Write figures 10 to 12 of every network, and figure 13, as SVG."""
    results = found.table_1
    for name in found.sweeps:
        arms = [NONE, f"focal:alpha={found.alpha(name):g}"]
        write_chart(asked.out / f"roc_{name}.svg", roc_chart(results, name, arms))
        for arm in arms:
            short = "focal" if arm != NONE else NONE
            write_chart(asked.out / f"confusion_{name}_{short}.svg", confusion(results, arm, name))
        curves = curves_of(results, name, arms)
        colors = {arm: mark.color for arm, mark in zip(curves, arm_marks(results, list(curves)), strict=True)}
        write_chart(asked.out / f"loss_{name}.svg", curve_chart(curves, "loss", colors))
    ours = our_improvement(found)
    lines: dict[str, list[tuple[float, float]]] = {}
    for i, rho in enumerate(TABLE_3):
        for m, metric in enumerate(METRICS):
            metric = metric.removesuffix(" (%)")
            lines.setdefault(f"paper: {metric}", []).append((rho, relative_improvement(rho)[m]))
            gain = ours[i][m]
            if gain is not None:
                lines.setdefault(f"ours: {metric}", []).append((rho, gain))
    write_chart(asked.out / "improvement.svg", improvement_chart(lines))


def _at(sweep: ImbalanceSweep | None, found: Found, name: str, loss: str, metric: str, i: int) -> Point | None:
    """Return our figure at the i-th ratio; None where there is none."""
    if sweep is None:
        return None
    arm = NONE if loss == CROSS_ENTROPY else f"focal:alpha={found.alpha(name):g}"
    return next((p for p in sweep.curve(arm, name, Endpoint(metric)) if p.rho == sweep.rhos[i]), None)


def _pair(paper: float | None, ours: Any, metric: str) -> str:
    """Return the paper's figure beside ours: accuracy in percent, others as shares."""
    scale, digits = (100, 1) if metric == "accuracy" else (1, 2)
    first = MISSING if paper is None else f"{paper:.2f}"
    if ours is None or ours.value is None:
        return f"{first} / {MISSING}"
    ends = "" if ours.interval is None else " ({:.{d}f}-{:.{d}f})".format(*(scale * e for e in ours.interval), d=digits)
    return f"{first} / {scale * ours.value:.{digits}f}{ends}"


def _weights(net: Network, was_trained: bool) -> str:
    return net.weights or ("from scratch" if was_trained else "")


def _spread(one: OverFolds) -> str:
    if one.mean is None:
        return MISSING
    return f"{one.mean:.2f}" + ("" if one.sd is None else f" ± {one.sd:.2f}")


def _signed(value: float | None) -> str:
    return MISSING if value is None else f"{value:+.1f}"


if __name__ == "__main__":
    main()
