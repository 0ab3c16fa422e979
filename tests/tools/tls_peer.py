"""A server on 127.0.0.1, one port for two protocols over TLS: who begins with TLS gets an HTTP answer, who
asks for TLS as PostgreSQL's clients do gets the rest of that protocol, and "hello" for every query.

Usage: tls_peer.py FILE CERT KEY     FILE gets the port
"""
import os
import socket
import ssl
import struct
import sys
import threading

SSL_REQUEST = struct.pack("!II", 8, 80877103)
READY = b"Z\0\0\0\5I"


def message(kind, content):
    """A message of PostgreSQL's protocol."""
    return kind + struct.pack("!I", len(content) + 4) + content


ANSWER = (message(b"T", struct.pack("!H", 1) + b"word\0" + struct.pack("!IHIhiH", 0, 0, 25, -1, -1, 0)) +
          message(b"D", struct.pack("!HI", 1, 5) + b"hello") + message(b"C", b"SELECT 1\0") + READY)


def exactly(peer, count):
    """The next `count` bytes."""
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def speak_postgres(peer):
    """From the startup message, which has no kind, to the client's farewell."""
    exactly(peer, struct.unpack("!I", exactly(peer, 4))[0] - 4)
    peer.sendall(message(b"R", struct.pack("!I", 0)) +
                 message(b"S", b"server_version\x0015.0\0") +
                 message(b"S", b"client_encoding\0UTF8\0") + READY)
    while True:
        kind = exactly(peer, 1)
        exactly(peer, struct.unpack("!I", exactly(peer, 4))[0] - 4)
        if kind == b"X":
            return
        peer.sendall(ANSWER)


def serve(peer, context):
    """One connection."""
    try:
        postgres = peer.recv(1, socket.MSG_PEEK) == b"\0"
        if postgres:
            if exactly(peer, 8) != SSL_REQUEST:
                return
            peer.sendall(b"S")
        with context.wrap_socket(peer, server_side=True) as secure:
            if postgres:
                speak_postgres(secure)
            else:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
                secure.unwrap()
    except (OSError, EOFError):
        pass
    finally:
        peer.close()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    listener = socket.create_server(("127.0.0.1", 0))
    with open(sys.argv[1] + ".new", "w", encoding="ascii") as port:
        port.write(str(listener.getsockname()[1]))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
    while True:
        peer, _ = listener.accept()
        threading.Thread(target=serve, args=(peer, context), daemon=True).start()


main()
