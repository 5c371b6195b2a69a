"""The sandbox from both sides, in every tier that this machine has, as root and as an ordinary user.

The kernel is the oracle: what student code sees of it, and which of the doctor's attacks get through. The negative
control is the weakest tier, in which the same attacks succeed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import venv
from functools import cache
from pathlib import Path
from site import getsitepackages
from typing import Any

import pytest

from coursekit.grading import environment, landlock
from coursekit.grading.boundary import Worker, WorkerGone
from coursekit.grading.sandbox import Tier, best_tier, refusal
from coursekit.grading.self_attack import ATTACKS
from coursekit.grading.warm import StartFailed, Warm

from .as_user import COURSE, NOBODY, run
from .inside import HONEST

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="namespaces, seccomp and Landlock are Linux's")
USERS = (0, NOBODY) if os.geteuid() == 0 else (os.geteuid(),)
FOLDERS = ("/", "/root", "/home", "/etc", str(COURSE))  # student code lists these
NAMES = {attack.name for attack in ATTACKS}
BY_LIMITS = {attack.name for attack in ATTACKS if attack.holds is Tier.PROCESS}


def python(user: int, *arguments: str) -> str:
    """What ``python *arguments`` prints, as ``user``."""
    if user == os.geteuid() != 0:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=COURSE)
    else:
        done = run(user, arguments)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@cache
def report(user: int, tier: Tier) -> dict[str, Any]:
    """``inside`` as ``user``. Skips only where the kernel refuses the tier to that user."""
    why = python(user, "-c", f"from coursekit.grading.sandbox import *; print(refusal(Tier('{tier}')))").strip()
    if why != "None":
        pytest.skip(f"user {user} cannot have the tier {tier} here: {why}")
    found: dict[str, Any] = json.loads(python(user, "-m", "tests.grading.inside", tier, *FOLDERS))
    return found


RARE = pytest.param(0, Tier.LANDLOCK, marks=pytest.mark.soak)  # root without namespaces


@pytest.mark.parametrize(
    ("user", "tier"),
    [*((user, Tier.FULL) for user in USERS), (USERS[-1], Tier.LANDLOCK), *[RARE][: len(USERS) - 1]],
)
def test_promises_hold_and_honest_code_works(user: int, tier: Tier) -> None:
    found = report(user, tier)
    assert found["works"] == dict.fromkeys(HONEST, True)
    assert set(found["findings"]) == {*NAMES, "run an honest solution"}
    assert "BROKEN" not in found["findings"].values()
    through = {name for name, verdict in found["findings"].items() if verdict == "open"}
    assert through <= ({"learn that a file exists", "write 100 MB in files"} if tier is Tier.LANDLOCK else set())


@pytest.mark.parametrize("user", USERS[-1:])
def test_without_a_sandbox_the_same_attacks_get_through(user: int) -> None:
    found = report(user, Tier.PROCESS)
    assert found["works"] == dict.fromkeys(HONEST, True)
    through = {name for name, verdict in found["findings"].items() if verdict == "open"}
    not_for_users = {"have mounts of its own", "write into Python's library", "become root of a namespace"}
    assert NAMES - BY_LIMITS - not_for_users <= through <= NAMES - BY_LIMITS


@pytest.mark.parametrize("user", USERS)
def test_student_code_sees_an_empty_machine(user: int) -> None:
    found = report(user, Tier.FULL)
    seen, status = found["seen"], found["seen"]["status"]
    for folder, names in zip(FOLDERS, seen["folders"], strict=True):
        below = {
            Path(p).relative_to(folder).parts[0] for p in environment.readable() if Path(folder) in Path(p).parents
        }
        assert names == (
            sorted(below | ({"dev", "proc", "student"} if folder == "/" else set())) or "FileNotFoundError"
        )
    assert seen["files"] == []  # the student before left some
    assert seen["processes"] == ["1", "self", "thread-self"]
    assert seen["pids"] == [1, 0]
    assert seen["hostname"] == "sandbox"
    assert len(seen["descriptors"]) <= 5  # the standard three, the socket, and the folder that was being listed
    assert not set(seen["spaces"].values()) & set(found["spaces"].values())
    assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    (student,) = {*seen["ids"][0], *(seen["ids"][1] if user == 0 else ())}
    assert student == user if user else student not in (0, NOBODY)


def test_what_is_readable_holds_no_course() -> None:
    paths = [Path(path) for path in environment.readable()]
    assert any(path in Path(os.__file__).parents for path in paths)
    for secret in ("exercises", "tests", "book", ".git", "out/gradebook.db"):
        assert not any(path in (COURSE / secret, *(COURSE / secret).parents) for path in paths)


LOCKED = """
import os, tempfile
from coursekit.grading import landlock, privileges
from coursekit.grading.environment import readable
landlock.abi = lambda: {abi}
with tempfile.TemporaryDirectory() as home, tempfile.NamedTemporaryFile() as other:
    libraries = readable()
    if os.fork() == 0:
        privileges.give_up({user})
        landlock.restrict(home, libraries)
        import email.mime.text
        open(home + "/mine", "w").close()
        for mode in "ra":
            try:
                open(other.name, mode)
            except PermissionError:
                os.write(1, b"refused ")
        os._exit(0)
    os.wait()
"""


@pytest.mark.parametrize("abi", [3, 4, 5, 6])
def test_landlock_as_older_kernels_know_it(abi: int) -> None:
    if landlock.abi() < abi:
        pytest.skip(f"Landlock has ABI {landlock.abi()} here")
    code = LOCKED.format(abi=abi, user=USERS[-1])
    assert python(USERS[-1], "-c", code) == "refused refused "


def test_an_old_landlock_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 2)
    with pytest.raises(OSError, match="ABI 2"):
        landlock.restrict(str(tmp_path), [])


def replaced(folder: Path, patch: str) -> str:
    """An interpreter whose warm process has a fault: ``patch`` runs in it before anything else."""
    code = (
        f"{patch}\nimport runpy\nrunpy.run_module('coursekit.grading.zygote', run_name='__main__', alter_sys=True)"
    )
    (folder / "fault.py").write_text(code)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nshift 4\nexec {sys.executable} -I -B {folder}/fault.py "$@"\n')
    script.chmod(0o755)
    return str(script)


FAULTS: dict[str, tuple[str, str]] = {
    "a mount": (
        "from coursekit.grading import environment as e\ne.DEVICES = ('/dev/nowhere',)",
        "mount .*/dev/nowhere: No such file",
    ),
    "the filter": (
        "from coursekit.grading import seccomp as s\ns._MODE_FILTER = 77",
        r"the sandbox \(full\) cannot be set up: .*prctl 22: Invalid argument",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_sandbox_that_cannot_be_set_up_is_an_error(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := refusal(Tier.FULL):
        pytest.skip(f"no full sandbox here: {reason}")
    patch, message = FAULTS[fault]
    with Warm(Tier.FULL) as warm:
        monkeypatch.setattr(sys, "executable", replaced(tmp_path, patch))
        with pytest.raises(StartFailed, match=message):
            Worker(warm)


def test_the_best_tier_is_the_first_that_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert best_tier() is next(tier for tier in Tier if refusal(tier) is None)
    with Warm() as warm:
        assert warm.tier is best_tier()
    monkeypatch.setattr("coursekit.grading.sandbox.refusal", lambda tier: "no" if tier is Tier.FULL else None)
    assert best_tier() is Tier.LANDLOCK


def gone(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    for _ in range(1000):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def below(pid: int) -> list[int]:
    """The descendants of a process, as the machine sees them."""
    found = [pid]
    for parent in found:
        found += map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    return found[1:]


@pytest.mark.skipif(best_tier() is not Tier.FULL, reason="this machine does not offer the tier full")
def test_an_environment_among_temporary_files_has_the_same_sandbox(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (site / "here.pth").write_text("\n".join([str(COURSE), *getsitepackages()]))
    code = "from coursekit.grading.sandbox import *; print(refusal(Tier.FULL))"
    command = [tmp_path / "env" / "bin" / "python", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.stdout.strip() == "None", done.stdout + done.stderr


def test_nothing_outlives_a_warm_process_that_is_killed() -> None:
    with Warm() as warm:
        worker = Worker(warm)
        assert warm._process is not None
        descendants = below(warm._process.pid)
        assert len(descendants) >= 1
        os.kill(warm._process.pid, signal.SIGKILL)
        assert all(map(gone, descendants))
        with pytest.raises(WorkerGone):
            worker.execute("cell", "1", 5)
        again = Worker(warm)
        assert again.execute("cell", "1", 5) is None
        again.close()


def test_nothing_outlives_a_grader_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import time\nfrom coursekit.grading.boundary import Worker\nfrom coursekit.grading.warm import Warm\n"
        "warm = Warm()\nworker = Worker(warm)\nprint(warm._home, warm._process.pid, flush=True)\ntime.sleep(600)"
    )
    grader = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    with grader:
        assert grader.stdout is not None
        home, pid = grader.stdout.readline().split()
        processes = [int(pid), *below(int(pid))]
        assert len(processes) >= 2
        assert os.path.isdir(home)
        grader.kill()
    assert all(map(gone, processes))
    assert os.listdir(tmp_path) == []
