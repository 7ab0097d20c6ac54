"""Moves that are recorded once and replayed: on the CPU from a tape of operations, on a GPU as CUDA graphs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gansynth.gans import build_gan
from gansynth.gans.engine.budget import Budget
from gansynth.gans.engine.ema import Ema
from gansynth.gans.engine.graphs import (
    MOST_RECORDINGS,
    AskedStep,
    CudaRecorder,
    NotRecordableError,
    Play,
    Recordings,
    Terms,
    drawing_nothing_on_the_processor,
    play_in_python,
)
from gansynth.gans.engine.loop import Batches, _move, build_optimizers, set_rate, train
from gansynth.gans.gan import Batch
from gansynth.recipes import GanRecipe, load_recipe
from gansynth.runs.state_files import Progress

from .tape import Tape
from .test_every_gan import COMPACT, DATA, small

STEPS = 9
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@dataclass
class Training:
    """A training of a tiny GAN without a run folder."""

    recipe: GanRecipe
    device: str = "cpu"

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        device = torch.device(self.device)
        self.gan = build_gan(self.recipe, DATA.class_names).to(device)
        self.ema = Ema(self.gan.generator, 100, 0.05)
        self.optimizers = build_optimizers(self.gan, self.recipe)
        self.batches = Batches(DATA, self.recipe, 8, device)
        self.batches.on_device = torch.from_numpy(DATA.images).to(device)
        self.said: list[str] = []
        self.logged: list[dict[str, float]] = []

    def recordings(self, recorder: Tape | CudaRecorder) -> Recordings:
        networks = [self.gan, self.ema.network]
        return Recordings(recorder, networks, list(self.optimizers.values()), self.said.append)

    def run(self, play: Play, steps: int = STEPS, start: int = 0) -> dict[str, Tensor]:
        train(
            self.gan, self.ema, self.optimizers, self.batches, Budget(steps, None, None),
            Fabric(accelerator=self.device, devices=1), seed=3, start=Progress(start),
            on_log=lambda at, terms: self.logged.append(terms), on_sheet=lambda at: None,
            on_save=lambda at, finished: None, play=play,
        )  # fmt: skip
        return self.state()

    def state(self) -> dict[str, Tensor]:
        """Everything that a training is between two steps."""
        tensors = {f"gan.{k}": v for k, v in self.gan.state_dict().items()}
        tensors |= {f"ema.{k}": v for k, v in self.ema.network.state_dict().items()}
        for player, optimizer in self.optimizers.items():
            for index, values in optimizer.state_dict()["state"].items():
                tensors |= {f"{player}.{index}.{k}": v for k, v in values.items()}
        return {k: v.detach().clone() for k, v in tensors.items()}


def of(name: str = "c-wgan-gp-64", *changes: str) -> GanRecipe:
    penalty = ["losses.penalty_every=4"] if hasattr(load_recipe(name).losses, "penalty_every") else []
    return small(name, *penalty, "training.warm_up=2", *changes)


def assert_equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert a.keys() == b.keys()
    assert [k for k in a if not torch.equal(a[k], b[k])] == []


@pytest.mark.parametrize("name", COMPACT)
def test_replayed_moves_are_the_moves_that_python_makes(name: str) -> None:
    """Weights, moments, buffers, slow generator and logged terms, bit for bit, while turns begin and end."""
    recipe = of(name, "training.critic_steps=2")
    python, replayed, tape = Training(recipe), Training(recipe), Tape()
    assert_equal(python.run(play_in_python), replayed.run(replayed.recordings(tape)))
    assert python.logged == replayed.logged
    assert replayed.said == []
    assert tape.taken <= 8


def test_a_move_has_one_recording_for_each_answer_to_what_it_asks_of_its_step() -> None:
    recipe, tape = of(), Tape()
    training = Training(recipe)
    training.run(training.recordings(tape), steps=STEPS)
    assert tape.taken == len(["critic", "critic with penalty", "classifier", "generator", "slow generator"])


def test_a_training_resumed_records_anew_and_goes_on_as_if_never_interrupted() -> None:
    whole, parts = Training(of()), Training(of())
    parts.run(parts.recordings(Tape()), steps=5)
    assert_equal(whole.run(whole.recordings(Tape())), parts.run(parts.recordings(Tape()), start=5))


def test_recording_a_move_changes_nothing() -> None:
    training = Training(of("projection-gan-64"))  # with power iterations
    turn = training.gan.turns()[0]

    class Silent(Tape):
        def record(self, move: Callable[[], Terms]) -> tuple[Callable[[], None], Terms]:
            return (lambda: None), super().record(move)[1]

    def move(step: int) -> Terms:
        optimizer, fabric = training.optimizers[turn.player], Fabric(accelerator="cpu", devices=1)
        return _move(training.gan, turn, training.batches.draw(turn, step), optimizer, fabric)

    before, random, tape = training.state(), torch.get_rng_state(), Silent()
    training.recordings(tape)("turn", move, 0)
    after = training.state()
    assert tape.taken == 1
    assert torch.equal(random, torch.get_rng_state())
    assert_equal(before, {k: after[k] for k in before})
    assert all(float(v.abs().max()) == 0 for k, v in after.items() if k not in before)  # moments that have begun


class Descent(torch.optim.Optimizer):
    """Gradient descent, whose rate is read where it lies; on the CPU Adam makes a number of it."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float | Tensor) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p -= group["lr"] * p.grad


@pytest.mark.parametrize("on_device", [True, False])
def test_a_rate_that_falls_reaches_a_recording_only_on_the_device(on_device: bool) -> None:
    recipe = of("c-wgan-gp-64", "training.decay=linear")
    python, replayed = Training(recipe), Training(recipe)
    for training in (python, replayed):
        for player in training.optimizers:
            rate = torch.tensor(1e-3) if on_device else 1e-3
            training.optimizers[player] = Descent(getattr(training.gan, player).parameters(), rate)
    a, b = python.run(play_in_python), replayed.run(replayed.recordings(Tape()))
    assert replayed.said == []
    assert all(torch.equal(a[k], b[k]) for k in a) == on_device


@pytest.mark.parametrize("group", [{"lr": 0.5}, {"lr": torch.tensor(0.5)}])
def test_a_rate_on_a_device_changes_where_it_lies(group: dict[str, float | Tensor]) -> None:
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(2))], fused=True, **group)  # type: ignore[arg-type]
    before = optimizer.param_groups[0]["lr"]
    set_rate(optimizer, 0.25)
    assert float(optimizer.param_groups[0]["lr"]) == 0.25
    assert (optimizer.param_groups[0]["lr"] is before) == isinstance(before, Tensor)


class Player(nn.Module):
    """A weight and a buffer that moves change."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.register_buffer("seen", torch.zeros(()))

    @torch.no_grad()
    def up(self, step: int) -> Terms:
        self.weight += torch.rand(3)
        self.seen += 1  # type: ignore[operator]
        return {"sum": self.weight.sum()}


def recordings_of(player: nn.Module, said: list[str]) -> Recordings:
    return Recordings(Tape(), [player], [], said.append)


def played(move: Callable[[Player], Callable[[int], Terms]], steps: Sequence[int]) -> tuple[Player, Player, list[str]]:
    """Make moves from recordings and, beside them, in Python; return both players and what was said."""
    said: list[str] = []
    recorded, python = Player(), Player()
    play = recordings_of(recorded, said)
    for step in steps:
        torch.manual_seed(step)
        a = play("move", move(recorded), step)
        torch.manual_seed(step)
        b = move(python)(step)
        assert {k: v.tolist() for k, v in a.items()} == {k: v.tolist() for k, v in b.items()}
    return recorded, python, said


def test_each_replay_draws_the_random_numbers_of_its_own_step() -> None:
    recorded, python, said = played(lambda player: player.up, range(5))
    assert torch.equal(recorded.weight, python.weight)
    assert float(recorded.seen) == 5  # type: ignore[arg-type]
    assert said == []


@pytest.mark.parametrize(
    ("asks", "expected"),
    [
        (lambda step: step % 4 == 0, 2),
        (lambda step: step < 3, 2),
        (lambda step: step % 2 == 0 and step % 4 == 0, 3),
        (lambda step: not step % 3, 2),
        (lambda step: (step - 1) // 4 >= 1, 2),
        (lambda step: True, 1),
    ],
)
def test_what_is_asked_of_a_step_decides_which_recording_stands_for_it(
    asks: Callable[[int], bool], expected: int
) -> None:
    class Choosy(Player):
        @torch.no_grad()
        def up(self, step: int) -> Terms:
            self.weight += 1.0 if asks(step) else 10.0
            return {}

    recorded, python, said, tape = Choosy(), Choosy(), [], Tape()
    play = Recordings(tape, [recorded], [], said.append)  # type: ignore[arg-type]
    for step in range(12):
        play("move", recorded.up, step)
        python.up(step)
        assert torch.equal(recorded.weight, python.weight)
    assert tape.taken == expected
    assert said == []


@pytest.mark.parametrize("use", [lambda s: 1 / s, lambda s: torch.full((), s), lambda s: [0, 1, 2, 3, 4, 5, 6, 7][s]])
def test_a_step_that_is_computed_with_is_refused(use: Callable[[object], object]) -> None:
    with pytest.raises(TypeError):
        use(AskedStep(5))


def with_number_of_step(player: Player) -> Callable[[int], Terms]:
    def move(step: int) -> Terms:
        with torch.no_grad():
            player.weight += 1 / (1 + step % 3)
        return player.up(step)

    return move


def with_new_buffer(player: Player) -> Callable[[int], Terms]:
    def move(step: int) -> Terms:
        player.seen = player.seen + 1  # type: ignore[assignment,operator]
        return player.up(step)

    return move


def that_waits(player: Player) -> Callable[[int], Terms]:
    def move(step: int) -> Terms:
        if float(player.weight[0].detach()) > 2:
            player.seen += 10  # type: ignore[operator]
        return player.up(step)

    return move


def that_differs_at_every_step(player: Player) -> Callable[[int], Terms]:
    def move(step: int) -> Terms:
        for k in range(100):
            if step == k:
                with torch.no_grad():
                    player.weight += k
        return player.up(step)

    return move


@pytest.mark.parametrize(
    ("move", "steps", "why"),
    [
        (with_number_of_step, 4, "unsupported operand"),
        (with_new_buffer, 4, "new tensor in the place of a buffer"),
        (that_waits, 4, "waits for the device"),
        (that_differs_at_every_step, MOST_RECORDINGS + 3, "something else at nearly every step"),
    ],
)
def test_what_cannot_be_recorded_is_made_in_python_and_said_once(
    move: Callable[[Player], Callable[[int], Terms]], steps: int, why: str
) -> None:
    recorded, python, said = played(move, range(steps))
    assert torch.equal(recorded.weight, python.weight)
    assert torch.equal(recorded.seen, python.seen)  # type: ignore[arg-type]
    assert len(said) == 1
    assert why in said[0]


def test_an_error_of_the_move_itself_keeps_its_own_words() -> None:
    def move(step: int) -> Terms:
        raise ValueError("the loss is wrong")

    with pytest.raises(ValueError, match="the loss is wrong"):
        recordings_of(Player(), [])("move", move, 0)


def test_random_numbers_of_the_processor_cannot_be_part_of_a_graph() -> None:
    with pytest.raises(NotRecordableError, match="random numbers on the processor"), drawing_nothing_on_the_processor():
        torch.rand(1)
    with drawing_nothing_on_the_processor():
        torch.ones(1)


@needs_gpu
@pytest.mark.parametrize("name", COMPACT)
def test_cuda_graphs_are_the_moves_that_python_makes(name: str) -> None:
    """As near as sums are that a GPU adds in another order each time."""
    recipe = of(name, "training.decay=linear", "training.critic_steps=2", "reports.log_every=1")
    python, graphs = Training(recipe, "cuda"), Training(recipe, "cuda")
    python.run(play_in_python)
    graphs.run(graphs.recordings(CudaRecorder(torch.device("cuda"))))
    assert graphs.said == []
    assert len(graphs.logged) == len(python.logged) == STEPS
    for mine, yours in zip(graphs.logged, python.logged, strict=True):
        assert mine.keys() == yours.keys()
        assert all(math.isclose(mine[k], yours[k], rel_tol=1e-2, abs_tol=1e-3) for k in mine), (mine, yours)


@needs_gpu
def test_a_capture_that_fails_leaves_the_gpu_as_it_was() -> None:
    training = Training(of(), "cuda")
    play = training.recordings(CudaRecorder(torch.device("cuda")))

    def move(step: int) -> Terms:
        torch.cuda.synchronize()
        return {"random": torch.rand((), device="cuda")}

    torch.manual_seed(1)
    first = float(play("move", move, 0)["random"])
    torch.manual_seed(1)
    assert float(torch.rand((), device="cuda")) == first
    assert len(training.said) == 1
    training.run(play)
    assert len(training.said) == 1


def test_a_batch_drawn_where_the_images_lie_is_the_batch_that_is_read() -> None:
    recipe = of()
    read, resident = Batches(DATA, recipe, 8, torch.device("cpu")), Batches(DATA, recipe, 8, torch.device("cpu"))
    resident.on_device = torch.from_numpy(DATA.images)
    turn = build_gan(recipe, DATA.class_names).turns()[0]
    batches: list[Batch] = []
    for source in (read, resident):
        torch.manual_seed(2)
        batches.append(source.draw(turn, 0))
    assert all(
        torch.equal(getattr(batches[0], k), getattr(batches[1], k))
        for k in ("images", "labels", "latents", "generated_labels")
    )
