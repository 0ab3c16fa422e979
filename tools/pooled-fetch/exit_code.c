/* Which of curl's numbers a failure gets. The code alone decides in most cases; a connection that
 * breaks has another number in the handshake, while sending and while receiving. */

#include "exit_code.h"

#include <stddef.h>

#include "count_of.h"

static const struct {
    enum urlpool_code code;
    enum pf_exit exit_code;
} by_code[] = {
    {URLPOOL_E_NOMEM,               PF_EXIT_NOMEM      },
    {URLPOOL_E_INVALID,             PF_EXIT_USAGE      },
    {URLPOOL_E_URL,                 PF_EXIT_URL        },
    {URLPOOL_E_SCHEME,              PF_EXIT_SCHEME     },
    {URLPOOL_E_HEADER,              PF_EXIT_USAGE      },
    {URLPOOL_E_BODY,                PF_EXIT_READ       },
    {URLPOOL_E_UNREWINDABLE,        PF_EXIT_REWIND     },
    {URLPOOL_E_POOL_CLOSED,         PF_EXIT_INTERRUPTED},
    {URLPOOL_E_POOL_TIMEOUT,        PF_EXIT_TIMEOUT    },
    {URLPOOL_E_RESOLVE,             PF_EXIT_RESOLVE    },
    {URLPOOL_E_CONNECT,             PF_EXIT_CONNECT    },
    {URLPOOL_E_CONNECT_TIMEOUT,     PF_EXIT_TIMEOUT    },
    {URLPOOL_E_READ_TIMEOUT,        PF_EXIT_TIMEOUT    },
    {URLPOOL_E_WRITE_TIMEOUT,       PF_EXIT_TIMEOUT    },
    {URLPOOL_E_TOTAL_TIMEOUT,       PF_EXIT_TIMEOUT    },
    {URLPOOL_E_CANCELLED,           PF_EXIT_INTERRUPTED},
    {URLPOOL_E_ADDRESS_REFUSED,     PF_EXIT_CONNECT    },
    {URLPOOL_E_TLS_VERIFY,          PF_EXIT_TLS_VERIFY },
    {URLPOOL_E_TLS_HOSTNAME,        PF_EXIT_TLS_VERIFY },
    {URLPOOL_E_TLS_EXPIRED,         PF_EXIT_TLS_VERIFY },
    {URLPOOL_E_TLS_NO_ANCHORS,      PF_EXIT_CA_FILE    },
    {URLPOOL_E_TLS_CA_FILE,         PF_EXIT_CA_FILE    },
    {URLPOOL_E_TLS_CLIENT_CERT,     PF_EXIT_CLIENT_CERT},
    {URLPOOL_E_TLS_KEY_PASSWORD,    PF_EXIT_CLIENT_CERT},
    {URLPOOL_E_TLS_PIN,             PF_EXIT_PIN        },
    {URLPOOL_E_REMOTE_DISCONNECTED, PF_EXIT_EMPTY_REPLY},
    {URLPOOL_E_INCOMPLETE_READ,     PF_EXIT_PARTIAL    },
    {URLPOOL_E_BAD_STATUS_LINE,     PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_UNKNOWN_PROTOCOL,    PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_BAD_FIELD,           PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_BAD_LENGTH,          PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_LINE_TOO_LONG,       PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_TOO_MANY_HEADERS,    PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_HEAD_TOO_LARGE,      PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_PROTOCOL,            PF_EXIT_BAD_HEAD   },
    {URLPOOL_E_TRANSFER_ENCODING,   PF_EXIT_CODING     },
    {URLPOOL_E_BAD_CHUNK,           PF_EXIT_RECEIVE    },
    {URLPOOL_E_DECODE,              PF_EXIT_CODING     },
    {URLPOOL_E_DATA_TOO_LARGE,      PF_EXIT_TOO_LARGE  },
    {URLPOOL_E_TOO_MANY_REDIRECTS,  PF_EXIT_REDIRECTS  },
};

/* For what breaks a connection anywhere: E_RESET, E_TLS, E_SYSTEM. */
static const struct {
    enum urlpool_phase phase;
    enum pf_exit exit_code;
} by_phase[] = {
    {URLPOOL_PHASE_NONE,    PF_EXIT_CONNECT    },
    {URLPOOL_PHASE_POOL,    PF_EXIT_CONNECT    },
    {URLPOOL_PHASE_RESOLVE, PF_EXIT_RESOLVE    },
    {URLPOOL_PHASE_CONNECT, PF_EXIT_CONNECT    },
    {URLPOOL_PHASE_PROXY,   PF_EXIT_PROXY      },
    {URLPOOL_PHASE_TLS,     PF_EXIT_TLS_CONNECT},
    {URLPOOL_PHASE_SEND,    PF_EXIT_SEND       },
};

static const struct {
    enum pf_exit code;
    const char *name;
} names[] = {
    {PF_EXIT_SCHEME,      "scheme"          },
    {PF_EXIT_USAGE,       "usage"           },
    {PF_EXIT_URL,         "bad URL"         },
    {PF_EXIT_PROXY_NAME,  "proxy not found" },
    {PF_EXIT_RESOLVE,     "name not found"  },
    {PF_EXIT_CONNECT,     "cannot connect"  },
    {PF_EXIT_BAD_HEAD,    "malformed answer"},
    {PF_EXIT_PARTIAL,     "partial body"    },
    {PF_EXIT_STATUS,      "status 400 up"   },
    {PF_EXIT_WRITE,       "cannot write"    },
    {PF_EXIT_READ,        "cannot read"     },
    {PF_EXIT_NOMEM,       "out of memory"   },
    {PF_EXIT_TIMEOUT,     "time-out"        },
    {PF_EXIT_RANGE,       "range"           },
    {PF_EXIT_LOGIN,       "user in URL"     },
    {PF_EXIT_TLS_CONNECT, "TLS handshake"   },
    {PF_EXIT_INTERRUPTED, "interrupted"     },
    {PF_EXIT_INTERFACE,   "interface"       },
    {PF_EXIT_REDIRECTS,   "redirects"       },
    {PF_EXIT_SYNTAX,      "option syntax"   },
    {PF_EXIT_EMPTY_REPLY, "empty reply"     },
    {PF_EXIT_SEND,        "sending"         },
    {PF_EXIT_RECEIVE,     "receiving"       },
    {PF_EXIT_CLIENT_CERT, "own certificate" },
    {PF_EXIT_CIPHERS,     "ciphers"         },
    {PF_EXIT_TLS_VERIFY,  "certificate"     },
    {PF_EXIT_CODING,      "coding"          },
    {PF_EXIT_TOO_LARGE,   "too large"       },
    {PF_EXIT_REWIND,      "rewinding"       },
    {PF_EXIT_CA_FILE,     "CA file"         },
    {PF_EXIT_PROXY,       "proxy"           },
    {PF_EXIT_PIN,         "pinned key"      },
};

static enum pf_exit lookup(enum urlpool_code code, enum pf_exit fallback)
{
    for (size_t i = 0; i < COUNT_OF(by_code); i++) {
        if (by_code[i].code == code) {
            return by_code[i].exit_code;
        }
    }
    return fallback;
}

/* of_proxy tells who failed: the proxy's name, its port, its TLS, its answer to CONNECT; SOCKS has
 * the number that is left. */
static enum pf_exit of_proxy(const struct urlpool_error *err)
{
    if (err->http_status != 0 || urlpool_code_is(err->cause, URLPOOL_CLASS_PROTOCOL)) {
        return PF_EXIT_RECEIVE;
    }
    if (err->cause == URLPOOL_E_RESOLVE) {
        return PF_EXIT_PROXY_NAME;
    }
    return err->cause == URLPOOL_E_TLS ? PF_EXIT_TLS_CONNECT : lookup(err->cause, PF_EXIT_PROXY);
}

enum pf_exit pf_exit_of(const struct urlpool_error *err)
{
    enum urlpool_code code = err->code;

    if (code == URLPOOL_E_PROXY) {
        return of_proxy(err);
    }
    if (code == URLPOOL_E_REDIRECT) {
        return lookup(err->cause, PF_EXIT_REDIRECTS); /* a bad URL or scheme in Location */
    }
    if (code == URLPOOL_E_INCOMPLETE_READ && err->phase == URLPOOL_PHASE_HEAD) {
        return PF_EXIT_RECEIVE; /* "partial" is said of bodies */
    }
    if (code == URLPOOL_E_MAX_RETRIES) {
        code = err->cause;
    }
    if (lookup(code, PF_EXIT_OK) != PF_EXIT_OK) {
        return lookup(code, PF_EXIT_OK);
    }
    for (size_t i = 0; i < COUNT_OF(by_phase); i++) {
        if (by_phase[i].phase == err->phase) {
            return by_phase[i].exit_code;
        }
    }
    return PF_EXIT_RECEIVE;
}

const char *pf_exit_name(enum pf_exit code)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return "";
}
