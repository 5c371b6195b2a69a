"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--elsewhere", action="store_true", help="tests that take a device also run on tests/elsewhere.py's"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``device`` runs on the CPU; marked gpu, on CUDA where there is one; elsewhere if told.

    torch is imported only if some test asks.
    """
    if "device" not in metafunc.fixturenames:
        return
    import torch

    devices = [pytest.param("cpu", id="cpu")]
    if torch.cuda.is_available():
        devices.append(pytest.param("cuda", id="cuda", marks=pytest.mark.gpu))
    if metafunc.config.getoption("elsewhere"):
        devices.append(pytest.param("meta", id="elsewhere"))
    metafunc.parametrize("device", devices, indirect=True, scope="module")


@pytest.fixture(scope="module")
def device(request: pytest.FixtureRequest) -> Iterator[torch.device]:
    """Where this test runs. The tensors and problems of its module are there too: see tests/devices.py."""
    import torch

    device = torch.device(request.param)
    with ExitStack() as stack:
        if device.type != "cpu":
            from .devices import living_on
            from .elsewhere import ELSEWHERE, pretended

            if device == ELSEWHERE:
                stack.enter_context(pretended())
            stack.enter_context(living_on(device, request.module))
        yield device


@pytest.fixture(scope="session")
def compiler() -> None:
    """Skips the test where ``torch.compile`` finds no C++ compiler."""
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        pytest.skip("torch.compile needs a C++ compiler and finds none")
