"""The remedies side by side: which lets a classifier recognise most cells of the rare classes, and what does it cost?

Takes one comparison or several of the same data that differ in how rare a class was made, and ranks the remedies of one
classifier by the mean recall of the rare classes where the other classes lose no more than 0.02 of theirs.

    gansynth compare pbc --remedies none,augmentation,... --rarity promyelocyte=40 --folds 2 --seeds 3 --out rare40
    gansynth compare pbc --remedies none,augmentation,... --rarity promyelocyte=100 --folds 2 --seeds 3 --out rare100
    python eval/remedy_leaderboard.py rare40 rare100 --classifier sequential-cnn --out DIR

Writes table.md, figures.json and leaderboard_*.svg, one for each comparison.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gansynth.atomic import write_json, write_text
from gansynth.errors import InputError
from gansynth.metrics.estimate import Estimate
from gansynth.report.comparison_figures import signed, signed_ends
from gansynth.report.comparison_folder import NONE, ComparisonResults, read_comparison_folder
from gansynth.report.comparison_leaderboard import leaderboard_chart, ranked_arms
from gansynth.studies.comparison_leaderboard import MARGIN
from paper_arms import write_chart
from paper_study import MISSING, figure, markdown, share

LEGEND = f"""\
At no loss: mean recall of the rare classes where the mean recall of the others is {MARGIN:g} below that of `{NONE}`, by
multiplying the probabilities of the rare classes by one factor; bold where the difference from `{NONE}`, which gets
the factor too, is shown (p below 0.05 after Holm's correction); a dash where more is lost even if no cell is called
rare. The factor is found on the test images, as sensitivity at a fixed specificity is: a point of a curve, not of a
rule that was fixed before. As trained: mean recall of the rare classes, and the change in that of the others. 95%
intervals over test images, trainings and folds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparisons", type=Path, nargs="+", help="folders of `gansynth compare`; the first one ranks")
    parser.add_argument("--classifier", default="", help="default: the one best with the original data")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    try:
        study(options.comparisons, options.out, options.classifier)
    except InputError as error:
        sys.exit(f"error: {error}")


def study(folders: Sequence[Path], out: Path, classifier: str = "") -> None:
    """Write and print the ranked remedies of comparisons."""
    found = [read_comparison_folder(folder) for folder in folders]
    chosen = classifier or _best_classifier(found[0])
    boards = [board(results, chosen) for results in found]
    text = "\n\n".join(
        [
            f"# The remedies, ranked: {chosen}",
            *(facts(results) for results in found),
            table(found, boards, chosen),
            LEGEND,
        ]
    )
    print(text)
    write_text(out / "table.md", text + "\n")
    write_json(
        out / "figures.json",
        {"classifier": chosen, "comparisons": [_kept(r, b) for r, b in zip(found, boards, strict=True)]},
    )
    for results in found:
        place = out / f"leaderboard_{_rarity(results, '_').replace(' ', '_')}.svg"
        write_chart(place, leaderboard_chart(results, chosen))


def board(results: ComparisonResults, classifier: str) -> dict[str, Mapping[str, Any]]:
    """Return the ranked arms of a classifier, best first."""
    entries = ranked_arms(results, classifier)
    if len(entries) < 2:
        raise InputError(
            f"{results.folder}: ranks no remedies of {classifier}; it has {', '.join(results.classifiers)}"
        )
    return {entry["arm"]: entry for entry in entries}


def facts(results: ComparisonResults) -> str:
    """Return what a comparison was, in a sentence."""
    about = results.about
    counts = about["counts"]
    return (
        f"{len(results.class_names)} classes at {about['size']} px; {sum(counts['train'].values()):,.0f} real training "
        f"images ({_rarity(results, ', ')} by --rarity), {sum(counts['test'].values()):,.0f} tested; "
        f"{about['folds'] or 1} fold(s), {len(about['seeds'])} seed(s)."
    )


def table(found: Sequence[ComparisonResults], boards: Sequence[dict[str, Mapping[str, Any]]], classifier: str) -> str:
    """Return the remedies, best first, with their figures in each comparison."""
    arms = list(dict.fromkeys(arm for ranked in boards for arm in ranked))
    head, rows = ["remedy"], [[f"`{arm}`"] for arm in arms]
    for results, ranked in zip(found, boards, strict=True):
        first = results.rare[0]
        what = f" ({_rarity(results, ', ')})" if len(found) > 1 else ""
        head += [f"rare, at no loss{what}", "rare, as trained", f"{first}s", "others", "macro F1"]
        for row, arm in zip(rows, arms, strict=True):
            row += _cells(results, ranked.get(arm), classifier, first)
    return markdown(head, rows)


def _cells(results: ComparisonResults, entry: Mapping[str, Any] | None, classifier: str, first: str) -> list[str]:
    if entry is None:
        return [MISSING] * 5
    arm = results.entry(entry["arm"], classifier)
    reached = MISSING if entry["at_no_loss"] is None else share(Estimate.from_json(entry["at_no_loss"]))
    gained, gap = entry["at_no_loss_effect"], entry["elsewhere_effect"]
    if gained is not None and gained["p_holm"] is not None and gained["p_holm"] < 0.05:
        reached = f"**{reached}**"
    others = MISSING
    if gap is not None:
        interval = "" if gap["interval"] is None else f" ({signed_ends(tuple(gap['interval']), 3)})"
        others = f"{signed(gap['value'], 3)}{interval}"
    rare = share(Estimate.from_json(entry["rare"]))
    return [reached, rare, share(figure(arm, "recall", first)), others, share(figure(arm, "macro-F1"), 3)]


def _rarity(results: ComparisonResults, between: str) -> str:
    held = results.about.get("rarity") or {}
    return between.join(f"{name} {n}" if between != "_" else f"{name}{n}" for name, n in held.items()) or "as it is"


def _kept(results: ComparisonResults, ranked: dict[str, Mapping[str, Any]]) -> dict[str, Any]:
    about = {
        key: results.about.get(key) for key in ("classes", "counts", "rarity", "folds", "seeds", "size", "command")
    }
    return {"about": about, "leaderboard": list(ranked.values())}


def _best_classifier(results: ComparisonResults) -> str:
    known = {e.classifier: figure(e, "macro-F1") for e in results.arms if e.arm == NONE}
    scores = {name: one.value for name, one in known.items() if one is not None and one.value is not None}
    if not scores:
        raise InputError(f"{results.folder}: has no arm '{NONE}' to hold the remedies against")
    return max(scores, key=lambda name: scores[name])


if __name__ == "__main__":
    main()
