"""What every test may ask for."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``device`` runs on the CPU and, marked gpu, on CUDA where there is one.

    torch is imported only if some test asks.
    """
    if "device" not in metafunc.fixturenames:
        return
    import torch

    devices = [pytest.param(torch.device("cpu"), id="cpu")]
    if torch.cuda.is_available():
        devices.append(pytest.param(torch.device("cuda"), id="cuda", marks=pytest.mark.gpu))
    metafunc.parametrize("device", devices)
