"""One call of the AWS command line that stands ready: arguments are the socket's path and the call's words.

A script makes hundreds of calls, so it imports nothing that takes time to load."""

import _socket
import posix
import sys

connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
connection.connect(sys.argv[1])
connection.sendall("\0".join([posix.getcwd(), *sys.argv[2:]]).encode("utf-8", "surrogateescape") + b"\0\n")
answer = b""
while part := connection.recv(1 << 16):
    answer += part
code, out, complaints = answer.split(b"\0")
sys.stdout.buffer.write(out)
sys.stderr.buffer.write(complaints)
sys.stdout.flush()
sys.stderr.flush()
posix._exit(int(code))
