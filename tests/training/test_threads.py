import random
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter

import pytest
import torch

from skvae.training import threads
from skvae.training.threads import SMALL_STEP, at_one_torch_thread, in_threads_for


def count_of_new_threads():
    with threads._thread_lock, ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


@pytest.fixture
def two_threads():
    """Have two threads here, and three in threads that have yet to use torch."""
    before, of_new_threads = torch.get_num_threads(), count_of_new_threads()
    torch.set_num_threads(2)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(torch.set_num_threads, 3).result()
    yield
    torch.set_num_threads(before)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(torch.set_num_threads, of_new_threads).result()


@pytest.mark.usefixtures("two_threads")
def test_the_count_is_one_inside_and_comes_back_even_after_an_error():
    def fail():
        assert torch.get_num_threads() == 1
        raise ZeroDivisionError

    assert at_one_torch_thread(torch.get_num_threads) == 1
    with pytest.raises(ZeroDivisionError):
        at_one_torch_thread(fail)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("step", "n_threads"), [(SMALL_STEP - 1, 1), (SMALL_STEP, 2)])
@pytest.mark.usefixtures("two_threads")
def test_small_steps_have_one_thread(step, n_threads):
    assert in_threads_for(step, torch.get_num_threads) == n_threads
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_thread_born_meanwhile_has_the_usual_count():
    assert at_one_torch_thread(count_of_new_threads) == 3
    assert count_of_new_threads() == 3


def test_each_of_several_holders_gets_its_own_count_back():
    def hold(count):
        torch.get_num_threads()  # a thread's first question sets it to the default
        torch.set_num_threads(count)
        barrier.wait()
        assert {at_one_torch_thread(torch.get_num_threads) for _ in range(20)} == {1}
        return torch.get_num_threads()

    before = torch.get_num_threads()
    barrier = threading.Barrier(4)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(hold, [1, 2, 1, 2])) == [1, 2, 1, 2]
        assert torch.get_num_threads() == before
    finally:
        torch.set_num_threads(before)


@contextmanager
def interrupt_before_instruction(number):
    """Raise KeyboardInterrupt before the given instruction that ``threads`` runs in this thread."""
    remaining = number

    def trace(frame, event, argument):
        nonlocal remaining
        if frame.f_code.co_filename != threads.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if remaining == 0:
                raise KeyboardInterrupt
            remaining -= 1
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # which Python 3.12 looks at in settrace
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.usefixtures("two_threads")
def test_an_interrupt_at_any_instruction_leaves_all_counts_as_they_were():
    for number in range(1000):
        try:
            with interrupt_before_instruction(number):
                at_one_torch_thread(lambda: None)
        except KeyboardInterrupt:
            counts = torch.get_num_threads(), count_of_new_threads()
            assert counts == (2, 3), f"after an interrupt before instruction {number}"
        else:
            break
    assert 100 < number < 999  # every instruction had its turn


@pytest.mark.usefixtures("two_threads", "alarm_interrupts")
def test_signals_at_random_times_leave_all_counts_as_they_were():
    begin = perf_counter()
    for _ in range(100):
        at_one_torch_thread(lambda: None)
    duration = (perf_counter() - begin) / 100
    rng, n_interrupts = random.Random(0), 0
    for _ in range(10_000):  # far more than it takes, on a machine however busy
        try:
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, duration))
            at_one_torch_thread(lambda: None)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            n_interrupts += 1
            assert (torch.get_num_threads(), count_of_new_threads()) == (2, 3)
            if n_interrupts == 100:
                break
    assert n_interrupts == 100
