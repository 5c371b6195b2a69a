"""Family w: what a student's process can put on the line to the grader."""

# ruff: noqa: E501 (lines of hostile programs)

from .model import BODY, FRAMES, RIGHT, Attack, family

_wire = family("w: protocol", "cost")

# What speaks instead of the worker: ``say(header, body)`` sends a well framed message, ``raw`` anything.
SPEAK = (
    FRAMES
    + """
import json, os, struct, time
header = next(f.f_locals["header"] for f in frames() if "header" in f.f_locals)
def raw(data): conn.settimeout(None); conn.sendall(data)
def say(head, body=b""):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    raw(struct.pack("<II", len(head), len(head) + len(body)) + head + body)
def value(tree, body=b"", **more):
    say({"kind": "value", "id": header["id"], "values": [tree, {"tuple": []}], "sizes": [len(body)] * bool(body)} | more, body)
def array(dtype, shape, place=0, kind="tensor"):
    return {kind: [dtype, shape, place]}
"""
)


def speaks(name: str, statement: str, **more: object) -> Attack:
    """Says ``statement`` when its cell runs, and then waits to be believed."""
    return _wire(name, SPEAK + statement + "\ntime.sleep(1e6)\n" + RIGHT, **({"status": "crashed"} | more))


ATTACKS: list[Attack] = [
    _wire(
        "garbage_on_every_descriptor",
        """
import os
for fd in range(1, 64):
    try:
        os.write(fd, b"\\xff" * 64)
    except OSError:
        pass
"""
        + RIGHT,
        status="crashed",
        says="size limit",
    ),
    _wire(
        "forged_reply",
        SPEAK + 'header = {"id": "0" * 16}\nvalue(None)\n' + RIGHT,
        status="crashed",
        says="nobody asked for",
    ),
    _wire("forged_reply_with_the_right_name", SPEAK + "value(None)\n" + BODY + "return w * 0", others=False),
    _wire(
        "swallows_the_request",
        SPEAK
        + "conn.setblocking(True)\nimport threading\nthreading.Thread(target=conn.recv, args=(10**6,), daemon=True).start()\n"
        + BODY
        + "return w * 0",
        others=False,
    ),
    _wire(
        "drip",
        FRAMES + "import time\nwhile True:\n    conn.sendall(b'\\1')\n    time.sleep(1)",
        status="timed out",
        says="time limit",
    ),
    _wire(
        "half_a_message",
        FRAMES + "import time\nconn.sendall(b'\\xff\\0\\0\\0\\xff\\0\\0\\0{')\ntime.sleep(1e6)",
        status="timed out",
    ),
    _wire("hangs_up", FRAMES + "conn.shutdown(2)\n" + RIGHT, status="crashed"),
    _wire("closes_everything", "import os\nos.closerange(0, 1000)\n" + RIGHT, status="crashed"),
    _wire("another_line", FRAMES + "import os\nos.dup2(os.open('/dev/null', os.O_RDWR), conn.fileno())\n" + RIGHT),
    _wire(
        "sends_descriptors",
        FRAMES + "import socket, os\nfor _ in range(20): socket.send_fds(conn, [b'\\0'], [0] * 50)\n" + RIGHT,
        others=False,
    ),
    speaks("length_that_lies", "raw(struct.pack('<II', 100, 10) + b'x' * 10)", says="size limit"),
    speaks("length_of_gigabytes", "raw(struct.pack('<II', 16, 2**32 - 1))", says="size limit"),
    speaks("header_of_megabytes", "say(b'[' * 2**20)", says="size limit"),
    speaks("nothing_at_all", "say(b'')"),
    speaks("deep_json", "say(b'[' * 200_000)"),
    speaks("number_of_digits", "say(b'{\"values\": [' + b'9' * 200_000 + b'], \"sizes\": []}')"),
    speaks("not_a_number", 'say(b\'{"kind": "value", "values": [NaN, Infinity], "sizes": []}\')'),
    speaks("not_text", "say(b'\\xff\\xfe\\x00\\xd8' * 100)"),
    speaks("same_name_twice", 'say(b\'{"id": 1, "id": 2, "values": [], "values": {}, "sizes": []}\')'),
    speaks("bad_number", "header = {'id': True}\nvalue(None)", says="nobody asked for"),
    speaks("number_that_is_a_list", "header = {'id': [header['id']]}\nvalue(None)", says="nobody asked for"),
    speaks("unknown_kind", "value(None, kind='points')", says="wrong form"),
    speaks("asks_back", "value(None, kind='execute')"),
    speaks(
        "callback_of_nobody",
        "say({'kind': 'evaluate', 'id': header['id'], 'values': ['../../seed', 10**9], 'sizes': []})",
    ),
    speaks(
        "failure_with_a_forged_line",
        "say({'kind': 'failure', 'id': header['id'], 'values': ['E', 'm', True], 'sizes': []})",
        status="",
        others=False,
    ),
    speaks(
        "failure_that_is_no_text",
        "say({'kind': 'failure', 'id': header['id'], 'values': [{'list': []}, 1, 1], 'sizes': []})",
    ),
    speaks("shape_bomb", "value(array('float64', [2**31, 2**31]), b'x' * 8)"),
    speaks("shape_of_nothing", "value(array('float64', [2**30] * 7 + [0]))"),
    speaks("negative_shape", "value(array('float64', [-1]), b'x' * 8)"),
    speaks("object_array", "value(array('object', [1]), b'x' * 8)"),
    speaks("array_of_records", "value(array('V8', [1], kind='numpy'), b'x' * 8)"),
    speaks("array_of_dates", "value(array('M8[s]', [1], kind='numpy'), b'x' * 8)"),
    speaks("no_such_array", "value(array('float64', [1], 10**9), b'x' * 8)"),
    speaks("array_number_true", "value(array('float64', [1], True), b'x' * 8)"),
    speaks("one_array_a_thousand_times", "value({'list': [array('uint8', [2**23])] * 1000}, b'x' * 2**23)"),
    speaks("pickled_value", "value({'pickle': 'Y29zCnN5c3RlbQo='})"),
    speaks(
        "sixty_megabytes_of_tiny_values", "say(b'{\"values\": [' + b'0,' * (30 * 2**20) + b'0], \"sizes\": []}')"
    ),
    speaks("a_header_full_of_tiny_values", "value({'list': [0] * 80_000})\n", status="", others=False),
    speaks("floats_of_kilobytes", "value({'float': '0x1.' + 'f' * 200_000 + 'p1'})", status="", others=False),
    speaks("floats_that_are_words", "value({'float': 'ten'})"),
    speaks("surrogates", "value('\\ud800' * 1000)", status="", others=False),
    speaks(
        "evil_failure",
        "say({'kind': 'failure', 'id': header['id'], 'values': ['=cmd|<script>', '\\x1b[31m\\u202e\\ud800=1+1' * 1000, 7], 'sizes': []})",
        status="",
        others=False,
    ),
]
