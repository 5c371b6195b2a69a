from .compression import Compressed, quantized, random_k, top_k
from .data_parallel import average_gradients
from .federated import LocalSteps

__all__ = ["Compressed", "LocalSteps", "average_gradients", "quantized", "random_k", "top_k"]
