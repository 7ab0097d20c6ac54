"""How alike two aligned images are, pixel by pixel: PSNR, SSIM, MS-SSIM, l1, l2, for whole batches of pairs at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

Images = NDArray[np.uint8]
Values = NDArray[np.float64]

RADIUS = 5
"""Half width of the Gaussian window of Wang et al. 2004: 11 x 11 pixels."""
SIGMA = 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first (Wang et al. 2003, section 3.2)."""
LEAST_EDGE_SSIM = 2 * RADIUS + 1
LEAST_EDGE_MS_SSIM = LEAST_EDGE_SSIM * 2 ** (len(SCALE_WEIGHTS) - 1)
"""Below it (176 pixels) the window does not fit into the coarsest of the five scales."""

# Elements in work at a time: enough to keep the calls few, little enough to stay near the processor.
_BLOCK_ELEMENTS = 2**20
_PAIRS = 16


def l1(a: Images, b: Images) -> Values:
    """Return the mean absolute difference of each pair as a share of the range.

    Parameters
    ----------
    a, b : uint8 arrays, shape [n, C, H, W]
        Pair i is (`a[i]`, `b[i]`).

    Returns
    -------
    float64 array, shape [n]
        0 (equal) to 1 (black against white). hazra2022 (eq. 8) writes a sum and reports percentages (table 7), which
        only a mean over pixels relative to the range can be.

    Raises
    ------
    ValueError
        If the arrays are no uint8 images of one shape.

    Examples
    --------
    >>> l1(np.zeros((1, 3, 4, 4), np.uint8), np.full((1, 3, 4, 4), 51, np.uint8)).tolist()
    [0.2]
    """
    return _by_block(a, b, lambda x, y: (x.short() - y).abs().flatten(1).sum(1, dtype=torch.int64).double()) / (
        255 * _pixels(a)
    )


def l2(a: Images, b: Images) -> Values:
    """Return the mean squared difference of each pair as a share of the squared range, 0..1.

    Arguments and errors as for `l1`; hazra2022, table 7.
    """
    return _by_block(a, b, lambda x, y: (x.int() - y).square_().flatten(1).sum(1, dtype=torch.int64).double()) / (
        255**2 * _pixels(a)
    )


def psnr(a: Images, b: Images) -> Values:
    """Return the peak signal-to-noise ratio of each pair in dB, 10 log10(255^2 / MSE); infinite for equal images.

    Arguments and errors as for `l1`.
    """
    return psnr_of(l2(a, b))


def psnr_of(squared: Values) -> Values:
    """Return PSNR in dB from what `l2` returned."""
    with np.errstate(divide="ignore"):
        return np.asarray(-10 * np.log10(squared))


def ssim(a: Images, b: Images) -> Values:
    """Return the mean structural similarity of each pair, with the window of Wang et al. 2004.

    It is skimage's `structural_similarity(gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    data_range=255, channel_axis=0)`: window 11 x 11, K = (0.01, 0.03), the mean over all places where the window lies
    inside the image and over the channels.

    Parameters
    ----------
    a, b : uint8 arrays, shape [n, C, H, W]
        At least 11 pixels wide and high.

    Returns
    -------
    float64 array, shape [n]
        -1..1, and 1 for equal images. Computed in single precision about each channel's mean: on photographs of cells
        within 1e-7 of double precision, within 1e-5 on drawings with large flat areas.

    Raises
    ------
    ValueError
        If the arrays are no uint8 images of one shape, or are too small.

    References
    ----------
    Wang, Z., Bovik, A. C., Sheikh, H. R., Simoncelli, E. P. (2004). Image quality assessment: from error visibility to
    structural similarity. IEEE Transactions on Image Processing 13, 600-612.
    """
    _refuse_smaller(a, LEAST_EDGE_SSIM, "SSIM")
    return _by_block(a, b, lambda x, y: _structure(x.float(), y.float())[0])


def ms_ssim(a: Images, b: Images) -> Values:
    """Return the structural similarity of each pair over five scales.

    Contrast and structure of the four finer scales and the full SSIM of the coarsest, each to the power of its weight
    and multiplied; a scale is the mean of 2 x 2 pixels of the finer one. Details are those of
    `torchmetrics.functional.image.multiscale_structural_similarity_index_measure`: a negative term counts as 0, and the
    coarsest scale is mirrored at its edges.

    Parameters
    ----------
    a, b : uint8 arrays, shape [n, C, H, W]
        At least 176 pixels wide and high.

    Returns
    -------
    float64 array, shape [n]
        0..1, and 1 for equal images.

    Raises
    ------
    ValueError
        If the arrays are no uint8 images of one shape, or are too small.

    References
    ----------
    Wang, Z., Simoncelli, E. P., Bovik, A. C. (2003). Multiscale structural similarity for image quality assessment.
    Asilomar Conference on Signals, Systems and Computers.
    """
    _refuse_smaller(a, LEAST_EDGE_MS_SSIM, "MS-SSIM")
    return _by_block(a, b, _scales)


def _scales(a: Tensor, b: Tensor) -> Tensor:
    x, y = a.float(), b.float()
    product = torch.ones(len(x), dtype=torch.float64)
    for weight in SCALE_WEIGHTS[:-1]:
        product *= _structure(x, y)[1].clamp_min(0) ** weight
        x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    edge = (RADIUS,) * 4
    coarsest = _structure(F.pad(x, edge, mode="reflect"), F.pad(y, edge, mode="reflect"))[0]
    return product * coarsest.clamp_min(0) ** SCALE_WEIGHTS[-1]


def _structure(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return SSIM, and its contrast-structure part alone, float64 [n] each; `a`, `b` float32 [n, C, H, W]."""
    n, channels, height, width = a.shape
    flat_a, flat_b = a.reshape(n * channels, -1), b.reshape(n * channels, -1)
    planes = max(1, _BLOCK_ELEMENTS // (4 * height * width))
    found = torch.empty(2, n * channels, dtype=torch.float64)
    for start in range(0, n * channels, planes):
        x, y = flat_a[start : start + planes], flat_b[start : start + planes]
        # About the mean: a variance is the small difference of large numbers, and single precision has seven digits.
        mean_x, mean_y = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
        x, y = x - mean_x, y - mean_y
        ux, uy, squares, products = _windowed(torch.stack([x, y, (x * x).addcmul_(y, y), x * y]), width)
        covariance = products.addcmul_(ux, uy, value=-1)
        variances = squares.addcmul_(ux, ux, value=-1).addcmul_(uy, uy, value=-1)
        ux.add_(mean_x)
        uy.add_(mean_y)
        contrast = covariance.mul_(2).add_(C2).div_(variances.add_(C2))
        luminance = (ux * uy).mul_(2).add_(C1).div_(ux.mul_(ux).addcmul_(uy, uy).add_(C1))
        for row, terms in enumerate((luminance.mul_(contrast), contrast)):
            # Seen as images again; what lies beyond a row's end has mixed two rows and is left out.
            whole = terms.as_strided((len(terms), height - 2 * RADIUS, width - 2 * RADIUS), (terms.stride(0), width, 1))
            found[row, start : start + planes] = whole.mean((1, 2), dtype=torch.float64)
    ssim_part, contrast_part = found.view(2, n, channels).mean(2)
    return ssim_part, contrast_part


def _windowed(planes: Tensor, width: int) -> Tensor:
    """Return Gaussian-weighted means [..., H*W - 10*width - 10] of flat planes [..., H*W], upper left corner first."""
    offsets = torch.arange(-RADIUS, RADIUS + 1, dtype=torch.float64)
    weights = torch.exp(-offsets.square() / (2 * SIGMA**2))
    taps = (weights / weights.sum()).tolist()
    # A step to the next row or pixel is a shift of the flat plane: long runs, whatever the image's width.
    for stride in (width, 1):
        length = planes.shape[-1] - 2 * RADIUS * stride
        total = planes[..., RADIUS * stride : RADIUS * stride + length] * taps[RADIUS]
        both = torch.empty_like(total)
        for k in range(RADIUS):
            near, far = k * stride, (2 * RADIUS - k) * stride
            torch.add(planes[..., near : near + length], planes[..., far : far + length], out=both)
            total.add_(both, alpha=taps[k])
        planes = total
    return planes


def _by_block(a: Images, b: Images, measure: Callable[[Tensor, Tensor], Tensor]) -> Values:
    found = [measure(x, y).numpy() for x, y in _blocks(a, b)]
    return np.concatenate(found) if found else np.zeros(0)


def _blocks(a: Images, b: Images) -> Iterator[tuple[Tensor, Tensor]]:
    if a.shape != b.shape or a.ndim != 4 or a.dtype != np.uint8 or b.dtype != np.uint8:
        raise ValueError(
            f"images must be two uint8 arrays [n, C, H, W] of one shape, got {a.dtype} {a.shape}, {b.dtype} {b.shape}"
        )
    for start in range(0, len(a), _PAIRS):
        # Copies: torch warns of read-only memory, and a memory-mapped pack is that.
        first, second = (torch.from_numpy(np.array(part[start : start + _PAIRS])) for part in (a, b))
        yield first, second


def _pixels(images: Images) -> int:
    return int(np.prod(images.shape[1:]))


def _refuse_smaller(images: Images, edge: int, name: str) -> None:
    if min(images.shape[-2:]) < edge:
        raise ValueError(f"{name} needs images of at least {edge} x {edge} pixels, got {images.shape}")
