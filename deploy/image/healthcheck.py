"""`python -IS healthcheck.py live|ready`: exit 0 when this container's service answers 200 on /healthz/<name>."""

import http.client
import os
import sys

connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["DACHUAN_LISTEN_PORT"]), timeout=3)
connection.request("GET", f"/healthz/{sys.argv[1]}")
sys.exit(0 if connection.getresponse().status == 200 else 1)
