"""The losses are those of the papers: values against their formulas, gradients against finite differences."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from gansynth.data import CellDataset
from gansynth.data.phantom import phantom_dataset
from gansynth.remedies import Loss, Workplace, parse_arm
from gansynth.remedies.class_weights import class_balanced, effective_number, inverse_frequency
from gansynth.remedies.ldam_drw import label_aware_margins

COUNTS = {"basophil": 3, "eosinophil": 20, "lymphocyte": 9}
N = np.array(list(COUNTS.values()))
LOSSES = ("weighted", "focal:gamma=0.5:power=1", "cb-focal:beta=0.99", "logit-adjustment", "ldam-drw")


@pytest.fixture(scope="module")
def cells() -> CellDataset:
    return phantom_dataset(COUNTS, size=16)


@pytest.fixture(scope="module")
def place(cells: CellDataset, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("place"), learning=lambda size: cells)


def loss_of(spec: str, cells: CellDataset, place: Workplace) -> Loss:
    loss = parse_arm(spec).treat(cells, place).loss
    assert loss is not None
    return loss


def drawn(seed: int = 0, scale: float = 2.0, n: int = 40) -> tuple[Tensor, Tensor]:
    torch.manual_seed(seed)
    return scale * torch.randn(n, 3, dtype=torch.float64), torch.randint(0, 3, (n,))


def test_weights_are_those_of_scikit_learn_and_all_classes_count_the_same(cells: CellDataset, place: Workplace) -> None:
    weights = inverse_frequency(N)
    assert weights == pytest.approx(compute_class_weight("balanced", classes=np.arange(3), y=cells.labels))
    treated = parse_arm("weighted").treat(cells, place)
    assert treated.class_weight == pytest.approx(np.array(weights)) and N * weights == pytest.approx(np.full(3, 32 / 3))
    assert inverse_frequency(N, 0) == (1, 1, 1)
    half = np.array(inverse_frequency(N, 0.5))
    assert half / half[1] == pytest.approx(np.sqrt(20 / N))


def test_weighted_cross_entropy_is_a_mean_over_images(cells: CellDataset, place: Workplace) -> None:
    z, y = drawn()
    weights = torch.tensor(inverse_frequency(N), dtype=torch.float64)
    expected = F.cross_entropy(z, y, weight=weights, reduction="none").sum() / len(y)
    assert loss_of("weighted", cells, place)(z, y, 0.0) == pytest.approx(float(expected))


@settings(max_examples=50, deadline=None)
@given(gamma=st.floats(0, 5), alpha=st.floats(0.25, 1.75), seed=st.integers(0, 999))
def test_focal_loss_is_equation_4_of_pasupa2020(
    cells: CellDataset, place: Workplace, gamma: float, alpha: float, seed: int
) -> None:
    z, y = drawn(seed)
    p = z.softmax(dim=1)[torch.arange(len(y)), y].numpy()
    expected = np.mean(-alpha * (1 - p) ** gamma * np.log(p))
    loss = loss_of(f"focal:gamma={gamma}:alpha={alpha}", cells, place)
    assert float(loss(z, y, 0.0)) == pytest.approx(expected, rel=1e-9)


def test_focal_loss_without_focus_is_the_cross_entropy(cells: CellDataset, place: Workplace) -> None:
    z, y = drawn()
    assert torch.allclose(loss_of("focal:gamma=0", cells, place)(z, y, 0.0), F.cross_entropy(z, y))


@settings(max_examples=50, deadline=None)
@given(beta=st.floats(0, 0.99999), gamma=st.floats(0, 5), seed=st.integers(0, 999))
def test_class_balanced_focal_loss_is_equation_5_of_guo2022_up_to_a_factor_of_all(
    cells: CellDataset, place: Workplace, beta: float, gamma: float, seed: int
) -> None:
    z, y = drawn(seed)
    each = sigmoid_focal_loss(z, F.one_hot(y, 3).double(), alpha=-1, gamma=gamma, reduction="none").sum(dim=1).numpy()
    weights = (1 - beta) / (1 - beta**N)
    expected = np.mean(weights[y.numpy()] * each) * 32 / (weights * N).sum()
    loss = loss_of(f"cb-focal:beta={beta}:gamma={gamma}", cells, place)
    assert float(loss(z, y, 0.0)) == pytest.approx(expected, rel=1e-6)


@given(beta=st.floats(0, 0.99999), n=st.integers(1, 100_000))
def test_the_effective_number_lies_between_one_and_the_number(beta: float, n: int) -> None:
    found = float(effective_number(np.array([n]), beta)[0])
    direct = sum(beta**k for k in range(min(n, 3000)))  # 1 + beta + beta^2 + ...
    assert 1 - 1e-9 <= found <= n * (1 + 1e-6)
    assert n > 3000 or found == pytest.approx(direct, rel=1e-6)


def test_beta_goes_from_no_weights_to_inverse_frequency() -> None:
    assert class_balanced(N, 0.0) == pytest.approx((1, 1, 1))
    assert class_balanced(N, 0.999999) == pytest.approx(inverse_frequency(N), rel=1e-4)


def test_logit_adjustment_is_menon2021_equation_10(cells: CellDataset, place: Workplace) -> None:
    z, y = drawn()
    prior = torch.tensor(N / N.sum())
    expected = -(torch.log(prior**1.5 * z.exp()).log_softmax(dim=1))[torch.arange(len(y)), y].mean()
    assert float(loss_of("logit-adjustment:tau=1.5", cells, place)(z, y, 0.0)) == pytest.approx(float(expected))
    assert torch.allclose(loss_of("logit-adjustment:tau=0", cells, place)(z, y, 0.0), F.cross_entropy(z, y))


def test_ldam_takes_a_margin_of_the_fourth_root_and_weighs_late(cells: CellDataset, place: Workplace) -> None:
    treated = parse_arm("ldam-drw:margin=0.4:scale=20:start=0.6:beta=0.99").treat(cells, place)
    assert treated.cosine_scale == 20 and treated.loss is not None
    margins = 0.4 * (3 / N) ** 0.25
    assert label_aware_margins(N, 0.4) == pytest.approx(margins)
    z, y = drawn()
    lowered = z - 20 * torch.tensor(margins) * F.one_hot(y, 3)
    each = F.cross_entropy(lowered, y, reduction="none")
    late = torch.tensor(class_balanced(N, 0.99), dtype=torch.float64)[y] * each
    for done, expected in ((0.0, each), (0.59, each), (0.6, late), (0.99, late)):
        assert float(treated.loss(z, y, done)) == pytest.approx(float(expected.mean()))


@pytest.mark.parametrize("spec", LOSSES)
def test_gradients_are_those_of_the_values(spec: str, cells: CellDataset, place: Workplace) -> None:
    loss, (z, y) = loss_of(spec, cells, place), drawn(n=6)
    assert torch.autograd.gradcheck(lambda logits: loss(logits, y, 0.9), (z.requires_grad_(),))


@pytest.mark.parametrize("spec", [*LOSSES, "focal:gamma=0.5", "cb-focal:gamma=0.5"])
@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_what_is_as_sure_as_can_be_gives_no_infinite_gradient(
    spec: str, scale: float, cells: CellDataset, place: Workplace
) -> None:
    z = (scale * torch.eye(3)).requires_grad_()  # right, and at 1e3 so surely that p is 1 in every precision
    for labels in (torch.arange(3), torch.tensor([1, 2, 0])):
        loss = loss_of(spec, cells, place)(z, labels, 0.9)
        (gradient,) = torch.autograd.grad(loss, z)
        assert torch.isfinite(loss) and torch.isfinite(gradient).all()


@pytest.mark.parametrize("spec", LOSSES)
def test_a_class_without_images_harms_nothing(spec: str, cells: CellDataset, place: Workplace) -> None:
    rest = cells.select(cells.labels > 0)
    z, y = drawn()
    (gradient,) = torch.autograd.grad(loss_of(spec, rest, place)(z.requires_grad_(), y.clamp(min=1), 0.9), z)
    assert torch.isfinite(gradient).all() and (gradient[:, 0] >= 0).all()  # it is pushed down


@pytest.mark.parametrize("spec", LOSSES)
def test_losses_go_to_other_processes_and_say_what_they_are(spec: str, cells: CellDataset, place: Workplace) -> None:
    treated = parse_arm(spec).treat(cells, place)
    loss, other = treated.loss, parse_arm(spec).treat(cells.select(np.arange(2, 32)), place)
    assert pickle.loads(pickle.dumps(loss)) == loss
    assert treated.settings["loss"] == repr(loss) != other.settings["loss"]


def test_weights_are_of_what_the_remedies_before_them_show(cells: CellDataset, place: Workplace) -> None:
    z, y = drawn()
    assert loss_of("oversample+weighted", cells, place)(z, y, 0.0) == pytest.approx(float(F.cross_entropy(z, y)))
