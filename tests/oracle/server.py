"""A server that answers by script and keeps every byte it was sent.

It listens on two ports of 127.0.0.1, "a" and "b", and gives the answers of a case in the order in
which requests arrive, on whatever connection. One thread: it works while `work` runs.
"""
import selectors
import socket
import struct


class Request:
    """One request as it came: the bytes of its head, those of its body with their framing."""

    def __init__(self, connection, head, body, whole):
        self.to, self.connection = connection.port, connection.number
        self.head, self.body, self.whole = head, body, whole


class Connection:
    def __init__(self, peer, port, number):
        self.socket, self.port, self.number = peer, port, number
        self.pending = b""


def chunked_end(data, at):
    """Where a chunked body that begins at `at` ends, or -1 when it is not all there."""
    while True:
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return -1
        size = int(data[at:line_end].split(b";")[0], 16)
        at = line_end + 2
        if size == 0:
            break
        at += size + 2
    while True:  # trailer lines and the empty one
        line_end = data.find(b"\r\n", at)
        if line_end < 0:
            return -1
        if line_end == at:
            return at + 2
        at = line_end + 2


def unchunked(body):
    """The data of a whole chunked body."""
    data, at = b"", 0
    while True:
        line_end = body.index(b"\r\n", at)
        size = int(body[at:line_end].split(b";")[0], 16)
        if size == 0:
            return data
        data += body[line_end + 2:line_end + 2 + size]
        at = line_end + 2 + size + 2


def body_end(data, head_end):
    """Where the body behind a head of `head_end` bytes ends, or -1; a length that is none is 0."""
    length = 0
    for line in data[:head_end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"transfer-encoding":
            return chunked_end(data, head_end) if value.strip().lower() == b"chunked" else head_end
        if name.lower() == b"content-length":
            length = int(value) if value.strip().isdigit() else 0
    return head_end + length if len(data) >= head_end + length else -1


class Server:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.ports = {}
        for name in "ab":
            listener = socket.create_server(("127.0.0.1", 0), backlog=64)
            listener.setblocking(False)
            self.watch(listener, lambda listener=listener, name=name: self.accept(listener, name))
            self.ports[name] = listener.getsockname()[1]
        self.refusing = socket.socket()  # bound, never listening: connections are refused
        self.refusing.bind(("127.0.0.1", 0))
        self.ports["c"] = self.refusing.getsockname()[1]
        self.begin([])

    def watch(self, file, when_readable):
        self.selector.register(file, selectors.EVENT_READ, when_readable)

    def begin(self, answers):
        """Starts a case: `answers` are pairs of what happens ("answer", "close", "reset",
        "silent") and the bytes sent before. An "interim" is sent when a head with Expect is there
        and its body is not."""
        self.answers = [answer for answer in answers if answer[0] != "interim"]
        self.interims = [answer[1] for answer in answers if answer[0] == "interim"]
        self.num_connections, self.requests, self.open = 0, [], set()

    def work(self, timeout):
        """Does what there is to do, waiting up to `timeout` seconds for it; False: nothing came."""
        events = self.selector.select(timeout)
        for key, _ in events:
            key.data()
        return bool(events)

    def finish(self):
        """Waits for the client's connections to end; False when some did not."""
        while self.work(2 if self.open else 0):
            pass
        late = bool(self.open)
        for connection in list(self.open):
            self.drop(connection)
        return not late

    def accept(self, listener, port):
        peer, _ = listener.accept()
        peer.settimeout(5)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.num_connections += 1
        connection = Connection(peer, port, self.num_connections)
        self.open.add(connection)
        self.watch(peer, lambda: self.receive(connection))

    def drop(self, connection):
        if connection.pending:
            self.requests.append(Request(connection, connection.pending, b"", False))
            connection.pending = b""
        self.selector.unregister(connection.socket)
        connection.socket.close()
        self.open.discard(connection)

    def receive(self, connection):
        try:
            data = connection.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.drop(connection)
            return
        connection.pending += data
        while connection in self.open and self.take_request(connection):
            pass

    def take_request(self, connection):
        data = connection.pending
        head_end = data.find(b"\r\n\r\n") + 4
        end = body_end(data, head_end) if head_end > 3 else -1
        if end < 0:
            if self.interims and b"expect: 100-continue" in data[:max(head_end, 0)].lower():
                connection.socket.sendall(self.interims.pop(0))
            return False
        self.requests.append(Request(connection, data[:head_end], data[head_end:end], True))
        connection.pending = data[end:]
        self.answer(connection)
        return True

    def answer(self, connection):
        number = len(self.requests)
        how, data = ("close", b"HTTP/1.1 500 Nothing More In The Script\r\n\r\n")
        if number <= len(self.answers):
            how, data = self.answers[number - 1]
        # What comes before the end goes out together with it: a client that has read the answer of
        # a connection that was closed can know that it was.
        try:
            connection.socket.sendall(data, socket.MSG_MORE if how == "close" else 0)
        except OSError:
            how = "close"
        if how == "reset":
            linger = struct.pack("ii", 1, 0)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if how in ("close", "reset"):
            self.drop(connection)
