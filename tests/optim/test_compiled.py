"""The compiled step takes torch's path, and a new learning rate or step number compiles nothing again."""

import pytest
import torch
from torch._dynamo.utils import counters

from coursekit import optim
from tests.optim.side_by_side import gap, two_groups

pytestmark = pytest.mark.filterwarnings("ignore")  # torch.compile warns about itself


@pytest.fixture(scope="module")
def compiler() -> None:
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        pytest.skip("torch.compile needs a C++ compiler and finds none")


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize(
    ("ours", "options", "peer", "peer_options"),
    [
        (optim.HeavyBall, {}, torch.optim.SGD, {"momentum": 0.9}),
        (optim.AdamW, {"wd": 0.1}, torch.optim.AdamW, {"weight_decay": 0.1}),
    ],
    ids=["heavy ball", "AdamW"],
)
def test_same_path_as_torch_and_one_compilation(ours, options, peer, peer_options) -> None:
    torch._dynamo.reset()
    counters.clear()
    difference = gap(
        lambda n: ours(two_groups(n), lr=0.01, compile=True, **options),
        lambda n: peer(two_groups(n), lr=0.01, **peer_options),
        after=lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.95),
    )
    assert difference < 1e-12
    # One for each list of tensors that occurs, none for the 100 learning rates and step numbers.
    assert 2 <= counters["stats"]["unique_graphs"] <= 4
