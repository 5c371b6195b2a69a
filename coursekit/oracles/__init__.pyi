from .oracle import Calls, Oracle, Wrapper, as_oracle
from .stochastic import AdditiveNoise, Epochs, MiniBatch, Stochastic

__all__ = ["AdditiveNoise", "Calls", "Epochs", "MiniBatch", "Oracle", "Stochastic", "Wrapper", "as_oracle"]
