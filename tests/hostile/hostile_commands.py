"""Command lines about hostile inputs: one function for each kind, which puts the inputs into a folder and returns what
is typed. Every command and every file format that is read has its place in `COMMANDS`."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import hostile_inputs as hostile

from gansynth.cli import gansynth

Rng = random.Random
CPU = ["--device", "cpu"]
SMALL = ["--size", "16", "--jobs", "1", "--set", "classical.components=4", *CPU]
COMPARE = ["--remedies", "none", "--classifiers", "naive-bayes", "--seeds", "1", *SMALL]


@dataclass(frozen=True)
class Made:
    """What the commands left in peace, to be copied and spoiled. Do not change it.

    Attributes
    ----------
    cells : pathlib.Path
        Three classes of phantom cells with a split.
    classifier, gan : pathlib.Path
        Runs.
    generating, naturalizing : pathlib.Path
        Folders that `generate` and `naturalize` had not finished.
    compared : pathlib.Path
        A comparison of one arm.
    quiz : pathlib.Path
        With key.csv and answers.csv.
    """

    cells: Path
    classifier: Path
    gan: Path
    generating: Path
    naturalizing: Path
    compared: Path
    quiz: Path


def data_set(rng: Rng, place: Path) -> str:
    paths = hostile.tree(rng, place / "data")
    hostile.spoil(rng, place / "data", paths)
    return str(place / "data")


def laboratory(rng: Rng, place: Path, made: Made) -> list[str]:
    """What a laboratory may have, and what it would do with it."""
    data, out = place / "data", str(place / "out")
    hostile.disorder(rng, data)
    typed = rng.choice(
        [
            ["data", "info", str(data)],
            ["data", "split", str(data), *rng.choice([[], ["--group", "patient"]])],
            ["data", "dedupe", str(data), out],
            ["data", "import", "--source", f"folders={data}", out],
            ["sheet", str(data), "--out", f"{out}/s.png"],
            ["compare", str(data), *COMPARE, "--out", out],
            ["train-classifier", str(data), "--recipe", str(made.classifier / "recipe.yaml"), "--epochs", "1",
             "--out", out, *CPU],
            ["balance", str(data), str(made.gan), "--target", "5", "--out", out, *CPU],
        ]
    )  # fmt: skip
    return [*rng.choice([[], [], ["--unmatched", "ignore"]]), *typed]


def cells(rng: Rng, place: Path, made: Made) -> str:
    """A whole data set more often than one that is spoiled."""
    return rng.choice([str(made.cells), str(made.cells), data_set(rng, place)])


def spoiled(rng: Rng, whole: Path, copy: Path, suffixes: str = ".json .jsonl .yaml .csv .safetensors .npz") -> Path:
    """Copy a folder and spoil one file of it."""
    shutil.copytree(whole, copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.suffix in suffixes.split())
    hostile.spoil_file(rng, rng.choice(files))
    return copy


def spoiled_or_whole(rng: Rng, whole: Path, copy: Path) -> str:
    return str(spoiled(rng, whole, copy) if rng.random() < 0.7 else whole)


def strange_out(rng: Rng, place: Path) -> str:
    """Where something shall be written: mostly a new folder, sometimes something that is in the way."""
    if rng.random() < 0.15:
        hostile.strange_file(rng, place / "out", ("pipe", "zero", "socket", "dangling", "itself", "folder", "empty"))
    return rng.choice([str(place / "out")] * 6 + [f"{place}/out/{rng.choice(hostile.NAMES)}/out"])


def pictures(rng: Rng, place: Path) -> list[str]:
    (place / "pictures").mkdir()
    found = []
    for k in range(rng.randrange(1, 4)):
        path = place / "pictures" / f"{k}.png"
        if rng.random() < 0.3:
            hostile.strange_file(rng, path)
        else:
            path.write_bytes(
                hostile.strange_picture(rng) if rng.random() < 0.6 else hostile.encoded(rng, "PNG", 20, 20)
            )
        found.append(str(path))
    return rng.choice([found, [str(place / "pictures")], [*found, str(place / "absent.png")]])


def info(rng: Rng, place: Path, _: Made) -> list[str]:
    return ["data", "info", data_set(rng, place), *rng.choice([[], ["--json"]])]


def dedupe(rng: Rng, place: Path, _: Made) -> list[str]:
    return ["data", "dedupe", data_set(rng, place), strange_out(rng, place)]


def split(rng: Rng, place: Path, made: Made) -> list[str]:
    options = rng.choice(
        [[], ["--force"], ["--test", "0.5", "--val", "0"], ["--group", "patient"], ["--test", "nan"],
         ["--seen-by", spoiled_or_whole(rng, made.gan, place / "run")]]
    )  # fmt: skip
    return [*rng.choice([[], ["--unmatched", "ignore"]]), "data", "split", data_set(rng, place), *options]


def imported(rng: Rng, place: Path, _: Made) -> list[str]:
    kind = rng.choice(["folders", "folders", "folders", "pbc", "munich", "bone-marrow", "bloodmnist"])
    if kind == "bloodmnist":
        (place / "x.npz").write_bytes(rng.randbytes(100))
        if rng.random() < 0.5:
            hostile.strange_file(rng, place / "x.npz")
        return ["data", "import", "--source", f"{kind}={place / 'x.npz'}", str(place / "out")]
    scheme = rng.choice([[], ["--classes", "8"]])
    return ["data", "import", "--source", f"{kind}={data_set(rng, place)}", strange_out(rng, place), *scheme]


def crop(rng: Rng, place: Path, _: Made) -> list[str]:
    fields = place / "fields"
    fields.mkdir()
    for k in range(rng.randrange(1, 3)):
        data = hostile.strange_picture(rng) if rng.random() < 0.3 else hostile.encoded(rng, "PNG", 96, 96)
        (fields / f"{k}.png").write_bytes(data)
        annotation = fields / f"{k}{rng.choice(['.xml', '.XML'])}"
        if rng.random() < 0.2:
            hostile.strange_file(rng, annotation)
        else:
            annotation.write_bytes(hostile.strange_voc(rng))
    boxes = rng.choice([["--boxes", "drawn"], ["--boxes", "drawn"], ["--finder", "classical"]])
    diameter = rng.choice(["40", "40", "40", "4", "nan", "4000"])
    return ["data", "crop", str(fields), str(place / "out"), "--cell-diameter", diameter, "--size", "32", *boxes]


def nuclei(rng: Rng, place: Path, _: Made) -> list[str]:
    return ["data", "nuclei", data_set(rng, place), "--out", strange_out(rng, place), "--size", "32", "--jobs", "1"]


def classify(rng: Rng, place: Path, made: Made) -> list[str]:
    run = spoiled_or_whole(rng, made.classifier, place / "run")
    return ["classify", run, *pictures(rng, place), *rng.choice([[], ["--json"], ["--calibrated"]])]


def explain(rng: Rng, place: Path, made: Made) -> list[str]:
    run = spoiled_or_whole(rng, made.classifier, place / "run") if rng.random() < 0.4 else str(made.classifier)
    more = rng.choice([[], ["--class", rng.choice(hostile.NAMES)], ["--before", str(made.gan)]])
    return ["explain", run, *pictures(rng, place), "--out", strange_out(rng, place), *more]


def recipe(rng: Rng, place: Path, made: Made) -> list[str]:
    file = place / "r.yaml"
    command, run = rng.choice([("train-classifier", made.classifier), ("train-gan", made.gan)])
    if rng.random() < 0.3:
        hostile.strange_file(rng, file)
    else:
        file.write_bytes(hostile.strange_yaml(rng, (run / "recipe.yaml").read_text(encoding="utf-8")))
    change = rng.choice([[], ["--set", "training.epochs=!!timestamp x"], ["--set", "=3"], ["--set", "name=../../x"]])
    return [command, str(place / "absent"), "--recipe", str(file), "--out", str(place / "out"), *change]


def generate(rng: Rng, place: Path, made: Made) -> list[str]:
    run = spoiled_or_whole(rng, made.gan, place / "run")
    name = rng.choice(["basophil=2", "basophil=2", "basophil", "lymphocyte", *hostile.NAMES])
    count = rng.choice(["2", "2", "2", *hostile.NUMBERS])
    more = rng.choice([[], ["--min-confidence", "0"], ["--truncation", "0"], ["--resume"]])
    return ["generate", run, "--class", name, "--count", count, "--out", strange_out(rng, place), *more, *CPU]


def generate_on(rng: Rng, place: Path, made: Made) -> list[str]:
    out = spoiled(rng, made.generating, place / "out")
    return ["generate", str(made.gan), "--class", "basophil=4", "--out", str(out), "--resume", *CPU]


def balance(rng: Rng, place: Path, made: Made) -> list[str]:
    run = spoiled_or_whole(rng, made.gan, place / "run")
    target = rng.choice(["max", "9", "9", *hostile.NUMBERS])
    return ["balance", cells(rng, place, made), run, "--target", target, "--out", strange_out(rng, place), *CPU]


def naturalize(rng: Rng, place: Path, made: Made) -> list[str]:
    name = rng.choice(["basophil=1", "basophil=1", "basophil", *hostile.NAMES])
    return ["naturalize", cells(rng, place, made), "--class", name, "--out", strange_out(rng, place), *CPU]


def naturalize_on(rng: Rng, place: Path, made: Made) -> list[str]:
    out = spoiled(rng, made.naturalizing, place / "out")
    return ["naturalize", str(made.cells), "--class", "basophil=2", "--out", str(out), "--resume", *CPU]


def train_gan_on(rng: Rng, place: Path, made: Made) -> list[str]:
    out = spoiled(rng, made.gan, place / "out")
    return ["train-gan", str(made.cells), "--out", str(out), "--resume", "--steps", "2", *CPU]


def train_gan_from(rng: Rng, place: Path, made: Made) -> list[str]:
    parent = str(spoiled(rng, made.gan, place / "run"))
    return [
        "train-gan", cells(rng, place, made), "--from", parent, "--steps", "1", "--out", strange_out(rng, place), *CPU,
        "--set", "reports.classifier_images=64",
    ]  # fmt: skip


def train_classifier_on(rng: Rng, place: Path, made: Made) -> list[str]:
    out = spoiled(rng, made.classifier, place / "out")
    return ["train-classifier", cells(rng, place, made), "--out", str(out), "--resume", "--epochs", "1", *CPU]


def train_classifier(rng: Rng, place: Path, made: Made) -> list[str]:
    small = ["--recipe", str(made.classifier / "recipe.yaml"), "--epochs", "1"]
    return ["train-classifier", data_set(rng, place), *small, "--out", strange_out(rng, place), *CPU]


def export(rng: Rng, place: Path, made: Made) -> list[str]:
    form = rng.choice([[], [], ["--format", "torchscript"]])
    run = spoiled_or_whole(rng, rng.choice([made.gan, made.classifier]), place / "run")
    return ["export", run, "--out", strange_out(rng, place), *form]


def walk(rng: Rng, place: Path, made: Made) -> list[str]:
    names = rng.choice(["basophil", "basophil,lymphocyte", ",", *hostile.NAMES])
    run = spoiled_or_whole(rng, made.gan, place / "run")
    return ["walk", run, "--classes", names, "--steps", "2", "--cells", "2", "--out", f"{place}/out/w.gif", *CPU]


def sheet(rng: Rng, place: Path, made: Made) -> list[str]:
    beside = rng.choice([[], ["--beside", str(made.cells)], ["--beside", str(made.cells), "--pairs"]])
    sort = ["--sort", rng.choice(["name", "random", "confidence", "nearest"])]
    return ["sheet", data_set(rng, place), *beside, *sort, "--out", f"{place}/out/s.png"]


def quiz(rng: Rng, place: Path, made: Made) -> list[str]:
    (place / "made").mkdir()
    return ["quiz", cells(rng, place, made), data_set(rng, place / "made"), "--out", strange_out(rng, place)]


def quiz_score(rng: Rng, place: Path, made: Made) -> list[str]:
    held = spoiled(rng, made.quiz, place / "quiz", ".csv")
    return ["quiz", "--score", str(held / "answers.csv"), *rng.choice([[], ["--json"], ["--key", str(made.quiz)]])]


def quality(rng: Rng, place: Path, _: Made) -> list[str]:
    (place / "synthetic").mkdir()
    return ["quality", data_set(rng, place), data_set(rng, place / "synthetic"), *CPU]


def compare_on(rng: Rng, place: Path, made: Made) -> list[str]:
    out = spoiled(rng, made.compared, place / "out")
    return ["compare", str(made.cells), *COMPARE, "--out", str(out), "--resume"]


def compare(rng: Rng, place: Path, made: Made) -> list[str]:
    tree = place / "tree.yaml"
    tree.write_bytes(hostile.strange_yaml(rng, "white:\n- basophil\n- lymphocyte\nred: [eosinophil]\n"))
    if rng.random() < 0.2:
        hostile.strange_file(rng, tree)
    more = rng.choice([["--tree", str(tree)], ["--tree", str(tree)], []])
    return ["compare", data_set(rng, place), *COMPARE, *more, "--out", strange_out(rng, place)]


def sweep(rng: Rng, place: Path, _: Made) -> list[str]:
    ratios = ["--ratios", rng.choice(["1", "1,2", "1,2", *hostile.NUMBERS]), "--minority", "basophil"]
    return ["sweep", data_set(rng, place), *COMPARE, *ratios, "--out", strange_out(rng, place)]


def search_remedy(rng: Rng, place: Path, _: Made) -> list[str]:
    asked = ["--remedy", rng.choice(["oversample", "smote", "undersample"]), "--classifier", "naive-bayes"]
    folds = ["--folds", rng.choice(["2", "2", "3", "99"])]
    return ["search-remedy", data_set(rng, place), *asked, *folds, *SMALL, "--out", strange_out(rng, place)]


def benchmark(rng: Rng, place: Path, made: Made) -> list[str]:
    run = spoiled_or_whole(rng, made.gan, place / "run")
    asked = ["--recipes", run, "--count", "2", "--size", "16"]
    return ["benchmark", data_set(rng, place), *asked, "--out", strange_out(rng, place), *CPU]


def weights(rng: Rng, place: Path, _: Made) -> list[str]:
    file = place / rng.choice(["alexnet-owt-7be5be79.pth", "x.pth"])
    file.write_bytes(rng.randbytes(50))
    if rng.random() < 0.7:
        hostile.strange_file(rng, file)
    return ["weights", "--check", str(rng.choice([file, place]))]


def review(rng: Rng, place: Path, made: Made) -> list[str]:
    marks = place / "marks.csv"
    marks.write_bytes(hostile.strange_table(rng, ["basophil/basophil_0001.png"], "class", ["basophil", "", "x"]))
    if rng.random() < 0.2:
        hostile.strange_file(rng, marks)
    more = rng.choice([[], ["--apply", str(marks)], ["--apply", str(marks)], ["--class", rng.choice(hostile.NAMES)]])
    return ["data", "review", data_set(rng, place), *more, "--out", strange_out(rng, place)]


def config(rng: Rng, place: Path, made: Made) -> list[str]:
    """Options from a file."""
    file = place / "options.yaml"
    file.write_bytes(hostile.strange_yaml(rng, "class: [basophil]\ncount: 2\nseed: 3\ntruncation: 0.5\n"))
    if rng.random() < 0.2:
        hostile.strange_file(rng, file)
    return ["generate", str(made.gan), "--config", str(file), "--out", str(place / "out"), *CPU]


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        return [found for name, one in command.commands.items() for found in _leaves(one, (*path, name))]
    return [(path, command)]


TYPED = _leaves(gansynth)
ENDLESS = ("models", "doctor", "demo", "phantom")
"""What needs no data, so that nothing absent stops it."""


REQUIRED = {
    "--class": "basophil", "--source": "folders=absent", "--recipes": "c-wgan-gp", "--remedies": "none",
    "--remedy": "oversample", "--classes": "basophil",
}  # fmt: skip


def with_a_nul(place: Path) -> Iterator[list[str]]:
    """Every command with a NUL in one argument, or in the value of one option that is a name; what else it needs is
    not there."""
    for path, command in TYPED:
        needed = [one for one in command.params if one.required or (isinstance(one, click.Argument) and one.nargs != 1)]
        named = [one for one in command.params if isinstance(one.type, (click.Path, click.types.StringParamType))]
        for chosen in named:
            if isinstance(chosen, click.Argument) and chosen not in needed:
                continue
            typed = [*path]
            for one in [*needed, *({chosen} - {*needed})]:
                name = [] if isinstance(one, click.Argument) else [one.opts[0]]
                absent = str(place / "out") if one.name == "out" else REQUIRED.get(one.opts[0], str(place / "absent"))
                typed += [*name, "\0" if one is chosen else absent]
            yield typed


def options(rng: Rng, place: Path, made: Made) -> list[str]:
    """Any command with one to three of its options set to numbers, names and paths that nobody means."""
    path, command = rng.choice([(path, one) for path, one in TYPED if path[-1] not in ENDLESS])
    typed: list[str] = [*path]
    absent = str(place / "absent")
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and (parameter.required or parameter.nargs != 1):
            typed.append(str(place / "out") if parameter.name == "out" else rng.choice([absent, absent, "\0"]))
    chosen = [one for one in command.params if isinstance(one, click.Option)]
    known = {one.opts[0]: one for one in chosen}
    given = rng.sample(sorted(known), min(len(known), rng.randrange(1, 4)))
    if "--out" in known and "--out" not in given:
        typed += ["--out", str(place / "out")]
    for name, value in REQUIRED.items():
        if name in known and known[name].required and name not in given:
            typed += [name, value]
    for name in given:
        typed += _hostile_value(rng, place, made, known[name])
    return typed


def _hostile_value(rng: Rng, place: Path, made: Made, option: click.Option) -> list[str]:
    name = option.opts[0]
    if option.is_flag:
        return [name]
    if name in ("--out", "--detector", "--super-resolution"):
        return [name, strange_out(rng, place) if name == "--out" else str(place / "absent")]
    if isinstance(option.type, click.Path):
        hostile.strange_file(rng, place / "given")
        return [name, str(place / "given")]
    if isinstance(option.type, click.Choice):
        return [name, rng.choice([*option.type.choices, *hostile.NAMES])]
    if isinstance(option.type, (click.IntRange, click.FloatRange)):
        return [name, rng.choice(hostile.NUMBERS)]
    return [name, rng.choice([*hostile.NUMBERS, *hostile.TEXTS, *hostile.NAMES])]


EXPENSIVE = {
    "--device", "--recipe", "--devices", "--out", "--classifiers", "--remedies", "--steps", "--folds", "--jobs",
    "--epochs", "--seeds", "--gan-set", "--minutes", "--images",
}  # fmt: skip
"""Options whose other values take long, rightly."""


def trained_options(rng: Rng, place: Path, made: Made) -> list[str]:
    """The same with data and runs that are there: what an option means is found out later than what it is."""
    before = {
        "data phantom": [str(place / "out"), "--counts", "basophil=1", "--size", "16"],
        "data split": [str(shutil.copytree(made.cells, place / "data", copy_function=shutil.copyfile)), "--force"],
        "generate": [str(made.gan), "--class", "basophil=1", "--out", str(place / "out"), *CPU],
        "balance": [str(made.cells), str(made.gan), "--target", "9", "--out", str(place / "out"), *CPU],
        "walk": [str(made.gan), "--classes", "basophil", "--steps", "2", "--out", str(place / "out"), *CPU],
        "train-gan": [
            str(made.cells),
            "--recipe",
            str(made.gan),
            "--set",
            "reports.classifier_images=64",
            "--steps",
            "1",
            "--out",
            str(place / "out"),
            *CPU,
        ],
        "sheet": [str(made.cells), "--out", str(place / "out"), "--per-class", "1"],
        "quiz": [str(made.cells), str(made.generating), "--out", str(place / "out")],
        "compare": [str(made.cells), *COMPARE, "--out", str(place / "out")],
        "explain": [str(made.classifier), str(made.cells / "basophil"), "--out", str(place / "out"), *CPU],
    }
    name = rng.choice(sorted(before))
    command = next(one for path, one in TYPED if " ".join(path) == name)
    known = [
        one
        for one in command.params
        if isinstance(one, click.Option) and not one.is_flag and not set(one.opts) & EXPENSIVE
    ]
    given = [part for one in rng.sample(known, rng.randrange(1, 3)) for part in _hostile_value(rng, place, made, one)]
    return [*name.split(), *before[name], *given]


COMMANDS: dict[str, tuple[Callable[[Rng, Path, Made], list[str]], int]] = {
    "laboratory": (laboratory, 40),
    "data info": (info, 50),
    "data split": (split, 50),
    "data dedupe": (dedupe, 15),
    "data import": (imported, 25),
    "data crop": (crop, 30),
    "data nuclei": (nuclei, 6),
    "data review": (review, 12),
    "--config": (config, 12),
    "classify": (classify, 30),
    "explain": (explain, 25),
    "recipe": (recipe, 30),
    "generate": (generate, 20),
    "generate --resume": (generate_on, 10),
    "balance": (balance, 12),
    "naturalize": (naturalize, 8),
    "naturalize --resume": (naturalize_on, 6),
    "train-gan --resume": (train_gan_on, 10),
    "train-gan --from": (train_gan_from, 6),
    "train-classifier": (train_classifier, 6),
    "train-classifier --resume": (train_classifier_on, 8),
    "export": (export, 10),
    "walk": (walk, 8),
    "sheet": (sheet, 12),
    "quiz": (quiz, 12),
    "quiz --score": (quiz_score, 15),
    "quality": (quality, 8),
    "compare": (compare, 6),
    "compare --resume": (compare_on, 12),
    "sweep": (sweep, 4),
    "search-remedy": (search_remedy, 4),
    "benchmark": (benchmark, 4),
    "weights": (weights, 6),
    "options": (options, 60),
    "trained options": (trained_options, 14),
}
"""What is typed about hostile input, and how many inputs of five hundred."""
