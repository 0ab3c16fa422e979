"""The server that the examples of the manual talk to: 127.0.0.1, by threads, plain or over TLS."""
import http.server
import socketserver
import ssl
import subprocess
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Nobody wants to read it."""

    def answer(self, body, status=200, media="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def received(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_GET(self):
        path = self.path.removeprefix(f"http://127.0.0.1:{self.server.server_address[1]}")
        busy = self.server.busy
        if path == "/busy" and busy.acquire(blocking=False):
            self.answer(b"later\n", 503)
        elif path == "/events":
            self.answer(b"data: one\n\nevent: note\ndata: two\n\n", media="text/event-stream")
        elif path == "/upgrade":
            self.send_response(101)
            self.send_header("Connection", "Upgrade")
            self.send_header("Upgrade", self.headers["Upgrade"])
            self.end_headers()
            self.wfile.write(self.rfile.readline())
            self.close_connection = True
        elif path == "/slow":
            self.server.asked.set()
            self.rfile.read(1)
            self.close_connection = True
        elif path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.answer(b"hello\n")

    def do_POST(self):
        self.answer(self.received())

    do_PUT = do_POST


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.busy = threading.Semaphore(2)  # how often /busy says 503
        self.asked = threading.Event()      # /slow was asked for
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A client that goes away is what some examples are about."""


def with_tls(folder):
    """A server whose certificate an authority of its own has signed: (server, file of roots)."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
    openssl("req", *key, "-keyout", "key.pem", "-out", "asked.pem", "-subj", "/CN=server")
    openssl("x509", "-req", "-in", "asked.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-extfile", "san", "-out", "cert.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return Server(context), folder / "ca.pem"
