#ifndef POOLED_FETCH_EXIT_CODE_H
#define POOLED_FETCH_EXIT_CODE_H

#include "urlpool/error.h"

/* enum pf_exit is what a transfer, and in the end the program, comes to: curl's numbers. */
enum pf_exit {
    PF_EXIT_OK = 0,
    PF_EXIT_SCHEME = 1,
    PF_EXIT_USAGE = 2,
    PF_EXIT_URL = 3,
    PF_EXIT_PROXY_NAME = 5,
    PF_EXIT_RESOLVE = 6,
    PF_EXIT_CONNECT = 7,
    PF_EXIT_BAD_HEAD = 8,
    PF_EXIT_PARTIAL = 18,
    PF_EXIT_STATUS = 22, /* --fail, and the status is 400 or more */
    PF_EXIT_WRITE = 23,  /* a file or standard output */
    PF_EXIT_READ = 26,   /* a file named on the command line */
    PF_EXIT_NOMEM = 27,
    PF_EXIT_TIMEOUT = 28,
    PF_EXIT_TLS_CONNECT = 35,
    PF_EXIT_INTERRUPTED = 42, /* of a transfer; the program's is 128 and the signal */
    PF_EXIT_RANGE = 33,       /* what was asked for from an offset on comes from elsewhere */
    PF_EXIT_INTERFACE = 45,
    PF_EXIT_REDIRECTS = 47,
    PF_EXIT_SYNTAX = 49, /* of a value that says where to go */
    PF_EXIT_EMPTY_REPLY = 52,
    PF_EXIT_SEND = 55,
    PF_EXIT_RECEIVE = 56,
    PF_EXIT_CLIENT_CERT = 58,
    PF_EXIT_CIPHERS = 59,
    PF_EXIT_TLS_VERIFY = 60,
    PF_EXIT_CODING = 61,
    PF_EXIT_TOO_LARGE = 63,
    PF_EXIT_REWIND = 65,
    PF_EXIT_LOGIN = 67, /* --disallow-username-in-url, and there is one */
    PF_EXIT_CA_FILE = 77,
    PF_EXIT_PIN = 90,
    PF_EXIT_PROXY = 97,
    PF_EXIT_NUM = 128
};

/* pf_exit_of gives curl's number for a failure of the library. */
enum pf_exit pf_exit_of(const struct urlpool_error *err);

/* pf_exit_name is a word or two for a number, "" for one that pooled-fetch does not use.
 * Owns: the string is static. */
const char *pf_exit_name(enum pf_exit code);

#endif /* POOLED_FETCH_EXIT_CODE_H */
