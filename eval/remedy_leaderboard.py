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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gansynth.errors import InputError
from gansynth.files.atomic import write_json, write_text
from gansynth.metrics.wording import signed, signed_ends
from gansynth.remedies.arm import NONE
from gansynth.report.comparison.leaderboard import leaderboard_chart
from gansynth.studies.comparison.entries import Standing
from gansynth.studies.comparison.leaderboard import MARGIN
from gansynth.studies.comparison.result import Comparison
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
    found = [Comparison.read(folder) for folder in folders]
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


def board(results: Comparison, classifier: str) -> dict[str, Standing]:
    """Return the ranked arms of a classifier, best first."""
    entries = results.standings(classifier)
    if len(entries) < 2:
        raise InputError(
            f"{results.folder}: ranks no remedies of {classifier}; it has {', '.join(results.classifiers)}"
        )
    return {entry.arm: entry for entry in entries}


def facts(results: Comparison) -> str:
    """Return what a comparison was, in a sentence."""
    about = results.about
    return (
        f"{len(results.class_names)} classes at {about.size} px; {sum(about.training_counts.values()):,} real training "
        f"images ({_rarity(results, ', ')} by --rarity), {sum(about.test_counts.values()):,} tested; "
        f"{about.folds} fold(s), {len(about.seeds)} seed(s)."
    )


def table(found: Sequence[Comparison], boards: Sequence[dict[str, Standing]], classifier: str) -> str:
    """Return the remedies, best first, with their figures in each comparison."""
    arms = list(dict.fromkeys(arm for ranked in boards for arm in ranked))
    head, rows = ["remedy"], [[f"`{arm}`"] for arm in arms]
    for results, ranked in zip(found, boards, strict=True):
        first = results.about.rare[0]
        what = f" ({_rarity(results, ', ')})" if len(found) > 1 else ""
        head += [f"rare, at no loss{what}", "rare, as trained", f"{first}s", "others", "macro F1"]
        for row, arm in zip(rows, arms, strict=True):
            row += _cells(results, ranked.get(arm), classifier, first)
    return markdown(head, rows)


def _cells(results: Comparison, entry: Standing | None, classifier: str, first: str) -> list[str]:
    if entry is None:
        return [MISSING] * 5
    arm, reached, gap = results.entry(entry.arm, classifier), share(entry.at_no_loss), entry.elsewhere_effect
    if entry.p_holm is not None and entry.p_holm < 0.05:
        reached = f"**{reached}**"
    others = MISSING
    if gap is not None:
        others = signed(gap.value, 3) + (f" ({signed_ends(gap.interval, 3)})" if gap.interval else "")
    return [reached, share(entry.rare), share(figure(arm, "recall", first)), others, share(figure(arm, "macro-F1"), 3)]


def _rarity(results: Comparison, between: str) -> str:
    held = results.about.rarity
    return between.join(f"{name} {n}" if between != "_" else f"{name}{n}" for name, n in held.items()) or "as it is"


def _kept(results: Comparison, ranked: dict[str, Standing]) -> dict[str, Any]:
    wanted = ("classes", "counts", "rarity", "folds", "seeds", "size", "command")
    about = {key: value for key, value in results.about.to_json().items() if key in wanted}
    return {"about": about, "leaderboard": [one.to_json() for one in ranked.values()]}


def _best_classifier(results: Comparison) -> str:
    known = {e.classifier: figure(e, "macro-F1") for e in results.arms if e.arm == NONE}
    scores = {name: one.value for name, one in known.items() if one is not None and one.value is not None}
    if not scores:
        raise InputError(f"{results.folder}: has no arm '{NONE}' to hold the remedies against")
    return max(scores, key=lambda name: scores[name])


if __name__ == "__main__":
    main()
