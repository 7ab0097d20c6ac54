"""Run by `test_processes.py`: trains in two processes and writes what each of them ended with."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import torch
from lightning_fabric import Fabric

from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.gans.engine.budget import Budget
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.loop import Batches, build_optimizers, train
from gansynth.gans.gan import build_gan
from gansynth.recipes import load_recipe
from gansynth.runs.state_files import Progress


def digest(gan: torch.nn.Module) -> str:
    return hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in gan.parameters())).hexdigest()


def main(out: Path, recipe_file: str) -> None:
    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()
    recipe = load_recipe(recipe_file)
    data: CellDataset = phantom_dataset({"eosinophil": 12, "lymphocyte": 6, "smudge cell": 2}, size=16)
    torch.manual_seed(0)
    gan = build_gan(recipe, data.class_names)
    before = digest(gan)
    batches = Batches(data, recipe, 4, fabric.device)
    seen = []
    original = batches.draw
    batches.draw = lambda turn, step: seen.append(original(turn, step)) or seen[-1]  # type: ignore[method-assign, func-returns-value]
    ema = Ema(gan.generator, 100, None)
    train(
        gan, ema, build_optimizers(gan, recipe), batches, Budget(steps=3), fabric, seed=0, start=Progress(),
        on_log=lambda *_: None, on_sheet=lambda *_: None, on_save=lambda *_: None,
    )  # fmt: skip
    latents = hashlib.sha256(seen[0].latents.numpy().tobytes()).hexdigest()
    lines = [before, digest(gan), digest(ema.network), latents]
    (out / f"process-{fabric.global_rank}.txt").write_text("\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
