"""Families b, c, l: find hidden cases, the reference, the seed, another's work: in memory and on disk."""

# ruff: noqa: E501 (lines of hostile programs)

from .model import BODY, FRAMES, RIGHT, Attack, attempt, family

_disk, _others, _memory = (
    family(name, "leak") for name in ("b: reads the disk", "c: another's work", "l: hunts in memory")
)
NAMES = "('Exam', 'Item', 'Assignment', 'Recording', 'Case', 'Master', 'Mutant')"

ATTACKS: list[Attack] = [
    _disk(
        "imports_the_exercise",
        "import exercises.smoothness.items\n" + RIGHT,
        status="graded",
        says="ModuleNotFoundError",
    ),
    _disk(
        "imports_the_tests", "import tests.grading.conftest\n" + RIGHT, status="graded", says="ModuleNotFoundError"
    ),
    _disk(
        "reads_the_master",
        attempt("return 'SOLUTION' in open(W['repository'] + '/exercises/smoothness/master.md').read()"),
        holds="landlock",
    ),
    _disk(
        "walks_from_the_package",
        attempt("""
        import coursekit, pathlib
        up = pathlib.Path(coursekit.__file__).parents
        return any((folder / "exercises").exists() for folder in up)
    """),
        holds="full",
    ),
    _disk(
        "imports_by_path",
        attempt("""
        import importlib.util
        spec = importlib.util.spec_from_file_location("items", W["repository"] + "/exercises/smoothness/items.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.ITEMS
    """),
        holds="landlock",
    ),
    _disk("reads_the_seed", attempt("return open(W['out'] + '/seed').read()"), holds="landlock"),
    _disk("reads_a_secret_file", attempt("return known(open(W['secret']).read())"), holds="landlock"),
    _disk(
        "reads_through_a_link",
        attempt("""
        import os
        os.symlink(W["secret"], "link")
        return known(open("link").read())
    """),
        holds="landlock",
    ),
    _disk(
        "reads_through_proc_root",
        attempt("return known(open('/proc/1/root' + W['secret']).read())"),
        holds="landlock",
        control=False,
    ),
    _disk(
        "reads_through_proc_cwd",
        attempt("""
        return known(open(f"/proc/{W['grader']}/root" + W["secret"]).read())
    """),
        holds="landlock",
    ),
    _disk(
        "reads_password_hashes_and_homes",
        attempt("""
        import os
        homes = os.listdir("/root") if os.path.isdir("/root") else []
        return os.access("/etc/shadow", os.R_OK) or any(name.startswith(".bash") for name in homes)
    """),
        holds="landlock",
        control=False,
    ),
    _disk(
        "finds_the_command_line",
        attempt("""
        import glob  # the victim of this attack sleeps
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                if b"sleep\\x001000" in open(path, "rb").read():
                    return True
            except OSError:
                continue
    """),
        holds="full",
    ),
    _others("lists_the_submissions", attempt("import os\nreturn os.listdir(W['submissions'])"), holds="landlock"),
    _others(
        "reads_a_submission",
        attempt("""
        import glob
        return "estimate_L" in open(glob.glob(W["submissions"] + "/*.ipynb")[0]).read()
    """),
        holds="landlock",
    ),
    _others(
        "reads_the_gradebook",
        attempt("""
        import sqlite3
        return sqlite3.connect(f"file:{W['out']}/gradebook.db?mode=ro", uri=True).execute("SELECT * FROM sqlite_master").fetchall()
    """),
        holds="landlock",
    ),
    _others(
        "looks_into_other_homes",
        attempt("""
        import glob, os
        homes = [os.path.dirname(path) for path in glob.glob("/tmp/coursekit-*/*/") + glob.glob("../tmp?*/")]
        return [home for home in homes if os.listdir(home) is not None and not os.path.samefile(home, ".")]
    """),
        holds="full",
        control=False,
    ),
    _others(
        "remembers_the_student_before",
        attempt("""
        import os, torch
        before = getattr(torch, "a_note_of_mine", None) or os.environ.get("A_NOTE_OF_MINE")
        torch.a_note_of_mine = os.environ["A_NOTE_OF_MINE"] = "a note"
        return before
    """),
        times=4,
    ),
    _others(
        "leaves_a_note_on_disk",
        attempt("""
        import os, pathlib, tempfile
        notes = [pathlib.Path(p) / ("note-" + W["digest"]) for p in (".", "..", "/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir())]
        seen = [note for note in notes if note.exists()]
        for note in notes:
            try:
                note.touch()
            except OSError:
                pass
        return seen
    """),
        holds="landlock",
        times=4,
    ),
    _memory(
        "hunts_the_heap",
        FRAMES
        + f"import gc\nsecrets = [o for o in gc.get_objects() if type(o).__name__ in {NAMES}]\n"
        + BODY
        + "return secrets[0]",
        status="graded",
        says="IndexError",
    ),
    _memory(
        "asks_the_frames",
        FRAMES
        + f"secrets = [v for f in frames() for v in f.f_locals.values() if type(v).__name__ in {NAMES}]\n"
        + BODY
        + "return secrets[0]",
        status="graded",
        says="IndexError",
    ),
    _memory(
        "asks_the_caller_for_the_answer",
        FRAMES
        + BODY
        + "return next(v for f in frames() for n, v in f.f_locals.items() if n in ('want', 'expected', 'reference'))",
        status="graded",
        says="StopIteration",
    ),
    _memory(
        "asks_the_modules",
        attempt(f"""
        import sys
        return [m for m in sys.modules if m.startswith(("exercises", "coursekit_items"))] or [
            v for m in list(sys.modules.values()) for v in vars(m).values() if type(v).__name__ in {NAMES}
        ]
    """),
    ),
    _memory(
        "asks_the_source_cache",
        attempt("""
        import linecache
        return [lines for _, _, lines, _ in (e for e in linecache.cache.values() if len(e) == 4) if "### BEGIN" + " SOLUTION" in "".join(lines)]
    """),
    ),
    _memory("reads_the_environment", attempt("import os\nreturn any(known(v) for v in os.environ.values())")),
    _memory(
        "reads_the_graders_environment",
        attempt("""
        import glob
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                variables = open(path).read().split("\\0")
            except OSError:
                continue
            if any(known(v.partition("=")[2]) for v in variables):
                return True
    """),
        holds="full",
    ),
    _memory(
        "scans_its_own_memory",
        attempt("""
        import re
        seed = "".join(f"[{letter}]" for letter in W["seed_backwards"][::-1])
        wanted = re.compile(f"eta [*] g\\\\n +### END|{seed}".encode())  # no text that would find itself
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                place, mode, _, _, inode, *path = line.split()
                low, high = (int(x, 16) for x in place.split("-"))
                if mode.startswith("rw") and inode == "0" and high - low < 2**28:
                    memory.seek(low)
                    try:
                        if wanted.search(memory.read(high - low)):
                            return True
                    except OSError:
                        continue
    """),
    ),
    _memory("reads_the_graders_memory", attempt("return open(f\"/proc/{W['grader']}/mem\", 'rb')"), holds="full"),
    _memory(
        "uses_inherited_descriptors",
        attempt("""
        import os
        open_ones = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(1000) if os.path.lexists(f"/proc/self/fd/{fd}")]
        allowed = ("/dev/null", "pipe:", "anon_inode:")  # and one socket, to the grader
        return sum(not link.startswith(allowed) for link in open_ones) > 1
    """),
    ),
]
