/* Codes, classes and phases by name, and the one way to fill in a struct urlpool_error.
 *
 * Everything known about a code stands in one table, indexed by its value. A message is always one
 * line of printable bytes that fits its field: what is too long ends in "…", cut between
 * characters. Nothing here allocates or looks at the locale, so errors can be raised out of memory.
 */

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"

#define ELLIPSIS "\xe2\x80\xa6"

struct code_row {
    const char *name;
    unsigned classes;
};

#define ROW(code, classes) [code] = {#code, classes}

enum {
    TIMEOUT = URLPOOL_CLASS_TIMEOUT,
    CONNECT = URLPOOL_CLASS_CONNECT,
    TLS = URLPOOL_CLASS_TLS,
    PROTOCOL = URLPOOL_CLASS_PROTOCOL,
    POOL = URLPOOL_CLASS_POOL,
    USAGE = URLPOOL_CLASS_USAGE,
    REDIRECT = URLPOOL_CLASS_REDIRECT
};

static const struct code_row code_rows[] = {
    ROW(URLPOOL_OK, 0),
    ROW(URLPOOL_E_NOMEM, 0),
    ROW(URLPOOL_E_INVALID, USAGE),
    ROW(URLPOOL_E_URL, USAGE),
    ROW(URLPOOL_E_SCHEME, USAGE),
    ROW(URLPOOL_E_HEADER, USAGE),
    ROW(URLPOOL_E_BODY, USAGE),
    ROW(URLPOOL_E_UNREWINDABLE, 0),
    ROW(URLPOOL_E_SYSTEM, 0),

    ROW(URLPOOL_E_CANNOT_SEND_REQUEST, USAGE),
    ROW(URLPOOL_E_CANNOT_SEND_HEADER, USAGE),
    ROW(URLPOOL_E_RESPONSE_NOT_READY, USAGE),
    ROW(URLPOOL_E_NOT_CONNECTED, USAGE),
    ROW(URLPOOL_E_NOT_CHUNKED, USAGE),

    ROW(URLPOOL_E_POOL_CLOSED, POOL),
    ROW(URLPOOL_E_POOL_TIMEOUT, POOL | TIMEOUT),
    ROW(URLPOOL_E_HOST_CHANGED, POOL | USAGE),
    ROW(URLPOOL_E_FORKED, USAGE),
    ROW(URLPOOL_E_POOL_FULL, POOL),

    ROW(URLPOOL_E_RESOLVE, CONNECT),
    ROW(URLPOOL_E_CONNECT, CONNECT),
    ROW(URLPOOL_E_CONNECT_TIMEOUT, CONNECT | TIMEOUT),
    ROW(URLPOOL_E_READ_TIMEOUT, TIMEOUT),
    ROW(URLPOOL_E_WRITE_TIMEOUT, TIMEOUT),
    ROW(URLPOOL_E_TOTAL_TIMEOUT, TIMEOUT),
    ROW(URLPOOL_E_CANCELLED, 0),
    ROW(URLPOOL_E_PROXY, CONNECT),
    ROW(URLPOOL_E_ADDRESS_REFUSED, CONNECT),

    /* A record can go wrong in mid-body; certificates are judged before anything is sent. */
    ROW(URLPOOL_E_TLS, TLS),
    ROW(URLPOOL_E_TLS_VERIFY, TLS | CONNECT),
    ROW(URLPOOL_E_TLS_HOSTNAME, TLS | CONNECT),
    ROW(URLPOOL_E_TLS_EXPIRED, TLS | CONNECT),
    ROW(URLPOOL_E_TLS_NO_ANCHORS, TLS | CONNECT),
    ROW(URLPOOL_E_TLS_CA_FILE, TLS | CONNECT),
    ROW(URLPOOL_E_TLS_CLIENT_CERT, TLS | CONNECT),
    ROW(URLPOOL_E_TLS_PIN, TLS | CONNECT),
    ROW(URLPOOL_E_TLS_KEY_PASSWORD, TLS | CONNECT),

    ROW(URLPOOL_E_RESET, PROTOCOL),
    ROW(URLPOOL_E_REMOTE_DISCONNECTED, PROTOCOL),
    ROW(URLPOOL_E_INCOMPLETE_READ, PROTOCOL),
    ROW(URLPOOL_E_BAD_STATUS_LINE, PROTOCOL),
    ROW(URLPOOL_E_UNKNOWN_PROTOCOL, PROTOCOL),
    ROW(URLPOOL_E_BAD_FIELD, PROTOCOL),
    ROW(URLPOOL_E_BAD_LENGTH, PROTOCOL),
    ROW(URLPOOL_E_TRANSFER_ENCODING, PROTOCOL),
    ROW(URLPOOL_E_BAD_CHUNK, PROTOCOL),
    ROW(URLPOOL_E_LINE_TOO_LONG, PROTOCOL),
    ROW(URLPOOL_E_TOO_MANY_HEADERS, PROTOCOL),
    ROW(URLPOOL_E_HEAD_TOO_LARGE, PROTOCOL),
    ROW(URLPOOL_E_PROTOCOL, PROTOCOL),

    ROW(URLPOOL_E_DECODE, 0),
    ROW(URLPOOL_E_DATA_TOO_LARGE, 0),

    ROW(URLPOOL_E_MAX_RETRIES, POOL),
    ROW(URLPOOL_E_TOO_MANY_REDIRECTS, POOL | REDIRECT),
    ROW(URLPOOL_E_REDIRECT, REDIRECT),
};

static const char *const phase_names[] = {
    [URLPOOL_PHASE_NONE] = "none",       [URLPOOL_PHASE_POOL] = "pool",
    [URLPOOL_PHASE_RESOLVE] = "resolve", [URLPOOL_PHASE_CONNECT] = "connect",
    [URLPOOL_PHASE_PROXY] = "proxy",     [URLPOOL_PHASE_TLS] = "tls",
    [URLPOOL_PHASE_SEND] = "send",       [URLPOOL_PHASE_HEAD] = "head",
    [URLPOOL_PHASE_BODY] = "body",       [URLPOOL_PHASE_REDIRECT] = "redirect",
};

/* find_code returns the row of `code`, or NULL when it is not one of ours. */
static const struct code_row *find_code(enum urlpool_code code)
{
    size_t index = (size_t)code; /* a negative value becomes a huge one */

    if (index >= URLP_COUNT_OF(code_rows) || code_rows[index].name == NULL) {
        return NULL;
    }
    return &code_rows[index];
}

const char *urlpool_code_name(enum urlpool_code code)
{
    const struct code_row *row = find_code(code);

    return row != NULL ? row->name : "URLPOOL_E_UNKNOWN";
}

bool urlpool_code_is(enum urlpool_code code, unsigned classes)
{
    const struct code_row *row = find_code(code);

    return row != NULL && (row->classes & classes) != 0;
}

bool urlpool_error_is(const struct urlpool_error *err, unsigned classes)
{
    return err != NULL &&
           (urlpool_code_is(err->code, classes) || urlpool_code_is(err->cause, classes));
}

const char *urlpool_phase_name(enum urlpool_phase phase)
{
    size_t index = (size_t)phase;

    return index < URLP_COUNT_OF(phase_names) ? phase_names[index] : "unknown";
}

/* make_one_line makes `message` a single line whatever was formatted into it. */
static void make_one_line(char *message)
{
    for (char *p = message; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < ' ' || c == 0x7f) {
            *p = '?';
        }
    }
}

/* mark_cut ends the full field `message` of `size` bytes in "…", not in the middle of a character.
 */
static void mark_cut(char *message, size_t size)
{
    size_t at = size - sizeof(ELLIPSIS);

    while (at > 0 && ((unsigned char)message[at] & 0xc0) == 0x80) {
        at--;
    }
    memcpy(message + at, ELLIPSIS, sizeof(ELLIPSIS));
}

/* fill begins a new error in `err`, with the formatted text as its message. */
static void fill(struct urlpool_error *err, enum urlpool_code code, enum urlpool_phase phase,
                 const char *format, va_list arguments) URLPOOL_PRINTF(4, 0);

static void fill(struct urlpool_error *err, enum urlpool_code code, enum urlpool_phase phase,
                 const char *format, va_list arguments)
{
    char message[sizeof(err->message)];
    int len = vsnprintf(message, sizeof(message), format, arguments);

    if (len < 0) {
        message[0] = '\0';
    } else if ((size_t)len >= sizeof(message)) {
        mark_cut(message, sizeof(message));
    }
    make_one_line(message);
    /* Only now, for an argument may point into the old message. */
    memset(err, 0, sizeof(*err));
    err->code = code;
    err->phase = phase;
    memcpy(err->message, message, sizeof(message));
}

/* append puts `text` behind the message of `err`. */
static void append(struct urlpool_error *err, const char *text)
{
    size_t len = strlen(err->message);
    size_t room = sizeof(err->message) - len;

    if ((size_t)snprintf(err->message + len, room, "%s", text) >= room) {
        mark_cut(err->message, sizeof(err->message));
    }
}

enum urlpool_code urlp_fail(struct urlpool_error *err, enum urlpool_code code,
                            enum urlpool_phase phase, const char *format, ...)
{
    va_list arguments;

    if (err == NULL) {
        return code;
    }
    va_start(arguments, format);
    fill(err, code, phase, format, arguments);
    va_end(arguments);
    return code;
}

enum urlpool_code urlp_fail_errno(struct urlpool_error *err, enum urlpool_code code,
                                  enum urlpool_phase phase, int os_errno, const char *format, ...)
{
    const char *text = strerrordesc_np(os_errno); /* untranslated, unlike strerror */
    char number[32];
    va_list arguments;

    if (err == NULL) {
        return code;
    }
    va_start(arguments, format);
    fill(err, code, phase, format, arguments);
    va_end(arguments);
    err->os_errno = os_errno;
    append(err, ": ");
    if (text == NULL) {
        (void)snprintf(number, sizeof(number), "errno %d", os_errno);
        text = number;
    }
    append(err, text);
    return code;
}

enum urlpool_code urlp_fail_nomem(struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_NOMEM, URLPOOL_PHASE_NONE, "out of memory");
}

enum urlpool_code urlp_fail_null(struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "an argument is NULL");
}

enum urlpool_code urlp_fail_with(struct urlpool_error *err, const struct urlpool_error *why)
{
    if (err != NULL) {
        *err = *why;
    }
    return why->code;
}

bool urlp_is_shortage(int os_errno)
{
    return os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS || os_errno == ENOMEM;
}

struct urlp_quoted urlp_quote(const void *data, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    struct urlp_quoted quoted;
    char *p = quoted.text;
    size_t i;

    for (i = 0; i < len && p < quoted.text + URLP_QUOTED_BYTES; i++) {
        if (bytes[i] >= ' ' && bytes[i] < 0x7f) {
            *p++ = (char)bytes[i];
            continue;
        }
        *p++ = '\\';
        *p++ = 'x';
        *p++ = hex[bytes[i] >> 4];
        *p++ = hex[bytes[i] & 15];
    }
    memcpy(p, i < len ? ELLIPSIS : "", i < len ? sizeof(ELLIPSIS) : 1);
    return quoted;
}
