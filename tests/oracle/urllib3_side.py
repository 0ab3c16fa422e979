#!/usr/bin/python3 -BEs
"""Runs cases through urllib3: blocks of "key: value" on stdin, "key<TAB>value" lines on stdout.

Each block ends with "end", and so does what is printed for it. Exits 77 when Debian's urllib3 is
not there. CODES gives each exception the code that urlpool has for it (docs/ERRORS.md).
"""
import http.client
import io
import sys
import tempfile

from text import escape, unescape

try:
    import urllib3
    from urllib3 import exceptions as ue
    from urllib3._collections import HTTPHeaderDict
except ImportError:
    sys.exit(77)
if not urllib3.__version__.startswith("1.26.") or "dist-packages" not in urllib3.__file__:
    sys.exit(77)

# The first class that fits names the code.
CODES = [
    (ue.NewConnectionError, "CONNECT"),
    (ue.ConnectTimeoutError, "CONNECT_TIMEOUT"),
    (ue.ReadTimeoutError, "READ_TIMEOUT"),
    (ue.DecodeError, "DECODE"),
    (ue.InvalidChunkLength, "BAD_CHUNK"),
    (http.client.IncompleteRead, "INCOMPLETE_READ"),
    (ue.InvalidHeader, "BAD_LENGTH"),
    (ue.UnrewindableBodyError, "UNREWINDABLE"),
    (ue.URLSchemeUnknown, "SCHEME"),
    ((ue.LocationValueError, http.client.InvalidURL), "URL"),
    (ue.HostChangedError, "HOST_CHANGED"),
    (http.client.RemoteDisconnected, "REMOTE_DISCONNECTED"),
    (ConnectionError, "RESET"),
    (http.client.LineTooLong, "LINE_TOO_LONG"),
    (http.client.UnknownProtocol, "UNKNOWN_PROTOCOL"),
    (http.client.BadStatusLine, "BAD_STATUS_LINE"),
    ((ValueError, UnicodeError), "HEADER"),
    (TypeError, "INVALID"),
    ((ue.ProtocolError, http.client.HTTPException), "PROTOCOL"),
]


def code_of(error):
    if isinstance(error, ue.MaxRetryError):
        if isinstance(error.reason, ue.ResponseError):
            if error.reason.args[0] == "too many redirects":
                return "TOO_MANY_REDIRECTS"
            return "MAX_RETRIES"
        return "MAX_RETRIES " + code_of(error.reason)
    if isinstance(error, ue.ProtocolError) and len(error.args) > 1:
        if isinstance(error.args[1], Exception):
            return code_of(error.args[1])
    if isinstance(error, http.client.HTTPException) and "headers" in str(error):
        return "TOO_MANY_HEADERS"
    for classes, code in CODES:
        if isinstance(error, classes):
            return code
    return f"{type(error).__name__}: {error}"


class Case:
    """What a block has said so far, and the manager it is said to."""

    def __init__(self):
        self.manager, self.manager_options = None, {}
        self.num_requests, self.request, self.pool_url = 0, None, None

    def say(self, key, value):
        print(f"{self.num_requests}.{key}\t{escape(value)}")

    def take(self, key, value):
        if key == "request":
            self.run()
            method, _, url = value.partition(" ")
            self.request = {"method": unescape(method).decode("latin-1"),
                            "url": unescape(url).decode("utf-8", "surrogateescape"),
                            "headers": None, "kw": {}, "fields": [], "make": {}}
        elif key == "manager-header":
            add_header(self.manager_options.setdefault("headers", HTTPHeaderDict()), value)
        elif key == "pool":
            self.pool_url = value
        elif self.request is None:
            raise SystemExit(f"{key} without a request")
        else:
            getattr(self, "take_" + key.replace("-", "_"))(self.request, value)

    @staticmethod
    def headers_of(request):
        if request["headers"] is None:
            request["headers"] = HTTPHeaderDict()
        return request["headers"]

    def take_header(self, request, value):
        add_header(self.headers_of(request), value)

    def take_headers(self, request, value):
        """headers: none, an empty list instead of the manager's."""
        self.headers_of(request)

    def take_skip(self, request, value):
        for name in value.split():
            self.headers_of(request)[name] = urllib3.util.SKIP_HEADER

    def take_body(self, request, value):
        request["kw"]["body"] = unescape(value)

    def take_body_file(self, request, value):
        file = tempfile.TemporaryFile()
        file.write(unescape(value))
        file.seek(0)
        request["kw"]["body"] = file

    def take_file_offset(self, request, value):
        request["kw"]["body"].seek(int(value))

    def take_body_parts(self, request, value):
        request["kw"]["body"] = iter([unescape(part) for part in value.split("|")])

    def take_redirect(self, request, value):
        request["kw"]["redirect"] = value == "yes"

    def take_decode(self, request, value):
        request["kw"]["decode_content"] = value == "yes"

    def take_chunked(self, request, value):
        request["kw"]["chunked"] = value == "yes"

    def take_read_ms(self, request, value):
        request["kw"]["timeout"] = urllib3.Timeout(connect=5, read=int(value) / 1000)

    def take_expect_ms(self, request, value):
        """urllib3 never waits."""

    def take_keep_post(self, request, value):
        """urllib3 always does."""

    def take_retries(self, request, value):
        request["kw"]["retries"] = make_retries(value)

    def take_pieces(self, request, value):
        request["pieces"] = int(value)
        request["kw"]["preload_content"] = False

    def take_field(self, request, value):
        name, _, value = value.partition("=")
        request["fields"].append((text_of(name), text_of(value)))

    def take_file(self, request, value):
        name, filename, content, *media_type = value.split("|")
        value = (text_of(filename), unescape(content), *map(text_of, media_type))
        request["fields"].append((text_of(name), value))

    def take_encode(self, request, value):
        request["kw"]["encode_multipart"] = value == "multipart"

    def take_boundary(self, request, value):
        request["kw"]["multipart_boundary"] = value

    def take_make(self, request, value):
        name, _, value = value.partition("=")
        if name == "accept_encodings":
            name = "accept_encoding"
        request["make"][name] = True if value == "yes" else text_of(value)

    def run(self):
        if self.manager is None and self.request is None:
            return
        if self.request is not None:
            self.num_requests += 1
            request, self.request = self.request, None
            try:
                self.manager = self.manager or self.make_manager()
                self.show(request, self.make(request))
            except Exception as error:  # every class is a finding
                self.say("result", b"error " + code_of(error).encode())

    def make_manager(self):
        if self.pool_url is not None:
            return urllib3.connection_from_url(self.pool_url, **self.manager_options)
        return urllib3.PoolManager(**self.manager_options)

    def make(self, request):
        kw = {"timeout": urllib3.Timeout(connect=5, read=5), **request["kw"]}
        for name, value in urllib3.make_headers(**request["make"]).items():
            self.headers_of(request).add(name, value)
        if request["headers"] is not None:
            kw["headers"] = request["headers"]
        if request["fields"]:
            kw["fields"] = request["fields"]
        return self.manager.request(request["method"], request["url"], **kw)

    def show(self, request, response):
        pieces = request.get("pieces")
        data = read_pieces(response, pieces) if pieces else response.data
        self.say("result", b"response")
        self.say("status", b"%d" % response.status)
        self.say("version", b"%d" % response.version)
        self.say("reason", response.reason.encode("latin-1"))
        self.say("data", data or b"")
        self.say("url", (response.geturl() or "").encode("utf-8", "surrogateescape"))
        for name in response.headers:
            values = " | ".join(response.headers.getlist(name))
            self.say("field." + name.lower(), f"{name}: {values}".encode("latin-1"))
        self.say("order", ", ".join(response.headers).lower().encode("latin-1"))
        self.say("hops", "; ".join(map(hop_text, response.retries.history)).encode("latin-1"))

    def end(self):
        self.run()
        if self.pool_url is not None and self.manager is not None:
            self.manager.close()
        elif self.manager is not None:
            self.manager.clear()


def hop_text(hop):
    to = f" to {hop.redirect_location}" if hop.redirect_location else ""
    return f"{hop.method} {hop.status or code_of(hop.error)}{to}"


def text_of(word):
    return unescape(word).decode("utf-8", "surrogateescape")


def add_header(headers, text):
    name, _, value = text.partition(":")
    value = unescape(value[1:])
    try:
        value = value.decode()
    except UnicodeDecodeError:
        value = value.decode("latin-1")
    headers.add(unescape(name).decode("latin-1"), value)


def read_pieces(response, size):
    data = io.BytesIO()
    for piece in response.stream(size):
        data.write(piece)
    response.release_conn()
    return data.getvalue()


def make_retries(text):
    """ "3", "no", or "total=3 connect=1 methods=GET,PUT forcelist=500,503 raise_on_status=no"."""
    if "=" not in text:
        return False if text == "no" else int(text)
    options = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name == "methods":
            options["allowed_methods"] = False if value == "*" else value.split(",")
        elif name == "forcelist":
            options["status_forcelist"] = [int(status) for status in value.split(",")]
        elif name == "remove":
            options["remove_headers_on_redirect"] = [name for name in value.split(",") if name]
        elif value in ("yes", "no"):
            options[name] = value == "yes"
        else:
            options[name] = int(value)
    return urllib3.Retry(**options)


def main():
    urllib3.disable_warnings()
    case = Case()
    for line in sys.stdin:
        key, _, value = line.rstrip("\n").partition(":")
        if key == "end":
            case.end()
            print("end", flush=True)
            case = Case()
        else:
            case.take(key, value.removeprefix(" "))


main()
