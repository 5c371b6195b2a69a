"""What student code sees and can do in a sandbox, as JSON: ``python -m tests.grading.inside TIER``.

A script, so that it can be run as another user: see ``as_user``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from coursekit.grading.boundary import Worker
from coursekit.grading.doctor import examine
from coursekit.grading.sandbox import Tier
from coursekit.grading.warm import Warm

LOOK = """
import os
def look(folders):
    def names(folder):
        try:
            return sorted(os.listdir(folder))
        except OSError as error:
            return type(error).__name__
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
    return {"files": names("."), "folders": [names(folder) for folder in folders], "processes": names("/proc"),
            "descriptors": names("/proc/self/fd"), "status": status, "pids": [os.getpid(), os.getppid()],
            "ids": [os.getresuid(), os.getresgid(), os.getgroups()], "hostname": os.uname().nodename,
            "spaces": {name: os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "pid", "net", "ipc", "uts")}}
"""

# What students use, most of it loaded only when it is used.
HONEST: dict[str, str] = {
    "function": """class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    def backward(ctx, g):
        return 2 * g * ctx.saved_tensors[0]
x = torch.ones(3, requires_grad=True)
Square.apply(x).sum().backward()
assert x.grad.tolist() == [2, 2, 2]""",
    "optimizers": """o = torch.optim
for make in (o.SGD, o.Adam, o.AdamW, o.RMSprop, o.LBFGS):
    w = torch.ones(3, requires_grad=True)
    optimizer = make([w], lr=0.1)
    schedule = o.lr_scheduler.CosineAnnealingLR(optimizer, 5)
    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss
    optimizer.step(closure)
    schedule.step()
    assert w.norm() < 3 ** 0.5""",
    "func": """from torch.func import grad, hessian, jacrev, jvp, vmap
f = lambda w: (w ** 3).sum()
assert torch.equal(hessian(f)(torch.ones(2)), 6 * torch.eye(2))
assert jvp(f, (torch.ones(2),), (torch.ones(2),))[1] == 6
assert vmap(grad(f))(torch.ones(4, 2)).shape == (4, 2) and jacrev(f)(torch.ones(2)).shape == (2,)""",
    "linalg": """A = torch.randn(50, 50, dtype=torch.float64)
S = A @ A.T + torch.eye(50)
for f in (torch.linalg.eigh, torch.linalg.svd, torch.linalg.qr, torch.linalg.cholesky, torch.linalg.inv):
    f(S)
torch.linalg.lstsq(A, A), torch.linalg.matrix_norm(A, 2), torch.fft.fft(A), torch.linalg.eig(A)""",
    "print": "print(torch.randn(3, 3)), repr(torch.nn.Linear(2, 2)), f'{torch.tensor(1.5):.3f}'",
    "copy": """import copy, pickle
net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU(), torch.nn.Flatten())
assert copy.deepcopy(net)(torch.randn(2, 1, 5, 5)).shape == (2, 18)
pickle.loads(pickle.dumps(net))""",
    "layers": """net = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True)
torch.nn.functional.cross_entropy(net(torch.randn(2, 3, 8)).flatten(0, 1), torch.zeros(6).long()).backward()
torch.nn.LSTM(4, 4)(torch.randn(2, 1, 4))[0].sum().backward()
torch.nn.utils.parameters_to_vector(net.parameters())
torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(3, 3))(torch.ones(3))""",
    "data loader": """data = torch.utils.data.TensorDataset(torch.arange(10.0))
assert sum(x.sum() for (x,) in torch.utils.data.DataLoader(data, batch_size=3, shuffle=True)) == 45""",
    "files": """import io, pathlib, tempfile
torch.save({"w": torch.ones(3)}, "w.pt")
assert torch.load("w.pt")["w"].sum() == 3
np.savez("w.npz", a=np.ones(3))
assert np.load("w.npz")["a"].sum() == 3
with tempfile.NamedTemporaryFile("w") as file:
    file.write("x")
pathlib.Path("a/b").mkdir(parents=True)
pathlib.Path("a/b/c.txt").write_text("text")
pathlib.Path("a/b/c.txt").rename("c.txt")
assert (pathlib.Path.home() / "c.txt").read_text() == "text\"""",
    "distributions": """one = torch.ones(3, 3)
torch.distributions.Normal(0, 1).log_prob(one), torch.quasirandom.SobolEngine(2).draw(4)
torch.manual_seed(0), torch.randperm(5), torch.multinomial(one, 2), one.to_sparse() @ one
torch.special.erf(one), torch.histogram(torch.randn(9), 3), torch.cdist(one, one)""",
    "numpy": """np.random.default_rng(0).normal(size=3), np.random.seed(0), np.random.rand(3)
np.linalg.eigh(np.eye(3)), np.fft.fft(np.ones(4)), np.polyfit(range(4), range(4), 1)
np.ma.masked_array([1]), np.testing.assert_allclose(1, 1)""",
    "scipy": """from scipy import integrate, linalg, optimize, sparse, special, stats
assert optimize.minimize(lambda x: (x ** 2).sum(), np.ones(2)).success
sparse.linalg.eigsh(sparse.eye(20), 2), stats.ttest_ind([1, 2], [3, 5]), linalg.expm(np.eye(2))""",
    "sklearn": """from sklearn import datasets, decomposition, linear_model, model_selection
X, y = datasets.load_digits(return_X_y=True)
decomposition.PCA(2).fit(X)
linear_model.LogisticRegression(max_iter=5000).fit(*datasets.load_iris(return_X_y=True))
model_selection.train_test_split(X, y)""",
    "coursekit": """import coursekit
from coursekit.data import digits
assert digits(10)[0].shape == (10, 64)
assert coursekit.check("smoothness.gd_step", lambda w, g, eta: w - eta * g)""",
    "threads": """import threading, concurrent.futures
torch.set_num_threads(2)
torch.randn(500, 500) @ torch.randn(500, 500), torch.sort(torch.randn(100000))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert list(pool.map(abs, [-1, -2])) == [1, 2]""",
    "figure": """import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.title("$\\\\alpha$")
plt.savefig("figure.png")""",
    "standard library": """import datetime, decimal, getpass, logging, platform
import random, sqlite3, time, uuid, zoneinfo
random.seed(), uuid.uuid4(), platform.platform(), os.cpu_count(), getpass.getuser()
sqlite3.connect(":memory:").execute("select 1"), time.sleep(0.01), logging.getLogger().info("")
datetime.datetime.now(zoneinfo.ZoneInfo("UTC")), decimal.Decimal(1) / 3
from tqdm import tqdm
list(tqdm(range(3)))""",
}


def honest(name: str) -> str:
    """A cell that defines ``honest``, which returns True if all went well."""
    lines = "".join(f"    {line}\n" for line in HONEST[name].splitlines())
    return f"import os, torch, numpy as np\ndef honest():\n{lines}    return True\n"


def main(tier: Tier, folders: list[str]) -> dict[str, Any]:
    """All that the tests ask about ``tier``, from one warm process."""
    with Warm(tier) as warm:

        def ask(source: str, function: str, *arguments: Any) -> Any:
            worker = Worker(warm)
            try:
                failure = worker.execute("cell", source, 30)
                outcome = worker.call(function, arguments, time.monotonic() + 30)
                return str(failure or outcome.failure) if failure or outcome.failure else outcome.value
            finally:
                worker.close()

        works = {name: ask(honest(name), "honest") for name in HONEST}  # the first also leaves files behind
        seen = ask(LOOK, "look", folders)
        findings = {finding.name: finding.verdict for finding in examine(warm)}
    mine = {name: os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "pid", "net", "ipc", "uts")}
    return {"works": works, "seen": seen, "findings": findings, "spaces": mine}


if __name__ == "__main__":
    print(json.dumps(main(Tier(sys.argv[1]), sys.argv[2:])))
