"""Inception's features are torch-fidelity's, and so are FID, KID and IS from end to end. Stand-in weights."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from gansynth.errors import InputError
from gansynth.files.regular import file_sha256
from gansynth.metrics.extractors.inception import InceptionFeatures, resized_like_tensorflow
from gansynth.metrics.extractors.weights import INCEPTION, WeightFile
from gansynth.metrics.frechet import frechet_distance
from gansynth.metrics.inception_score import inception_score
from gansynth.metrics.kernel_distance import kernel_distance, published_kernel_distance

N = 8


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights in the published format."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    class Untrained(FeatureExtractorInceptionV3):
        def load_state_dict(self, *arguments: object, **options: object) -> None:
            """Keep the random weights."""

    nothing = io.BytesIO()
    torch.save({}, nothing)
    nothing.seek(0)
    torch.manual_seed(0)
    state = Untrained("untrained", ["2048"], feature_extractor_weights_path=nothing).state_dict()
    for name, tensor in state.items():
        if tensor.ndim == 4:
            # The default would let the signal fade to numbers that a processor is slow with.
            nn.init.kaiming_normal_(tensor, nonlinearity="relu")
        elif name.endswith(("bn.weight", "running_var")):
            tensor.uniform_(0.8, 1.2)
        elif name.endswith(("bn.bias", "running_mean")):
            tensor.normal_(0, 0.1)
    path = tmp_path_factory.mktemp("weights") / INCEPTION.name
    torch.save(state, path)
    return path


def published(path: Path) -> WeightFile:
    return WeightFile(path.name, file_sha256(path), INCEPTION.metric, INCEPTION.url)


def images(n: int, seed: int, size: int = 32) -> NDArray[np.uint8]:
    """Blots of colour, unlike each other."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (n, 3, size // 8, size // 8))
    noise = generator.integers(-20, 20, (n, 3, size, size))
    return (np.kron(coarse, np.ones((8, 8), dtype=int)) + noise).clip(0, 255).astype(np.uint8)


class _Tensors(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.from_numpy(self.pixels[index])


@pytest.mark.slow
def test_fid_kid_and_is_are_those_of_torch_fidelitys_own_call(weights: Path) -> None:
    from torch_fidelity import calculate_metrics

    synthetic, real = images(N, 0), images(N, 1) // 2
    theirs = calculate_metrics(
        input1=_Tensors(synthetic), input2=_Tensors(real), fid=True, kid=True, isc=True, kid_subset_size=N,
        isc_splits=1, cuda=False, cache=False, save_cpu_ram=True, verbose=False, batch_size=4,
        feature_extractor_weights_path=str(weights),
    )  # fmt: skip
    extractor = InceptionFeatures(weights.parent, file=published(weights))
    of_synthetic, of_real = extractor(synthetic), extractor(real)
    assert {name: (rows.shape, rows.dtype) for name, rows in of_real.items()} == {
        "features": ((N, 2048), np.float32),
        "logits": ((N, 1008), np.float32),
    }
    # Theirs sums the roots of 2,041 eigenvalues that are 0 but for rounding, which takes 5 s:
    # `published_frechet_distance` asks the same function, and is held to it in few dimensions.
    exact = frechet_distance(of_synthetic["features"], of_real["features"])
    assert exact == pytest.approx(theirs["frechet_inception_distance"], rel=1e-5)
    kid = published_kernel_distance(of_synthetic["features"], of_real["features"])
    # Features differ in their last bits where torch convolves other batches, or on one thread; the distance is a small
    # difference between large means of cubes.
    assert kid == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)
    # Theirs adds up in 32 bits.
    exact = kernel_distance(of_synthetic["features"], of_real["features"])
    assert exact == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-4)
    score = inception_score(of_synthetic["logits"])
    assert score == pytest.approx(theirs["inception_score_mean"], rel=1e-6)
    assert extractor.sha256 == file_sha256(weights)
    # An image's features do not depend on the images beside it.
    assert np.array_equal(extractor(synthetic[5:])["features"], of_synthetic["features"][5:])


@pytest.mark.parametrize("size", [(20, 33), (299, 299), (350, 300)])
def test_images_are_resized_as_torch_fidelity_does_bit_for_bit(size: tuple[int, int]) -> None:
    from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

    x = torch.randint(0, 256, (2, 3, *size), generator=torch.Generator().manual_seed(0)).float()
    theirs = interpolate_bilinear_2d_like_tensorflow1x(x, size=(299, 299), align_corners=False)
    assert torch.equal(resized_like_tensorflow(x, 299), theirs)


def test_other_networks_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"fc.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(InputError, match=r"other\.pth: holds no Inception weights"):
        InceptionFeatures(tmp_path, file=published(path))


def test_a_file_that_was_cut_off_is_refused(weights: Path, tmp_path: Path) -> None:
    path = tmp_path / weights.name
    path.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(InputError, match="may be cut off"):
        InceptionFeatures(tmp_path, file=published(weights))
