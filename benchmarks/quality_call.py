"""One call of `quality` against the libraries called one after the other, on the same images and weights.

Without gansynth a user calls torch-fidelity for FID, KID, IS and PRC (each call passes all images through Inception
again), lpips pair by pair, and scikit-image pair by pair for PSNR and SSIM, and has seven figures. `quality` gives the
same and the rest (class by class, with intervals and real-against-real floors). Both sides read the same PNG folders,
with Inception and AlexNet stand-ins of the published shape: speed does not depend on the values of weights.

    python benchmarks/quality_call.py [--images 2000] [--size 64] [--rounds 1]

Prints wall time and processor time of both sides, and of a second call against the same real set.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

CLASSES = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "platelet", "promyelocyte")
"""Classes that both the phantom and the shipped encoder know."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000, help="images on either side (default 2000)")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        real, made = write_cells(root, options.images, options.size)
        weights = write_stand_ins(root / "weights")
        for number in range(options.rounds):
            os.environ["GANSYNTH_CACHE"] = str(root / f"cache{number}")  # nothing is known beforehand
            first = timed(lambda: one_call(real, made, weights))
            second = timed(lambda: one_call(real, made, weights))
            plain = timed(lambda: one_after_the_other(real, made, weights))
            print(f"round {number + 1}: {options.images} + {options.images} images of {options.size} px")
            for name, (wall, cpu, _) in (("quality", first), ("again", second), ("libraries", plain)):
                print(f"  {name:<10} {wall:8.1f} s wall  {cpu:8.1f} s processor")
            print(f"  ratio      {plain[0] / first[0]:8.2f}         {plain[1] / first[1]:8.2f}")
            before, after = real_side(first[2]), real_side(second[2])
            print(f"  real side  {before:.2f} s the first time, {after:.2f} s the second ({after / before:.1%})")
            print(f"  libraries: {plain[2]}")
            print(
                f"  quality:   { {k: round(v.value, 4) for k, v in first[2].metrics.items() if v.value is not None} }"
            )
            sys.stdout.flush()


def timed(call: Callable[[], object]) -> tuple[float, float, object]:
    """Return wall seconds, processor seconds and the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def real_side(found: object) -> float:
    """Return the seconds that a call spent on the real images' features."""
    seconds: dict[str, float] = found.about.seconds
    return sum(s for name, s in seconds.items() if "of real images" in name or name == "real side")


def one_call(real: Path, made: Path, weights: Path) -> object:
    """Everything that `quality` gives."""
    import gansynth.studies.quality.study  # noqa: F401
    from gansynth.metrics.extractors import AlexFeatures, InceptionFeatures, MissingWeights
    from gansynth.metrics.extractors.weights import ALEXNET, INCEPTION, WeightFile

    def open_stand_in(name: str, *_: object, **__: object) -> object:
        published = {"inception": (InceptionFeatures, INCEPTION), "alex": (AlexFeatures, ALEXNET)}
        if name not in published:
            raise MissingWeights("", name, (), "")
        build, file = published[name]
        return build(weights, file=WeightFile(file.name, "", file.metric, file.url))

    module = sys.modules["gansynth.studies.quality.study"]
    module.open_extractor = open_stand_in  # type: ignore[attr-defined]
    return module.quality(real, made, encoder="pbc-encoder", progress=False)  # type: ignore[attr-defined]


def one_after_the_other(real: Path, made: Path, weights: Path) -> dict[str, float]:
    """What a user calls otherwise."""
    import lpips
    import torch
    import torch_fidelity
    from PIL import Image
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    from gansynth.metrics.extractors.weights import ALEXNET, INCEPTION

    options = {
        "input1": str(made), "input2": str(real), "cuda": False, "verbose": False, "samples_find_deep": True,
        "cache": False, "feature_extractor": "inception-v3-compat",
        "feature_extractor_weights_path": str(weights / INCEPTION.name),
    }  # fmt: skip
    found: dict[str, float] = {}
    count = len(list(made.rglob("*.png")))
    for metric in ("fid", "kid", "isc", "prc"):
        more = {"prc": {"feature_layer_prc": "2048"}, "kid": {"kid_subset_size": min(1000, count)}}.get(metric, {})
        found.update(torch_fidelity.calculate_metrics(**{metric: True}, **options, **more))
    distance = lpips.LPIPS("alex", pnet_rand=True, verbose=False).eval()
    state = torch.load(weights / ALEXNET.name, weights_only=True)
    trunk = {k.removeprefix("features."): v for k, v in state.items() if k.startswith("features.")}
    layers = [m for part in distance.net.children() for m in part.children()] or list(distance.net.modules())
    for index, layer in enumerate(layers):
        if f"{index}.weight" in trunk and hasattr(layer, "weight"):
            layer.weight.data = trunk[f"{index}.weight"]
    values: dict[str, list[float]] = {"lpips": [], "psnr": [], "ssim": []}
    pairs = list(zip(sorted(made.rglob("*.png")), sorted(real.rglob("*.png")), strict=True))
    with torch.no_grad():
        for a, b in pairs:
            x, y = (np.asarray(Image.open(path).convert("RGB")) for path in (a, b))
            tensors = [torch.from_numpy(i.copy()).permute(2, 0, 1)[None].float() / 255 for i in (x, y)]
            values["lpips"].append(float(distance(*tensors, normalize=True)))
            values["psnr"].append(float(peak_signal_noise_ratio(x, y, data_range=255)))
            ssim = structural_similarity(
                x, y, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
            )
            values["ssim"].append(float(ssim))
    return {k: round(float(v), 4) for k, v in (found | {k: float(np.mean(v)) for k, v in values.items()}).items()}


def write_cells(root: Path, images: int, size: int) -> tuple[Path, Path]:
    """Write two sets of phantom cells, equally many of each class."""
    from gansynth.data.phantom import write_phantom

    counts = {name: images // len(CLASSES) + (k < images % len(CLASSES)) for k, name in enumerate(CLASSES)}
    for seed, name in enumerate(("real", "made")):
        write_phantom(root / name, counts, size=size, seed=seed)
    return root / "real", root / "made"


def write_stand_ins(folder: Path) -> Path:
    """Write Inception and AlexNet files of the published shape with random weights."""
    import torch
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    from torchvision.models import alexnet

    from gansynth.metrics.extractors.weights import ALEXNET, INCEPTION

    folder.mkdir()
    torch.manual_seed(0)
    torch.save(alexnet(weights=None).state_dict(), folder / ALEXNET.name)
    load = torch.hub.load_state_dict_from_url
    torch.save({}, folder / INCEPTION.name)
    try:  # the constructor insists on loading something: let it load nothing
        original = FeatureExtractorInceptionV3.load_state_dict
        FeatureExtractorInceptionV3.load_state_dict = lambda self, *_, **__: None
        network = FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(folder / INCEPTION.name)
        )
    finally:
        FeatureExtractorInceptionV3.load_state_dict = original
        torch.hub.load_state_dict_from_url = load
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    torch.save(network.state_dict(), folder / INCEPTION.name)
    return folder


if __name__ == "__main__":
    main()
