/* The words a mutation puts into a response. They are here because some parser, ours or another's,
 * has read each of them in its own way once, or could. */

#include "words.h"

#include <stdlib.h>
#include <string.h>

#include "chance.h"

#define WORDS_MAX 64

static const char *const word_bytes[] = {
    "\\r",   "\\n",   "\\0",   " ",     "\\t",   ":",     ";",     ",", "\"", "\\\\", "=",
    "\\x0b", "\\x0c", "\\x7f", "\\x80", "\\xa0", "\\xff", "0",     "1", "9",  "+",    "-",
    "_",     "x",     "a",     "F",     "g",     "\\x01", "\\x1f", "(", "/",  "~",
};

static const char *const word_line_ends[] = {
    "\\r\\n",       "\\n",
    "\\r",          "\\n\\r",
    "\\r\\r\\n",    "\\n\\n",
    "\\r\\n\\r\\n", " \\r\\n",
    "\\t\\r\\n",    "\\r\\n ",
    "\\r\\n\\t",    "\\n ",
    "\\n\\t",       "",
    "\\0\\r\\n",    "\\r\\0\\n",
    "\\x0b",        "\\xe2\\x80\\xa8",
    "\\r \\n",      "\\t\\r\\n\\t",
};

static const char *const word_fields[] = {
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: 2",
    "content-length:3",
    "Content-Length: 05",
    "Content-Length : 5",
    "Content-Length: 5, 5",
    "Content-Length:\\t5\\t",
    "Content-Length: +5",
    "Content-Length: 5\\0",
    "Transfer-Encoding: chunked",
    "transfer-encoding:CHUNKED",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:\\x0bchunked",
    "Transfer-Encoding: chunked\\r\\n ",
    "Transfer-Encoding\\t: chunked",
    "Transfer-Encoding: \\r\\n chunked",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: keep-alive, close",
    "connection:CLOSE",
    "Connection: Upgrade",
    "Connection: \"close\"",
    "Connection: x\", close",
    "Connection: ,, close ,",
    "Connection: a\\r\\n ,close",
    "Keep-Alive: timeout=5, max=10",
    "Upgrade: websocket",
    "Upgrade: h2c, websocket",
    "Upgrade:",
    "Trailer: X",
    "X: y",
    "X:",
    ": y",
    "X",
    " X: y",
    "\\tContent-Length: 1",
    "X\\0: y",
    "X: y\\0z",
    "X: y\\rz",
    "X-Content-Length: 9",
    "Transfer_Encoding: chunked",
    "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    "X: \\x80\\xff",
};

static const char *const word_lengths[] = {
    "0",
    "1",
    "2",
    "5",
    "6",
    "007",
    "5, 5",
    "5,5,5",
    "5,6",
    "5,",
    ",5",
    ",",
    "",
    "+5",
    "-5",
    "-0",
    "0x5",
    "5.0",
    "5e0",
    "\"5\"",
    "5;q=1",
    "5 5",
    "5\\t5",
    "5_0",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551621",
    "4294967296",
    "4294967301",
    "99999999999999999999999",
    "0005, 5",
    "5 , 5",
    "\\xd9\\xa5",
    "\\xa05",
    "5\\x0b",
    "000000000000000000000000000000000005",
};

static const char *const word_codings[] = {
    "chunked",
    "Chunked",
    "CHUNKED",
    "chunked, chunked",
    "chunked,",
    ",chunked",
    "gzip",
    "gzip, chunked",
    "chunked, gzip",
    "identity",
    "identity, chunked",
    "chunked, identity",
    "",
    "xchunked",
    "chunkedx",
    "\"chunked\"",
    "chunked;q=1",
    "chun ked",
    "chunked\\0",
    "\\x0bchunked",
    "\\x0cchunked",
    "chunked\\x0b",
    "\\xa0chunked",
    "chunked ",
    "chunked\\t",
    "\\tchunked",
    "c\\xc4\\xb1hunked",
    "'chunked'",
    "chunked-",
    "chunk",
    "chunked\\r",
    "foo",
};

static const char *const word_connections[] = {
    "close",
    "Close",
    "keep-alive",
    "Keep-Alive",
    "keep-alive, close",
    "close, keep-alive",
    "close,",
    ",close",
    "\"close\"",
    "close;a=b",
    "closed",
    "x-close",
    "upgrade",
    "Upgrade, close",
    "\"a, close\"",
    "a\", close",
    "\", close, \"",
    "close\\t",
    "clo se",
    "keep-alive\\r\\n , close",
    "",
    ",",
    "\"\\\\\", close",
    "\"\\\\\\\\\", close",
    "\"keep-alive",
    "\", keep-alive",
};

static const char *const word_status_lines[] = {
    "HTTP/1.1 200 OK",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 200",
    "HTTP/1.1 200 ",
    "HTTP/1.2 200 OK",
    "HTTP/1.9 200 OK",
    "HTTP/2.0 200 OK",
    "HTTP/0.9 200 OK",
    "http/1.1 200 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1\\t200 OK",
    "HTTP/1.1 200\\tOK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.10 200 OK",
    "HTTP/1 200 OK",
    "ICY 200 OK",
    "HTTP/1.1 099 x",
    "HTTP/1.1 999 x",
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 +20 x",
    "HTTP/1.1 2 0 x",
    " HTTP/1.1 200 OK",
    "HTTP/1.1 200 O\\0K",
    "HTTP/1.1 200 \\xff\\t x",
    "HTTP/1.1 200 OK\\r",
    "HTTP/11.1 200 OK",
    "HTTP/1,1 200 OK",
    "\\xef\\xbb\\xbfHTTP/1.1 200 OK",
    "HTTP/1.1 20\\xb2 OK",
};

static const char *const word_statuss[] = {
    "200", "204", "304", "100", "101", "102", "103", "199", "205", "206",  "301", "404", "500",
    "599", "299", "300", "400", "600", "999", "099", "000", "20",  "2000", "2 0", "+20",
};

static const char *const word_interims[] = {
    "HTTP/1.1 100 Continue\\r\\n\\r\\n",
    "HTTP/1.1 103 Early Hints\\r\\nLink: </a>\\r\\n\\r\\n",
    "HTTP/1.1 102\\r\\nContent-Length: 5\\r\\n\\r\\n",
    "HTTP/1.1 199 x\\r\\nTransfer-Encoding: chunked\\r\\nConnection: close\\r\\n\\r\\n",
    "HTTP/1.0 100 Continue\\r\\n\\r\\n",
    "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n\\r\\n",
    "HTTP/1.1 100 Continue\\n\\n",
    "HTTP/1.1 100 Continue\\r\\n",
    "HTTP/1.1 103\\r\\nX: a\\r\\n b\\r\\n\\r\\n",
    "HTTP/1.1 101\\r\\nUpgrade: h2c\\r\\nConnection: upgrade\\r\\n\\r\\n",
};

static const char *const word_surpluss[] = {
    "\\r\\n",
    "\\n",
    "x",
    "\\0",
    "HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nbad",
    "0\\r\\n\\r\\n",
    " ",
    "HTTP/1.1 100 Continue\\r\\n\\r\\n",
    "HTTP",
    "hello",
    "HTTP/1.1 408 Request Timeout\\r\\nConnection: close\\r\\n\\r\\n",
};

static const char *const word_sizes[] = {
    "0",
    "1",
    "5",
    "a",
    "F",
    "00",
    "0005",
    "0000000000000005",
    "00000000000000005",
    "+5",
    "-5",
    "0x5",
    " 5",
    "\\t5",
    "5 ",
    "5\\t ",
    "5 5",
    "",
    "g",
    "5g",
    "5_0",
    "\"5\"",
    "7fffffffffffffff",
    "8000000000000000",
    "ffffffffffffffff",
    "10000000000000005",
    "fffffffffffffffff",
    "80000005",
    "100000005",
    "5.0",
    "5,",
    "\\xef\\xbc\\x95",
    "5\\0",
    "5\\x0b",
    "00000000000000000",
};

static const char *const word_extensions[] = {
    "",
    ";a",
    ";a=b",
    ";a=\"b\"",
    " ;a",
    "; a",
    ";a =b",
    ";a= b",
    ";a ",
    ";a=b ",
    ";",
    ";;",
    ";=",
    ";a=",
    ";a=\"b",
    ";a=b\"",
    ";a=\"b\\\\\"c\"",
    ";a=\"\\\\",
    ";a=\"b\"c",
    ";a=\"b\" ;c",
    ";a;b;c",
    ";a=\"\\n\"",
    ";a=\"\\r\\n\"",
    ";\\na",
    ";a\\0",
    ";a=\"\\xff\\t\"",
    ";a(",
    ";a=\"\\\\\\x80\"",
    "\\r",
    " \\t",
    ";a=b;c=\"d\";e",
    ";a b",
    ",a",
    ";a=\"b\" \\t",
    ";a=\"\\x7f\"",
    ";a=\"b\"\\t",
};

static const char *const word_bodys[] = {
    "5\\r\\nhello\\r\\n0\\r\\n\\r\\n",
    "0\\r\\n\\r\\n",
    "1\\r\\na\\r\\n2\\r\\nbc\\r\\n0\\r\\nX: y\\r\\n\\r\\n",
    "5\\nhello\\n0\\n\\n",
    "5\\r\\nhello\\r\\n0\\r\\n",
    "5\\r\\nhello0\\r\\n\\r\\n",
    "5\\r\\nhello\\r\\r\\n0\\r\\n\\r\\n",
    "5\\r\\nhello\\n0\\r\\n\\r\\n",
    "5;a=\\\"\\r\\n\\\"\\r\\nhello\\r\\n0\\r\\n\\r\\n",
    "a\\r\\n0\\r\\n\\r\\nHTTP/\\r\\n0\\r\\n\\r\\n",
    "0\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n",
    "3\\r\\nabc\\r\\n000\\r\\nX: a\\r\\n b\\r\\n\\r\\n",
    "3\\r\\nabc\\r\\n0\\r\\nX : y\\r\\n\\r\\n",
    "3\\r\\nabc\\r\\n0\\r\\nX: y\\n\\r\\n",
    "3\\r\\nabc\\r\\n0\\r\\n\\n",
};

static const struct {
    const char *const *escaped;
    size_t num;
} kinds[N_WORD_KINDS] = {
    [WORD_BYTE] = {word_bytes,        sizeof(word_bytes) / sizeof(word_bytes[0])            },
    [WORD_LINE_END] = {word_line_ends,    sizeof(word_line_ends) / sizeof(word_line_ends[0])    },
    [WORD_FIELD] = {word_fields,       sizeof(word_fields) / sizeof(word_fields[0])          },
    [WORD_LENGTH] = {word_lengths,      sizeof(word_lengths) / sizeof(word_lengths[0])        },
    [WORD_CODING] = {word_codings,      sizeof(word_codings) / sizeof(word_codings[0])        },
    [WORD_CONNECTION] = {word_connections,  sizeof(word_connections) / sizeof(word_connections[0])},
    [WORD_STATUS_LINE] = {word_status_lines,
                   sizeof(word_status_lines) / sizeof(word_status_lines[0])                 },
    [WORD_STATUS] = {word_statuss,      sizeof(word_statuss) / sizeof(word_statuss[0])        },
    [WORD_INTERIM] = {word_interims,     sizeof(word_interims) / sizeof(word_interims[0])      },
    [WORD_SURPLUS] = {word_surpluss,     sizeof(word_surpluss) / sizeof(word_surpluss[0])      },
    [WORD_SIZE] = {word_sizes,        sizeof(word_sizes) / sizeof(word_sizes[0])            },
    [WORD_EXTENSION] = {word_extensions,   sizeof(word_extensions) / sizeof(word_extensions[0])  },
    [WORD_BODY] = {word_bodys,        sizeof(word_bodys) / sizeof(word_bodys[0])            },
};

static struct record words[N_WORD_KINDS][WORDS_MAX];

static void unescape(const char *text, struct record *out)
{
    static const char letters[] = "rnt0\\\"";
    static const char bytes[] = "\r\n\t\0\\\"";

    while (*text != '\0') {
        const char *letter = *text == '\\' ? strchr(letters, text[1]) : NULL;
        char hex[3] = "";
        char byte = *text;
        size_t used = 1;

        if (letter != NULL) {
            byte = bytes[letter - letters];
            used = 2;
        } else if (*text == '\\') {
            memcpy(hex, text + 2, 2);
            byte = (char)strtoul(hex, NULL, 16);
            used = 4;
        }
        record_add(out, &byte, 1);
        text += used;
    }
}

void words_load(void)
{
    for (size_t kind = 0; kind < N_WORD_KINDS; kind++) {
        for (size_t i = 0; i < kinds[kind].num && i < WORDS_MAX; i++) {
            unescape(kinds[kind].escaped[i], &words[kind][i]);
        }
    }
}

const struct record *words_pick(enum word_kind kind, uint64_t *chance)
{
    return &words[kind][chance_below(chance, kinds[kind].num)];
}
