#ifndef URLPOOL_ERROR_H
#define URLPOOL_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* enum urlpool_code is the one result type of urlpool: every function that can fail returns it or
 * leaves it in the caller's struct urlpool_error. Zero is success. Values are ABI: they are only
 * ever appended. Each names its twin in urllib3 or http.client; urlpool_error(3) has the table. */
enum urlpool_code {
    URLPOOL_OK = 0,        /* success */
    URLPOOL_E_NOMEM = 1,   /* MemoryError */
    URLPOOL_E_INVALID = 2, /* ValueError, TypeError: the caller's argument is wrong */
    URLPOOL_E_URL = 3,     /* LocationParseError, LocationValueError, InvalidURL */
    URLPOOL_E_SCHEME = 4,  /* URLSchemeUnknown */
    URLPOOL_E_HEADER = 5,  /* InvalidHeader: a name, value, method or target not fit to send */
    URLPOOL_E_BODY = 6,    /* UnimplementedFileMode; the request body gave too few or many bytes */
    URLPOOL_E_UNREWINDABLE = 7, /* UnrewindableBodyError */
    URLPOOL_E_SYSTEM = 8,       /* OSError without a better home; os_errno says which */

    URLPOOL_E_CANNOT_SEND_REQUEST = 20, /* CannotSendRequest */
    URLPOOL_E_CANNOT_SEND_HEADER = 21,  /* CannotSendHeader */
    URLPOOL_E_RESPONSE_NOT_READY = 22,  /* ResponseNotReady */
    URLPOOL_E_NOT_CONNECTED = 23,       /* NotConnected */
    URLPOOL_E_NOT_CHUNKED = 24,         /* ResponseNotChunked */

    URLPOOL_E_POOL_CLOSED = 40,  /* ClosedPoolError */
    URLPOOL_E_POOL_TIMEOUT = 41, /* EmptyPoolError: no connection came free before the deadline */
    URLPOOL_E_HOST_CHANGED = 42, /* HostChangedError */
    URLPOOL_E_FORKED = 43,       /* the object belongs to the parent process */
    URLPOOL_E_POOL_FULL = 44,    /* max_waiters threads wait for a connection already */

    URLPOOL_E_RESOLVE = 60,         /* NameResolutionError */
    URLPOOL_E_CONNECT = 61,         /* NewConnectionError */
    URLPOOL_E_CONNECT_TIMEOUT = 62, /* ConnectTimeoutError */
    URLPOOL_E_READ_TIMEOUT = 63,    /* ReadTimeoutError */
    URLPOOL_E_WRITE_TIMEOUT = 64,   /* TimeoutError while sending */
    URLPOOL_E_TOTAL_TIMEOUT = 65, /* TimeoutError: the total of struct urlpool_timeout is used up */
    URLPOOL_E_CANCELLED = 66,     /* the request's urlpool_cancel was used */
    URLPOOL_E_PROXY = 67,         /* ProxyError: also a CONNECT that was answered with no 2xx */
    URLPOOL_E_ADDRESS_REFUSED = 68, /* struct urlpool_network refuses every address */

    URLPOOL_E_TLS = 80,              /* SSLError: the handshake or a record went wrong */
    URLPOOL_E_TLS_VERIFY = 81,       /* SSLError: the chain does not lead to a trusted root */
    URLPOOL_E_TLS_HOSTNAME = 82,     /* CertificateError: certificate is for another name */
    URLPOOL_E_TLS_EXPIRED = 83,      /* SSLError: certificate expired or not yet valid */
    URLPOOL_E_TLS_NO_ANCHORS = 84,   /* no trusted roots at all */
    URLPOOL_E_TLS_CA_FILE = 85,      /* the file or directory of roots cannot be read */
    URLPOOL_E_TLS_CLIENT_CERT = 86,  /* SSLError: our certificate or key cannot be used */
    URLPOOL_E_TLS_PIN = 87,          /* SSLError: not the certificate or key that was pinned */
    URLPOOL_E_TLS_KEY_PASSWORD = 88, /* SSLError: our key is encrypted, and not with key_password */

    URLPOOL_E_RESET = 100,               /* ConnectionResetError, BrokenPipeError */
    URLPOOL_E_REMOTE_DISCONNECTED = 101, /* RemoteDisconnected: closed before any response byte */
    URLPOOL_E_INCOMPLETE_READ = 102,     /* IncompleteRead */
    URLPOOL_E_BAD_STATUS_LINE = 103,     /* BadStatusLine */
    URLPOOL_E_UNKNOWN_PROTOCOL = 104,    /* UnknownProtocol */
    URLPOOL_E_BAD_FIELD = 105,           /* HeaderParsingError: a malformed field line or trailer */
    URLPOOL_E_BAD_LENGTH = 106,          /* InvalidHeader: Content-Length wrong or in conflict */
    URLPOOL_E_TRANSFER_ENCODING = 107,   /* UnknownTransferEncoding */
    URLPOOL_E_BAD_CHUNK = 108,           /* InvalidChunkLength */
    URLPOOL_E_LINE_TOO_LONG = 109,       /* LineTooLong */
    URLPOOL_E_TOO_MANY_HEADERS = 110,    /* HTTPException: got more than N headers */
    URLPOOL_E_HEAD_TOO_LARGE = 111,      /* the head, the interim responses or the trailers */
    URLPOOL_E_PROTOCOL = 112,            /* ProtocolError: any other breach of RFC 9112 */

    URLPOOL_E_DECODE = 120,         /* DecodeError */
    URLPOOL_E_DATA_TOO_LARGE = 121, /* the decoded body is longer than data_bytes_max */

    URLPOOL_E_MAX_RETRIES = 140,        /* MaxRetryError; `cause` says why */
    URLPOOL_E_TOO_MANY_REDIRECTS = 141, /* MaxRetryError(ResponseError("too many redirects")) */
    URLPOOL_E_REDIRECT = 142            /* a redirect that must not be followed */
};

/* enum urlpool_class groups codes as the base classes of urllib3 and http.client do. */
enum urlpool_class {
    URLPOOL_CLASS_TIMEOUT = 1,  /* TimeoutError */
    URLPOOL_CLASS_CONNECT = 2,  /* nothing of the request had been sent */
    URLPOOL_CLASS_TLS = 4,      /* SSLError */
    URLPOOL_CLASS_PROTOCOL = 8, /* ProtocolError, HTTPException */
    URLPOOL_CLASS_POOL = 16,    /* PoolError */
    URLPOOL_CLASS_USAGE = 32,   /* ValueError and ImproperConnectionState: the caller's fault */
    URLPOOL_CLASS_REDIRECT = 64 /* the redirect limits and refusals */
};

/* enum urlpool_phase says where a request was when it failed. */
enum urlpool_phase {
    URLPOOL_PHASE_NONE = 0, /* before anything was tried */
    URLPOOL_PHASE_POOL,     /* waiting for a connection or a place */
    URLPOOL_PHASE_RESOLVE,  /* looking the name up */
    URLPOOL_PHASE_CONNECT,  /* TCP, or the Unix-domain socket */
    URLPOOL_PHASE_PROXY,    /* CONNECT, SOCKS, TLS with a proxy */
    URLPOOL_PHASE_TLS,      /* the handshake with the origin */
    URLPOOL_PHASE_SEND,     /* sending head and body */
    URLPOOL_PHASE_HEAD,     /* waiting for the head of the answer, and reading it */
    URLPOOL_PHASE_BODY,     /* reading the body */
    URLPOOL_PHASE_REDIRECT  /* going where the answer leads */
};

/* struct urlpool_error says what went wrong in words a log can keep. The caller owns it, usually on
 * the stack; every fallible function takes one as its last argument and accepts NULL. It is written
 * only on failure, holds no pointers, works out of memory, and may be copied freely. */
struct urlpool_error {
    enum urlpool_code code;   /* what went wrong */
    enum urlpool_code cause;  /* what lay beneath it, e.g. the last try's failure, or URLPOOL_OK */
    enum urlpool_phase phase; /* where */
    int http_status;          /* of the last response head, or 0 */
    int os_errno;             /* `errno` of the failing call, or 0 */
    uint32_t tls_code;        /* packed error of the TLS library or X509_V_ERR value, or 0 */
    uint32_t num_attempts;    /* tries made, redirects and those that got no connection too; 0: the
                                 request was refused before the first */
    bool maybe_processed;     /* the server may have acted on the request */
    unsigned char reserved[32];
    char message[256]; /* NUL-terminated UTF-8, one line, no trailing full stop */
};

/* urlpool_code_name returns the identifier of `code`, e.g. "URLPOOL_E_TLS".
 *
 * Owns:    the string is static.
 * Errors:  an unknown value yields "URLPOOL_E_UNKNOWN".
 * Threads: any number at once. */
URLPOOL_API const char *urlpool_code_name(enum urlpool_code code);

/* urlpool_code_is says whether `code` belongs to one of `classes`, an OR of enum urlpool_class.
 *
 * Threads: any number at once.
 * Model:   isinstance(error, TimeoutError | ProtocolError | …). */
URLPOOL_API bool urlpool_code_is(enum urlpool_code code, unsigned classes);

/* urlpool_error_is says whether `err`, or what lay beneath it, belongs to one of `classes`: a
 * request that was tried again in vain has URLPOOL_E_MAX_RETRIES for its code and the last failure
 * for its cause. False for NULL.
 *
 * Threads: any number at once.
 * Model:   isinstance(getattr(error, "reason", error), …). */
URLPOOL_API bool urlpool_error_is(const struct urlpool_error *err, unsigned classes);

/* urlpool_phase_name returns a word for `phase`, e.g. "connect".
 *
 * Owns:    the string is static.
 * Threads: any number at once. */
URLPOOL_API const char *urlpool_phase_name(enum urlpool_phase phase);

URLPOOL_END_DECLS

#endif /* URLPOOL_ERROR_H */
