"""What `generate` and `balance` say when they end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gansynth.files.names import shown


@dataclass(frozen=True)
class ClassReport:
    """One class of a generation.

    Attributes
    ----------
    name : str
    asked, written : int
        Images asked for, images written.
    tries : int
        Images generated and looked at.
    rejected : int
        Of these, not seen as the class by the independent classifier, or not surely enough.
    copies : int
        Of these, left out as near copies of a training image.
    broken : int
        Of these, left out as farther from every training image than real cells are.
    """

    name: str
    asked: int
    written: int = 0
    tries: int = 0
    rejected: int = 0
    copies: int = 0
    broken: int = 0

    @property
    def left_out(self) -> str:
        """What was left out and why, in words."""
        return (
            f"{self.rejected} not seen as the class, {self.copies} near copies of training images, "
            f"{self.broken} broken (unlike any real cell)"
        )

    @property
    def acceptance(self) -> float:
        """Share of tries that were kept, 0..1; NaN before the first."""
        return self.written / self.tries if self.tries else float("nan")

    def to_json(self) -> dict[str, int]:
        """Return the counts as plain values for JSON."""
        found = asdict(self)
        del found["name"]
        return found


@dataclass(frozen=True)
class GenerationReport:
    """What a generation wrote.

    Attributes
    ----------
    out : pathlib.Path
    model : str
        Name of the run.
    model_sha256 : str
    classes : tuple of ClassReport
        In the order asked for.
    already_complete : bool
        True where a resume found everything done; tries, rejected and copies are not known then (0).
    """

    out: Path
    model: str
    model_sha256: str
    classes: tuple[ClassReport, ...]
    already_complete: bool = False

    @property
    def complete(self) -> bool:
        """Whether every class has all images that were asked for."""
        return all(c.written >= c.asked for c in self.classes)

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "folder": shown(self.out),
            "model": self.model,
            "model_sha256": self.model_sha256,
            "classes": {one.name: one.to_json() for one in self.classes},
            "already_complete": self.already_complete,
            "complete": self.complete,
        }

    def __repr__(self) -> str:
        written, asked = (sum(counts) for counts in zip(*((c.written, c.asked) for c in self.classes), strict=True))
        return f"GenerationReport({written} of {asked} images of {len(self.classes)} classes in {self.out})"

    def __str__(self) -> str:
        if self.already_complete:
            return f"{self.out}: already complete, {sum(c.written for c in self.classes)} images; nothing to do"
        lines = []
        for c in self.classes:
            line = f"{c.name}: {c.written} of {c.asked} images"
            if c.tries > c.written:
                line += f", {c.tries} tries ({c.acceptance:.1%} kept; left out: {c.left_out})"
            if c.written < c.asked:
                line += "; stopped at the limit of tries"
            lines.append(line)
        return "\n".join(lines)


@dataclass(frozen=True)
class BalanceReport:
    """What `balance` wrote.

    Attributes
    ----------
    out : pathlib.Path
    target : int
        Images wanted in every class of the training split.
    before, after : dict of str to int
        Training images per class.
    held_out : dict of str to int
        Validation and test images per class, all as they were.
    generation : GenerationReport or None
        How the synthetic ones came about; None where no class needed any.
    """

    out: Path
    target: int
    before: dict[str, int]
    after: dict[str, int]
    held_out: dict[str, int]
    generation: GenerationReport | None

    @property
    def complete(self) -> bool:
        """Whether every class reached the target."""
        return all(n >= self.target for n in self.after.values())

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        made = self.generation
        tried = {} if made is None else {one.name: one for one in made.classes}
        classes = {}
        for name, n in self.before.items():
            one = tried.get(name, ClassReport(name, 0)).to_json()
            del one["asked"], one["written"]
            synthetic, held_out = self.after[name] - n, self.held_out[name]
            counts = {"before": n, "synthetic": synthetic, "after": self.after[name], "held_out": held_out}
            classes[name] = counts | one
        return {
            "folder": shown(self.out),
            "model": None if made is None else made.model,
            "model_sha256": None if made is None else made.model_sha256,
            "target": self.target,
            "classes": classes,
            "already_complete": made is not None and made.already_complete,
            "complete": self.complete,
        }

    def __repr__(self) -> str:
        added = sum(self.after.values()) - sum(self.before.values())
        return f"BalanceReport({added} synthetic images added, target {self.target}, in {self.out})"

    def __str__(self) -> str:
        width = max(len(name) for name in (*self.before, "class"))
        lines = [f"{'class':{width}}  training before  synthetic  training after  val + test (real)"]
        for name, n in self.before.items():
            added = self.after[name] - n
            lines.append(f"{name:{width}}  {n:15d}  {added:9d}  {self.after[name]:14d}  {self.held_out[name]:17d}")
        if self.generation is not None:
            short = [c for c in self.generation.classes if c.tries > c.written]
            lines += [
                f"{c.name}: {c.written} of {c.asked} kept in {c.tries} tries (left out: {c.left_out})" for c in short
            ]
        if not self.complete:
            lines.append(f"not every class reached {self.target}: the limit of tries was met first")
        return "\n".join(lines)
