"""On a GPU, a move is done by Python once and replayed from then on, as a CUDA graph.

A move of a small network is a thousand small kernels. Python takes longer to launch them than a GPU to run them; a
graph launches them all at once. What a graph repeats is what the GPU did, so of a move it asks this:

* All it changes lies on the device and is changed in place: weights, moments, buffers.
* All that differs between two steps is read from there too: random numbers come from the device's generator, which
  `gansynth.runs.state_files.seed_step` seeds for each step and each replay continues, a learning rate that falls is a
  tensor.
* Python may do one thing at one step and another at the next only by asking the step number, and an `AskedStep`
  remembers what it was asked: a recording stands for all the steps at which the answers are the same.

A move that cannot be recorded is made by Python every time, and the log says why. So a GAN's file need not know of any
of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

Terms = Mapping[str, Tensor]
Move = Callable[[int], Terms]
"""What is done at a step: it changes networks and optimizers, and returns what is logged."""

Play = Callable[[str, Move, int], Terms]
"""Make the move that goes by a name, at a step."""

REHEARSALS = 3
"""Moves before a recording, and taken back: libraries choose their kernels, memory is found, and the last one would
notice if Python waited for the GPU."""

MOST_RECORDINGS = 16
"""Of one move. One that asks more of its step than this does something else nearly every time."""


class NotRecordableError(Exception):
    """Why a move is not the same thing done again."""


def best_play(
    fabric: Fabric,
    networks: Sequence[nn.Module],
    optimizers: Sequence[Optimizer],
    *,
    on_device: bool,
    say: Callable[[str], None],
) -> Play:
    """Return the fastest way to make moves here: recorded on one GPU, as they are written elsewhere.

    Parameters
    ----------
    fabric : Fabric
    networks, optimizers
        All that moves change: see `Recordings`.
    on_device : bool
        Whether the training images lie on the device.
    say : callable
        Is given a sentence where a GPU has to wait for Python.
    """
    if fabric.device.type != "cuda":
        return play_in_python
    if fabric.world_size > 1 or not on_device:
        reason = "several processes share the batch" if fabric.world_size > 1 else "the images do not fit on the GPU"
        say(f"no move is replayed as a CUDA graph, which is slower: {reason}")
        return play_in_python
    return Recordings(CudaRecorder(fabric.device), networks, optimizers, say)


def play_in_python(name: str, move: Move, step: int) -> Terms:
    """Make a move as it is written; what `Recordings` does, without recordings."""
    return move(step)


class AskedStep:
    """A step number that remembers the yes and no it gave.

    ``step % 4 == 0`` and ``step < 1000`` are questions: whatever Python does upon the answers, it would do at each
    other step that answers alike. A step that is computed with (``1 / step``) is a TypeError, since no other step is
    like it.

    Parameters
    ----------
    step : int

    Examples
    --------
    >>> step = AskedStep(9)
    >>> "penalty" if step % 4 == 0 else "no penalty"
    'no penalty'
    >>> step.answers_alike(10), step.answers_alike(12)
    (True, False)
    """

    def __init__(self, step: int) -> None:
        self._step = step
        self._read: Callable[[int], int] = lambda step: step
        self._asked: list[tuple[Callable[[int], bool], bool]] = []

    def answers_alike(self, step: int) -> bool:
        """Return whether another step would have answered every question so far as this one did."""
        return all(question(step) == answer for question, answer in self._asked)

    def _derived(self, change: Callable[[int], int]) -> AskedStep:
        read, new = self._read, AskedStep(self._step)
        new._read, new._asked = lambda step: change(read(step)), self._asked
        return new

    def _ask(self, question: Callable[[int], bool]) -> bool:
        read = self._read
        answer = question(read(self._step))
        self._asked.append((lambda step: question(read(step)), answer))
        return answer

    def __mod__(self, other: int) -> AskedStep:
        return self._derived(lambda value: value % other)

    def __floordiv__(self, other: int) -> AskedStep:
        return self._derived(lambda value: value // other)

    def __add__(self, other: int) -> AskedStep:
        return self._derived(lambda value: value + other)

    def __sub__(self, other: int) -> AskedStep:
        return self._derived(lambda value: value - other)

    def __eq__(self, other: object) -> bool:
        return self._ask(lambda value: value == other)

    def __ne__(self, other: object) -> bool:
        return self._ask(lambda value: value != other)

    def __lt__(self, other: int) -> bool:
        return self._ask(lambda value: value < other)

    def __le__(self, other: int) -> bool:
        return self._ask(lambda value: value <= other)

    def __gt__(self, other: int) -> bool:
        return self._ask(lambda value: value > other)

    def __ge__(self, other: int) -> bool:
        return self._ask(lambda value: value >= other)

    def __bool__(self) -> bool:
        return self._ask(bool)

    # As Python itself does for a class that compares: mypy takes it for an override of object's.
    __hash__ = None  # type: ignore[assignment]


class Recorder(Protocol):
    """Takes down what a move makes a device do."""

    def rehearse(self, move: Callable[[], Terms]) -> None:
        """Make a move for real, a few times.

        Raises
        ------
        Exception
            Whatever stands in the way of recording it.
        """

    def record(self, move: Callable[[], Terms]) -> tuple[Callable[[], None], Terms]:
        """Return what repeats the move, and the tensors in which every repetition leaves its terms.

        Nothing has been changed when it returns, or raises.
        """


@dataclass(frozen=True)
class _Recording:
    step: AskedStep
    replay: Callable[[], None]
    terms: Terms


class Recordings:
    """Makes moves by replaying recordings of them, and records what it has none of.

    A move that has just been recorded has not been made: weights, moments and random numbers are as they were, so that
    a training resumed at any step repeats the one that was not interrupted.

    Parameters
    ----------
    recorder : Recorder
    networks : sequence of nn.Module
        All whose parameters and buffers a move may change.
    optimizers : sequence of Optimizer
        All whose moments a move may change. They begin at zero.
    say : callable
        Is given one sentence for each move that cannot be recorded.
    """

    def __init__(
        self,
        recorder: Recorder,
        networks: Sequence[nn.Module],
        optimizers: Sequence[Optimizer],
        say: Callable[[str], None],
    ) -> None:
        self._recorder, self._networks, self._optimizers, self._say = recorder, networks, optimizers, say
        self._recordings: dict[str, list[_Recording]] = {}
        self._unrecordable: set[str] = set()

    def __call__(self, name: str, move: Move, step: int) -> Terms:
        """Make a move. Its terms are overwritten by the next one's."""
        if name in self._unrecordable:
            return move(step)
        known = self._recordings.setdefault(name, [])
        recording = next((r for r in known if r.step.answers_alike(step)), None)
        if recording is None:
            try:
                if len(known) == MOST_RECORDINGS:
                    raise NotRecordableError(f"it does something else at nearly every step ({MOST_RECORDINGS} seen)")
                recording = self._record(move, step)
            except Exception as error:  # Python makes the same move, or fails in its own words
                self._unrecordable.add(name)
                self._recordings.clear()  # a capture that failed parts older graphs from the generator that is seeded
                reason = str(error).strip().split("\n")[0] or type(error).__name__
                self._say(f"{name} is not replayed as a CUDA graph, which is slower: {reason}")
                return move(step)
            known.append(recording)
        recording.replay()
        return recording.terms

    def _record(self, move: Move, step: int) -> _Recording:
        with self._taken_back():
            self._recorder.rehearse(lambda: move(step))
        asked = AskedStep(step)
        with self._taken_back():
            replay, terms = self._recorder.record(lambda: move(cast(int, asked)))
        return _Recording(asked, replay, {name: term.detach() for name, term in terms.items()})

    @contextmanager
    def _taken_back(self) -> Iterator[None]:
        """Undo what happens inside: weights, buffers, moments and random numbers are put back where they lie."""
        tensors, moments = self._tensors(), {id(t): t.clone() for t in self._moments()}
        values, randomness = [t.detach().clone() for t in tensors], _random_states()
        try:
            yield
        finally:
            _restore_random_states(randomness)
            with torch.no_grad():
                for tensor, value in zip(self._tensors(), values, strict=True):
                    tensor.copy_(value)
                for moment in self._moments():
                    moment.copy_(moments[id(moment)]) if id(moment) in moments else moment.zero_()
        if any(now is not before for now, before in zip(self._tensors(), tensors, strict=True)):
            raise NotRecordableError("it puts a new tensor in the place of a buffer, instead of changing it")

    def _tensors(self) -> list[Tensor]:
        return [t for network in self._networks for t in [*network.parameters(), *network.buffers()]]

    def _moments(self) -> list[Tensor]:
        states = [state for optimizer in self._optimizers for state in optimizer.state.values()]
        return [value for state in states for value in state.values() if isinstance(value, Tensor)]


def _random_states() -> list[Tensor]:
    on_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return [torch.get_rng_state(), *on_gpus]


def _restore_random_states(states: list[Tensor]) -> None:
    torch.set_rng_state(states[0])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states[1:])


class CudaRecorder:
    """Captures moves as CUDA graphs, all in one pool of memory.

    Graphs may share it as they do not run beside each other, and as what one leaves for others lies elsewhere: terms
    alone lie in it, and are read before the next graph runs.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        # Rehearsed and captured on one stream: autograd brings gradients to the stream a weight was first used on.
        self.stream = torch.cuda.Stream(device)
        self.pool = torch.cuda.graph_pool_handle()

    def rehearse(self, move: Callable[[], Terms]) -> None:
        """Make a move three times on the capturing stream; the last time, what waits for the GPU is an error."""
        main, strictness = torch.cuda.current_stream(self.device), torch.cuda.get_sync_debug_mode()
        self.stream.wait_stream(main)
        try:
            with torch.cuda.stream(self.stream), _no_autocast_cache():
                for _ in range(REHEARSALS - 1):
                    move()
                torch.cuda.set_sync_debug_mode("error")
                move()
        finally:
            torch.cuda.set_sync_debug_mode(strictness)
            main.wait_stream(self.stream)

    def record(self, move: Callable[[], Terms]) -> tuple[Callable[[], None], Terms]:
        """Capture a move."""
        main, graph = torch.cuda.current_stream(self.device), torch.cuda.CUDAGraph()
        try:
            with (
                drawing_nothing_on_the_processor(),
                torch.cuda.graph(graph, pool=self.pool, stream=self.stream),
                _no_autocast_cache(),
            ):
                terms = move()
        except Exception:
            self._leave_capture(main)
            raise
        return graph.replay, terms

    def _leave_capture(self, main: torch.cuda.Stream) -> None:
        """A capture that failed leaves its stream current, and its generator still counting for the graph."""
        torch.cuda.set_stream(main)
        index = torch.cuda.current_device() if self.device.index is None else self.device.index
        fresh = torch.Generator(self.device)
        torch.cuda.default_generators[index].graphsafe_set_state(fresh.graphsafe_get_state())
        self.pool = torch.cuda.graph_pool_handle()


@contextmanager
def drawing_nothing_on_the_processor() -> Iterator[None]:
    """Refuse what draws random numbers on the processor: a graph would repeat what it did with them for ever.

    Raises
    ------
    NotRecordableError
    """
    before = torch.get_rng_state()
    yield
    if not torch.equal(before, torch.get_rng_state()):
        raise NotRecordableError("it draws random numbers on the processor")


@contextmanager
def _no_autocast_cache() -> Iterator[None]:
    """Weights are cast anew where they are used: a cast kept from outside a graph would be an old weight in it."""
    before = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(before)
