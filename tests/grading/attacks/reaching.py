"""Families d, i, j: write results and files outside, reach the network and other channels of the machine."""

# ruff: noqa: E501 (lines of hostile programs)

from .model import LIBC, Attack, attempt, family

_write, _outside, _net, _ipc = (
    family(name, "reach")
    for name in ("d: writes results", "i: writes outside", "j: network", "j: channels of the machine")
)
LIB = "\n".join("        " + line for line in LIBC.strip().splitlines()) + "\n"

ATTACKS: list[Attack] = [
    _write(
        "writes_the_gradebook",
        attempt("""
        import sqlite3
        book = sqlite3.connect(W["out"] + "/gradebook.db", timeout=0.2)
        book.execute("CREATE TABLE stolen (x)")
        book.rollback()
        return True
    """),
        holds="landlock",
    ),
    _write(
        "writes_the_table", attempt("open(W['out'] + '/notes.csv', 'w').write('x')\nreturn True"), holds="landlock"
    ),
    _write(
        "writes_a_submission",
        attempt("""
        open(W["submissions"] + "/.later", "w").write("x")
        return True
    """),
        holds="landlock",
    ),
    _write(
        "writes_the_package",
        attempt("""
        import coursekit.grading.wire as wire
        return open(wire.__file__, "r+b")  # opened, not written: in the weakest tier it would be the real one
    """),
        holds="landlock",
    ),
    _write(
        "writes_the_environment", attempt("import torch\nreturn open(torch.__file__, 'r+b')"), holds="landlock"
    ),
    _outside(
        "writes_outside",
        attempt("open(W['drop'] + '/' + W['name'], 'w').write('x')\nreturn True"),
        holds="landlock",
    ),
    _outside("overwrites_a_file", attempt("open(W['canary'], 'a').write('x')\nreturn True"), holds="landlock"),
    _outside(
        "links_a_file_outside",
        attempt("""
        import os
        os.link(W["canary"], W["drop"] + "/" + W["name"])
        return True
    """),
        holds="landlock",
    ),
    _outside(
        "opens_by_handle",
        attempt(
            LIB
            + """
        handle = ctypes.create_string_buffer(200)
        ctypes.c_uint.from_buffer(handle).value = 128
        mount = ctypes.c_int()
        root = W["secret"].encode()
        libc.name_to_handle_at(-100, root, handle, ctypes.byref(mount), 0)
        return libc.open_by_handle_at(os.open("/", os.O_RDONLY), handle, os.O_RDONLY) >= 0
    """
        ),
        holds="full",
        control=False,
    ),
    _outside(
        "climbs_out_of_its_root",
        attempt("""
        import os
        os.mkdir("jail")
        here = os.open(".", os.O_RDONLY)
        os.chroot("jail")
        os.fchdir(here)
        for _ in range(50):
            os.chdir("..")
        os.chroot(".")
        return known(open(W["secret"]).read())
    """),
        holds="landlock",
        control=False,
    ),
    _outside(
        "makes_a_device",
        attempt("""
        import os, stat
        os.mknod("disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))
        return True
    """),
        holds="full",
        control=False,
    ),
    _outside(
        "writes_to_the_kernel",
        attempt("return open('/proc/sys/kernel/core_pattern', 'r+')"),
        holds="landlock",
        control=False,
    ),
    _net(
        "connects_by_tcp",
        attempt("""
        import socket
        with socket.create_connection(("127.0.0.1", W["tcp"]), timeout=1) as connection:
            connection.sendall(W["name"].encode())
        return True
    """),
        holds="landlock",
    ),
    _net(
        "sends_by_udp",
        attempt("""
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(W["name"].encode(), ("127.0.0.1", W["udp"]))
    """),
        holds="full",
    ),
    _net(
        "asks_a_name_server",
        attempt("""
        import socket
        query = b"\\0\\1\\1\\0\\0\\1" + bytes(6) + b"\\7example\\3org\\0\\0\\1\\0\\1"
        for server in ("127.0.0.1", "127.0.0.53"):
            channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            channel.sendto(query, (server, 53))
            channel.sendto(W["name"].encode(), (server, W["udp"]))
    """),
        holds="full",
    ),
    _net(
        "listens",
        attempt("""
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        client = socket.create_connection(server.getsockname(), timeout=1)
        return client
    """),
        holds="landlock",
    ),
    _net(
        "opens_a_raw_socket",
        attempt("import socket\nreturn socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
        holds="full",
        control=False,
    ),
    _net(
        "asks_netlink",
        attempt("""
        import socket
        channel = socket.socket(16, socket.SOCK_RAW, 0)
        channel.bind((0, 0))
        channel.sendto(b"\\x14\\0\\0\\0\\x12\\0\\x01\\x03" + bytes(12), (0, 0))
        return b"eth" in channel.recv(65536)
    """),
        holds="full",
        control=False,
    ),
    _ipc(
        "unix_socket",
        attempt("""
        import socket
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(W["name"].encode(), W["unix"])
    """),
        holds="full",
    ),
    _ipc(
        "abstract_socket",
        attempt("""
        import socket
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(W["name"].encode(), W["abstract"])
    """),
        holds="full",
    ),
    _ipc("shared_memory_file", attempt("return known(open(W['shared']).read())"), holds="landlock"),
    _ipc(
        "system_v_segment",
        attempt(
            LIB
            + """
        libc.shmat.restype = ctypes.c_void_p
        segment = libc.shmget(W["segment"], 32, 0)
        return segment >= 0 and known(ctypes.string_at(libc.shmat(segment, None, 0), 32).decode())
    """
        ),
        holds="full",
    ),
    _ipc(
        "system_v_queue",
        attempt(
            LIB
            + """
        queue = libc.msgget(W["segment"], 0o1666)
        again = queue >= 0 and libc.msgctl(queue, 0, None) == 0  # removed at once: what counts is that others would see it
        return again and os.readlink("/proc/self/ns/ipc") == W["ipc_space"]
    """
        ),
        holds="full",
    ),
    _ipc(
        "host_name",
        attempt("""
        import os, socket
        same = os.readlink("/proc/self/ns/uts") == W["uts_space"]
        socket.sethostname(socket.gethostname())
        return same
    """),
        holds="full",
        control=False,
    ),
    _ipc(
        "terminal",
        attempt("return open('/dev/tty', 'w') or open('/dev/console', 'w')"),
        holds="landlock",
        control=False,
    ),
]
