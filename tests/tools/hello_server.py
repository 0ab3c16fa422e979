"""A server on 127.0.0.1 that says hello to whoever asks, until it is killed.

Usage: hello_server.py FILE     FILE gets the port
"""
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w", encoding="ascii") as port:
    port.write(str(listener.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    peer, _ = listener.accept()
    peer.recv(4096)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")
    peer.close()
