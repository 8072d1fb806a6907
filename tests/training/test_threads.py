import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from skvae.training.threads import one_torch_thread


@pytest.mark.usefixtures("two_threads")
def test_the_count_is_one_inside_and_comes_back_even_after_an_error():
    def fail():
        assert torch.get_num_threads() == 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), one_torch_thread():
        fail()
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_a_thread_born_meanwhile_has_the_usual_count():
    with one_torch_thread(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2


def test_each_of_several_holders_gets_its_own_count_back():
    def hold(count):
        torch.get_num_threads()  # a thread's first question sets it to the default
        torch.set_num_threads(count)
        barrier.wait()
        for _ in range(20):
            with one_torch_thread():
                assert torch.get_num_threads() == 1
        return torch.get_num_threads()

    before = torch.get_num_threads()
    barrier = threading.Barrier(4)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(hold, [1, 2, 1, 2])) == [1, 2, 1, 2]
        assert torch.get_num_threads() == before
    finally:
        torch.set_num_threads(before)
