#ifndef URLPOOL_TLS_H
#define URLPOOL_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/error.h"
#include "urlpool/export.h"

URLPOOL_BEGIN_DECLS

/* enum urlpool_tls_version is a version of TLS. Those before 1.2 are not offered: RFC 8996 forbids
 * them. */
enum urlpool_tls_version {
    URLPOOL_TLS_DEFAULT = 0, /* as each option says */
    URLPOOL_TLS_1_2 = 12,    /* RFC 5246 */
    URLPOOL_TLS_1_3 = 13     /* RFC 8446 */
};

/* struct urlpool_tls_options says whom to trust and how to speak. Zero bytes: the system's roots,
 * verification on. Roots come from the first of these that is given: ca_file, ca_dir and ca_data
 * together (then no others are trusted); else SSL_CERT_FILE and SSL_CERT_DIR together; else the
 * first of the usual bundle files that holds any; else the first of the usual hashed directories.
 * What an option or the environment names must be readable and well-formed: it is never replaced by
 * something else.
 */
struct urlpool_tls_options {
    const char *ca_file;     /* PEM, any number of certificates */
    const char *ca_dir;      /* PEM files named by subject hash, as openssl rehash makes them */
    const void *ca_data;     /* PEM text or one DER certificate */
    size_t ca_data_len;      /* how many bytes it has */
    bool insecure_no_verify; /* neither chain nor name is checked: anybody can read along, unless
                                there is a fingerprint or a pin */
    enum urlpool_tls_version version_min; /* default 1.2 */
    enum urlpool_tls_version version_max; /* default 1.3 */
    const char *ciphers;     /* for TLS 1.2, as openssl names them: "ECDHE+AESGCM:ECDHE+CHACHA20";
                                default: ephemeral keys only. Those of TLS 1.3 are fixed */
    const char *server_name; /* asked for by SNI and looked for in the certificate in place of
                                the URL's host: a name, or an address, which SNI leaves out */
    const char *assert_hostname;    /* only looked for in the certificate; SNI stays */
    bool insecure_no_hostname;      /* the chain is verified, but it may be for anybody */
    const char *assert_fingerprint; /* hexadecimal MD5, SHA-1 or SHA-256 of the peer's certificate,
                                       with or without colons; looked at in place of the name */
    const char *pins; /* "sha256//BASE64;sha256//…": digests of the public keys, one of which the
                         peer must have; looked at besides all else */
    const char *cert_file; /* the client's certificate, shown to servers that ask for one, PEM or
                              DER; in PEM those that lead to a root stand behind it */
    const void *cert_data; /* or the bytes of such a file */
    size_t cert_data_len;  /* how many they are */
    const char
        *key_file; /* its private key, PEM or DER; by default in PEM beside the certificate */
    const void *key_data;     /* or the bytes of such a file */
    size_t key_data_len;      /* how many they are */
    const char *key_password; /* of an encrypted key; nobody is ever asked for one */
    const char *keylog_file;  /* the keys of all connections are appended to it, as Wireshark reads
                                 them: whoever can read the file can read along */
    bool keylog_from_environment; /* the file that SSLKEYLOGFILE names, if it does */
    unsigned char reserved[63];
};

/* struct urlpool_tls is a built TLS configuration, shared by any number of managers, pools and
 * connections.
 *
 * Threads: any number at once once built.
 * Model:   ssl.SSLContext as urllib3.util.create_urllib3_context makes it. */
struct urlpool_tls;

/* urlpool_tls_new builds a configuration; NULL options are the defaults. Reads files and
 * environment now and never again.
 *
 * Owns:    the caller gives its reference back with urlpool_tls_unref.
 * Errors:  NULL with URLPOOL_E_TLS_CA_FILE, URLPOOL_E_TLS_NO_ANCHORS,
 *          URLPOOL_E_TLS_CLIENT_CERT, URLPOOL_E_TLS_KEY_PASSWORD, URLPOOL_E_INVALID (an option that
 *          means nothing, or contradicts another), URLPOOL_E_SYSTEM (keylog_file), URLPOOL_E_NOMEM.
 * Threads: any number at once.
 * Model:   urllib3.util.create_urllib3_context, SSLContext.load_verify_locations. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_tls *urlpool_tls_new(
    const struct urlpool_tls_options *options, struct urlpool_error *err);

/* urlpool_tls_ref takes one more reference and returns `tls`; NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API struct urlpool_tls *urlpool_tls_ref(struct urlpool_tls *tls);

/* urlpool_tls_unref gives a reference back; the last one ends the configuration. NULL is accepted.
 *
 * Threads: any number at once. */
URLPOOL_API void urlpool_tls_unref(struct urlpool_tls *tls);

URLPOOL_END_DECLS

#endif /* URLPOOL_TLS_H */
