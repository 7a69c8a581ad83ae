"""The AWS command line, loaded once: a copy of this process serves each call, so that a script of many calls takes seconds.

Argument: the path of a socket. A call sends its folder and words, each with a zero byte at its
end, and gets its code, output and complaints with zero bytes between."""

import io
import os
import socket
import sys

from awscli.clidriver import create_clidriver

driver = create_clidriver()
# What is read from disk for the first call need not be read again.
for warm in (["sts", "get-caller-identity"], ["iam", "get-role", "--role-name=nobody"]):
    sys.stdout = sys.stderr = io.StringIO()
    driver.main(warm)
sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__

server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
while True:
    connection, _ = server.accept()
    if os.fork():
        connection.close()
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                break
        continue
    call = b""
    while not call.endswith(b"\0\n"):
        call += connection.recv(1 << 16)
    folder, *words = call[:-2].decode("utf-8", "surrogateescape").split("\0")
    os.chdir(folder)
    out, complaints = io.BytesIO(), io.BytesIO()
    sys.stdout = io.TextIOWrapper(out, encoding="utf-8")
    sys.stderr = io.TextIOWrapper(complaints, encoding="utf-8")
    code = driver.main(words)
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(b"\0".join([str(code).encode(), out.getvalue(), complaints.getvalue()]))
    os._exit(0)
