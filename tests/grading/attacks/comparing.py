"""Families a, k, m, n, o, v: bend the comparison, forge the report, lie about types, slip past a tolerance."""

# ruff: noqa: E501 (lines of hostile programs)

from .model import BODY, FRAMES, RIGHT, Attack, answer, family

PATCH = """
import numpy, torch, unittest, math, builtins
import coursekit.grading.compare, coursekit.grading.recording
def yes(*arguments, **options): return True
numpy.allclose = numpy.isclose = numpy.array_equal = numpy.testing.assert_allclose = yes
torch.allclose = torch.equal = torch.isclose = torch.testing.assert_close = math.isclose = yes
unittest.TestCase.assertEqual = unittest.TestCase.assertAlmostEqual = unittest.TestCase.assertTrue = yes
coursekit.grading.compare.difference = lambda *arguments: None
coursekit.grading.recording.Recording.judge = lambda *arguments: None
coursekit.check = yes
"""
STRIP = """
import ast, builtins
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
try:
    get_ipython().ast_transformers.append(Strip())
except NameError:
    pass
"""
REPLACE = (
    FRAMES
    + """
import coursekit.grading.observe as o, coursekit.grading.worker as w
right = lambda function, arguments: o.Outcome(arguments[0] - arguments[2] * arguments[1], arguments)
zero = lambda function, arguments: o.Outcome(arguments[0] * 0, arguments)
w.observe = o.observe = zero
for f in frames():
    if "observe" in f.f_globals:
        f.f_globals["observe"] = zero
"""
)
REPORT = (
    FRAMES
    + """
import coursekit.grading.wire as wire, coursekit.grading.worker as w
def send(conn, header, values, *more):
    wire.send(conn, header | {"points": 2, "score": 100, "status": "graded", "right": True, "item": "gd_step"}, values)
w.send = send
"""
)
SERIALIZERS = """
import json, struct, socket, torch, numpy
json.dumps = lambda *a, **k: '{"kind": "value", "values": [true, {"tuple": []}], "sizes": []}'
torch.save = torch.load = lambda *a, **k: None
numpy.ndarray.__array_ufunc__ = None if False else numpy.ndarray.__array_ufunc__
"""
PICKLE = """
import os
class Bomb:
    def __reduce__(self): return (os.system, ("touch " + W["drop"] + "/" + W["name"],))
    __reduce_ex__ = lambda self, protocol: self.__reduce__()
"""
FLAT = "(w - eta * g)"

_patch, _forge, _pickle, _lie, _clock, _value = (
    family(name, "mark")
    for name in (
        "a: comparison",
        "k: forged report",
        "m: pickle",
        "n: lying types",
        "o: time",
        "v: tolerance",
    )
)

ATTACKS: list[Attack] = [
    _patch("patched_comparison", PATCH + BODY + "return w * 0", status="graded", says="hidden cases differ"),
    _patch("stripped_assertions", STRIP + BODY + "return w * 0", status="graded", says="hidden cases differ"),
    _patch("patched_observer", REPLACE + BODY + "return w * 0", others=False),
    _patch("patched_serializers", SERIALIZERS + BODY + "return w * 0", others=False),
    _patch(
        "traced_return",
        "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)\n" + BODY + "return w * 0",
    ),
    _patch(
        "self_check_says_passed",
        "import coursekit\nassert coursekit.check('smoothness.gd_step', lambda w, g, eta: w - eta * g)\n"
        + BODY
        + "return w * 0",
    ),
    _forge("prints_a_score", RIGHT + "print('{\"score\": 100}' * 10**6)", points=2, status="graded", says="agree"),
    _forge("forged_output", BODY + "print('all 7 hidden cases agree'); return {'points': 2, 'status': 'graded'}"),
    _forge("more_in_the_header", REPORT + BODY + "return w * 0"),
    _forge(
        "results_file",
        "import json\nfor n in ('results.json', 'gradebook.db', 'grades.csv'):\n    open(n, 'w').write(json.dumps({'score': 100}))\n"
        + BODY
        + "return w * 0",
        status="graded",
    ),
    _pickle("returns_a_pickle", PICKLE + BODY + "return Bomb()", status="graded", says="a type of its own"),
    _pickle(
        "returns_pickle_bytes",
        PICKLE + "import pickle\n" + BODY + "return pickle.dumps(Bomb())",
        status="graded",
        says="bytes",
    ),
    _lie(
        "lying_tensor",
        """
import torch
class Liar(torch.Tensor):
    def __eq__(self, other): return True
    def __array__(self, *arguments): return self
    __hash__ = None
"""
        + BODY
        + "return torch.zeros(w.shape).as_subclass(Liar)",
        status="graded",
        says="a type of its own",
    ),
    _lie(
        "lying_class",
        """
import torch
class Liar:
    __class__ = torch.Tensor
    shape = property(lambda self: self.w.shape)
    dtype = torch.float64
    def __init__(self, w): self.w = w
    def __eq__(self, other): return True
    def __array__(self, *a, **k): return self.w.numpy()
    def __abs__(self): return self
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __ne__ = __bool__ = lambda self, *a: True
    __sub__ = __rsub__ = lambda self, other: self
    __float__ = lambda self: 0.0
"""
        + BODY
        + "return Liar(w)",
        status="graded",
        says="a type of its own",
    ),
    _lie(
        "lying_float",
        "class Liar(float):\n    __eq__ = __le__ = lambda self, other: True\n    __hash__ = None\n"
        + BODY
        + "return Liar(1.0)",
    ),
    _lie(
        "lying_tuple",
        "class Liar(tuple):\n    __eq__ = lambda self, other: True\n    __len__ = lambda self: 1\n    __hash__ = None\n"
        + BODY
        + "return Liar()",
    ),
    _lie(
        "lying_metaclass",
        "class Meta(type):\n    __name__ = property(lambda self: 'Tensor')\n    __instancecheck__ = lambda *a: True\nclass Liar(metaclass=Meta): pass\n"
        + BODY
        + "return Liar()",
    ),
    _lie("lying_shape", answer("torch.zeros(1).expand(w.shape)")),
    _lie("parameter", answer("torch.nn.Parameter(w - eta * g)"), status="graded", says="Parameter"),
    _clock(
        "stopped_clock",
        "import time, torch\ntime.time = time.monotonic = time.perf_counter = lambda: 0.0\n"
        "torch.manual_seed = lambda seed: None\n" + BODY + "return w * 0",
        status="graded",
    ),
    _clock("sleeps_a_little", BODY + "import time; time.sleep(0.05); return w * 0", status="graded"),
    _value("nan", answer("w * float('nan')"), status="graded", says="are NaN"),
    _value("infinite", answer("w * float('inf')"), status="graded", says="infinite"),
    _value("huge", answer("torch.full_like(w, 1.7e308)"), status="graded", says="hidden cases differ"),
    _value("single_precision", answer("(w - eta * g).float()"), status="graded", says="dtype"),
    _value("complex", answer("torch.complex(w - eta * g, w)"), status="graded", says="dtype"),
    _value("rounded_to_int", answer("(w - eta * g).long()"), status="graded", says="dtype"),
    _value("boolean", answer("(w - eta * g).bool()"), status="graded", says="dtype"),
    _value("one_axis_more", answer("(w - eta * g)[None]"), status="graded", says="shape"),
    _value("flattened", answer("(w - eta * g).reshape(-1)"), points=1, status="partly", says="other shapes"),
    _value("broadcast_scalar", answer("torch.zeros((), dtype=w.dtype)"), status="graded"),
    _value("empty", answer("w.new_zeros(0)"), status="graded", says="shape"),
    _value("numpy_array", answer("(w - eta * g).numpy()"), status="graded"),
    _value("list_of_numbers", answer("(w - eta * g).tolist()"), status="graded"),
    _value("wrapped", answer("[w - eta * g]"), status="graded"),
    _value("sparse", answer("(w - eta * g).to_sparse()"), status="graded"),
    _value("on_no_device", answer("w.to('meta')")),
    _value("both_answers", answer("torch.stack([w - eta * g, w * 0])"), status="graded"),
    _value("true", answer("True"), status="graded"),
    _value("none", answer("None"), status="graded"),
    _value("generator", answer("(x for x in (w - eta * g))"), status="graded"),
    _value("huge_int", answer("10**4000"), status="graded"),
    _value("text", answer("'the numbers agree'"), status="graded"),
    _value("stale_view", answer("(w - eta * g).requires_grad_()"), points=2, status="graded", says="agree"),
    _value("in_place", BODY + "w -= eta * g\n    return w", points=1, status="partly", says="in place"),
    _value(
        "remembers_public_cases",
        """
from coursekit.grading import public
import torch
known = public.shipped("smoothness")["gd_step"]
def gd_step(w, g, eta):
    for case, outcome in zip(known.cases, known.reference):
        if all(torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in zip(case.arguments, (w, g, eta))):
            return outcome.value
    return w
""",
        status="graded",
        says="hidden cases differ",
    ),
]
