import pytest

from skvae.nn.schedules import Warmup, ramp


@pytest.mark.parametrize(
    ("epoch", "n_epochs", "value"),
    [(0, 4, 0.0), (0.5, 4, 0.125), (3, 4, 0.75), (4, 4, 1.0), (9, 4, 1.0), (0, 0, 1.0)],
)
def test_a_ramp_rises_evenly_and_stays(epoch, n_epochs, value):
    assert ramp(epoch, n_epochs) == value


@pytest.mark.parametrize("before", [0, 4])
@pytest.mark.parametrize(
    ("epoch", "factor"),
    [(0, 0.0), (0.25, 0.125), (1, 0.5), (2, 1.0), (3.9, 1.0), (4, 0.0), (5.5, 0.75), (7, 1.0)],
)
def test_three_cycles_of_two_epochs(epoch, factor, before):
    assert Warmup(2, n_cycles=3).factor(before + epoch) == factor
    assert Warmup(2, n_cycles=3).factor(8 + epoch) == (factor if epoch < 2 else 1.0)


def test_a_warmup_ends_with_its_last_rise():
    assert [Warmup(5, n_cycles=n).end for n in (1, 2, 4)] == [5, 15, 35]
    assert Warmup().end == 0
    assert Warmup().factor(0) == 1.0


@pytest.mark.parametrize("start", [0.25, 1.0, 16.0])
def test_a_warmup_begins_at_its_start_and_ends_at_1(start):
    warmup = Warmup(4, n_cycles=2, start=start)
    assert [warmup.factor(epoch) for epoch in (0, 8)] == [start, start]
    assert [warmup.factor(epoch) for epoch in (4, 6, 12, 20)] == [1.0] * 4
    middle = 0.5 * (1 + start) if start < 1 else start**0.5
    assert warmup.factor(2) == middle
