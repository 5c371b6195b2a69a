"""What the optimizer tests share."""

import pytest


@pytest.fixture(scope="session")
def compiler() -> None:
    """Skips the test where ``torch.compile`` finds no C++ compiler."""
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        pytest.skip("torch.compile needs a C++ compiler and finds none")
