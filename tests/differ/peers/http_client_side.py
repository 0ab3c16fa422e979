#!/usr/bin/python3
"""Has Python's http.client read each input of standard input (JSON lines of differ_feed), and prints
what it made of it: {"outcome", "status", "fields", "body", "reuse", "why"}."""
import http.client
import io
import json
import sys


class Peer(io.RawIOBase):
    """What comes from the peer: the bytes, then its end or nothing more."""

    def __init__(self, data, ends):
        super().__init__()
        self.data, self.ends = data, ends

    def readable(self):
        return True

    def readinto(self, room):
        if not self.data and not self.ends:
            raise TimeoutError("nothing more comes")
        piece = self.data[:len(room)]
        self.data = self.data[len(piece):]
        room[:len(piece)] = piece
        return len(piece)


class Socket:
    def __init__(self, peer):
        self.peer = peer

    def makefile(self, *_):
        return io.BufferedReader(self.peer)

    def sendall(self, _):
        pass

    def close(self):
        pass


def read(given):
    connection = http.client.HTTPConnection("a")
    connection.sock = Socket(Peer(bytes.fromhex(given["bytes"]), given["eof"]))
    connection.auto_open = False
    connection.putrequest(given["method"], "/")
    if given["close"]:
        connection.putheader("Connection", "close")
    if given["upgrade"]:
        connection.putheader("Upgrade", given["upgrade"])
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    return {
        "outcome": "switched" if response.status == 101 else "whole",
        "status": response.status,
        "fields": [[name, value] for name, value in response.getheaders()],
        "body": body.hex(),
        # http.client closes a connection whose response said so; what is left over it drops
        "reuse": connection.sock is not None,
        "why": "",
    }


def verdict(given):
    try:
        return read(given)
    except TimeoutError:
        return {"outcome": "unfinished"}
    except Exception as error:  # whatever it raises is its way to refuse
        return {"outcome": "refused", "why": f"{type(error).__name__}: {error}"[:120]}


def main():
    for line in sys.stdin:
        print(json.dumps(verdict(json.loads(line))))


main()
