"""The chunks of a sweep: what has an outcome is not trained again."""

from collections.abc import Callable, Sequence

from swept import NoRows, summary, swept_job

from pipeline.learning import trained_sweep
from pipeline.learning.outcomes import Outcome, Trial
from pipeline.learning.sweep_trainer import SweepTrainer
from pipeline.settings.configurations import Configurations
from pipeline.settings.params import Params


class Counted(SweepTrainer):
    """A trainer that notes the configurations that it trains, by their learning rates."""

    def __init__(self) -> None:
        super().__init__(summary(), NoRows(), NoRows())
        self.trained: list[float] = []

    def trials(
        self, jobs: Sequence[Params], advance: Callable[[int], object] = lambda _: None
    ) -> list[Trial]:
        self.trained += [job.train.lr for job in jobs]
        return super().trials(jobs, advance)


KINDS = [("sgd", 0.01), ("exact", 0.02), ("sgd", 0.03), ("exact", 0.04)]
TRIED = Configurations(
    ("train.optimizer", "train.lr"),
    tuple(KINDS),
    tuple(
        swept_job(train__optimizer=kind, train__lr=lr, train__reduce_rows="auto", train__epochs=5)
        for kind, lr in KINDS
    ),
)


def swept(done: dict[int, Outcome], first: int = 1) -> tuple[list[float], list[Outcome], int]:
    """Return the learning rates of what was trained, its outcomes, and the epochs that are over."""
    sweep, epochs = Counted(), [0]
    chunks = [*trained_sweep.chunks(sweep, TRIED, done, first, epochs.append)]
    return sweep.trained, [each for chunk in chunks for each in chunk], sum(epochs)


def test_what_is_done_is_not_trained_again() -> None:
    trained, outcomes, epochs = swept({})
    assert trained == [0.01, 0.03, 0.02, 0.04]
    assert [each.number for each in outcomes] == [1, 3, 2, 4]
    done = {each.number: each for each in outcomes}
    assert swept(done) == ([], [], epochs)
    assert swept({number: done[number] for number in (1, 2, 3)}) == ([0.04], outcomes[3:], epochs)


def test_a_chunk_that_was_cut_off_is_trained_again_as_a_whole() -> None:
    """What is trained together has the same bits only together."""
    _, outcomes, _ = swept({})
    done = {each.number: each for each in outcomes if each.number > 1}
    assert swept(done)[:2] == ([0.01, 0.03], outcomes[:2])


def test_the_numbers_of_a_later_batch_go_on() -> None:
    _, outcomes, _ = swept({}, first=11)
    done = {each.number: each for each in outcomes}
    assert sorted(done) == [11, 12, 13, 14]
    assert swept(done, first=11)[0] == []
    assert len(swept(done)[0]) == 4
