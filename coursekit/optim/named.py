"""The book's rules as optimizers, under the names that torch gives their peers."""

from .. import rules
from .optimizer import from_rule

GradientDescent = from_rule(rules.gradient_descent)
HeavyBall = from_rule(rules.heavy_ball)
Nesterov = from_rule(rules.nesterov)
Adagrad = from_rule(rules.adagrad)
AdagradNorm = from_rule(rules.adagrad_norm)
RMSprop = from_rule(rules.rmsprop, "RMSprop")
Adam = from_rule(rules.adam)
AdamW = from_rule(rules.adamw, "AdamW")
AMSGrad = from_rule(rules.amsgrad, "AMSGrad")
AMGT = from_rule(rules.amgt, "AMGT")
Lion = from_rule(rules.lion)
SignDescent = from_rule(rules.sign_descent)
