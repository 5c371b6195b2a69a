"""Two processes train one network together: the path of one process on the whole mini-batch, to 1e-12."""

import pytest
import torch
from torch import multiprocessing

from coursekit.distributed import average_gradients
from tests.two_processes import OPTIMIZERS, SHARES, train, work


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list[dict]:
    """What both processes saw, this one and a spawned one: the path of all parameters, by optimizer and shares."""
    folder = tmp_path_factory.mktemp("processes")
    other = multiprocessing.spawn(work, (str(folder),), nprocs=1, join=False)
    here = work(1, str(folder))
    while not other.join():
        pass
    return [torch.load(folder / "0.pt"), here]


def one_process(name: str) -> torch.Tensor:
    return train(name, SHARES["whole"][0], None)


def gap(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max())


@pytest.mark.parametrize("how", ["equal", "unequal", "one idle"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_two_processes_go_where_one_goes(paths, name: str, how: str) -> None:
    here, there = (p[name, how] for p in paths)
    assert torch.equal(here, there)
    assert gap(here, one_process(name)) < 1e-12


def test_a_mean_without_weights_is_right_for_equal_shares_only(paths) -> None:
    whole = one_process("torch's")
    assert gap(paths[0]["plain mean", "equal"], whole) < 1e-12
    assert gap(paths[0]["plain mean", "unequal"], whole) > 1e-2


def test_without_an_exchange_each_goes_its_own_way(paths) -> None:
    for how in ("equal", "unequal"):
        here, there = (p["none", how] for p in paths)
        assert gap(here, there) > 1e-2
        assert gap(here, one_process("torch's")) > 1e-2


def test_bad_input_is_refused_at_the_door(paths) -> None:
    assert [p["told"] for p in paths] == ["examples must not be 0 in all processes"] * 2
    w = torch.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="examples must be at least 0, got -1"):
        average_gradients([w], -1)
    with pytest.raises(ValueError, match="params must hold tensors that require gradients, got none"):
        average_gradients([w.detach()], 1)
