"""One call of the AWS command line that stands ready: arguments are the socket's path and the call's words."""

import json
import os
import socket
import sys

connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
stream = connection.makefile("rw")
stream.write(json.dumps({"folder": os.getcwd(), "words": sys.argv[2:]}) + "\n")
stream.flush()
code, out, complaints = json.loads(stream.readline())
sys.stdout.write(out)
sys.stderr.write(complaints)
sys.exit(code)
