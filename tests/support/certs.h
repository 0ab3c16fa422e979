#ifndef TESTS_SUPPORT_CERTS_H
#define TESTS_SUPPORT_CERTS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Certificates made on the spot. Whatever goes wrong here aborts the test. */

/* struct test_name is one subject alternative name, with octets of any kind. */
struct test_name {
    bool is_ip;
    const char *data;
    size_t len;
};
#define TEST_DNS(text)                \
    {                                 \
        false, text, sizeof(text) - 1 \
    }
#define TEST_IP(octets)                  \
    {                                    \
        true, octets, sizeof(octets) - 1 \
    }

/* struct test_cert_options says what is in a certificate. Zero bytes: a leaf for nobody, valid from
 * an hour ago for a day, P-256, SHA-256, serverAuth. */
struct test_cert_options {
    const char *common_name; /* NULL: "test" */
    size_t common_name_len;  /* 0: up to its NUL */
    const struct test_name *names;
    size_t num_names;
    int64_t begin_s, end_s; /* from now; both 0: the default */
    bool is_ca;
    bool omits_basics;              /* no basicConstraints */
    int path_len;                   /* of a CA: the allowed depth less 1; 0: any, -1: none below */
    const char *usage;              /* extendedKeyUsage; NULL: serverAuth for a leaf, "": none */
    const char *key_usage;          /* NULL: keyCertSign,cRLSign for a CA, none else; "": none */
    const char *limits;             /* nameConstraints, as in openssl.cnf; NULL: none */
    bool has_key_ids;               /* subjectKeyIdentifier, and its issuer's if that has one */
    bool has_unknown;               /* a critical extension nobody knows */
    int rsa_bits;                   /* 0: P-256 */
    bool is_ed25519;                /* the key; instead of P-256 */
    int curve;                      /* the NID of another than P-256 */
    bool is_sha1, is_md5;           /* the signature's digest */
    bool is_pss;                    /* the signature's padding; of an issuer with an RSA key */
    bool is_v1;                     /* version 1, which has no extensions */
    bool has_empty_names;           /* an extension of names that holds none */
    bool doubles_names;             /* has the extension of its names twice */
    const struct test_cert *key_of; /* NULL: a new key, else the one of that certificate */
};

struct test_cert {
    X509 *x509;
    EVP_PKEY *key;
};

/* test_cert_new makes a certificate signed by `issuer`, or by itself when that is NULL. */
struct test_cert *test_cert_new(const struct test_cert_options *options,
                                const struct test_cert *issuer);
void test_cert_free(struct test_cert *cert); /* accepts NULL */

/* test_ca makes a root; test_leaf a leaf for one host name of `issuer`. */
struct test_cert *test_ca(const char *common_name);
struct test_cert *test_leaf(const char *host, const struct test_cert *issuer);

/* test_cert_key_encrypted is its key as PEM text that `password` opens: PKCS #8, or what OpenSSL
 * wrote before that; test_cert_key_der the bytes of DER, encrypted when there is a password. */
char *test_cert_key_encrypted(const struct test_cert *cert, const char *password, bool is_old);
uint8_t *test_cert_key_der(const struct test_cert *cert, const char *password, size_t *out_len);

/* test_cert_pem is the certificate as PEM text, test_cert_key_pem its key, test_cert_der the bytes
 * of DER; for free(). */
char *test_cert_pem(const struct test_cert *cert);
char *test_cert_key_pem(const struct test_cert *cert);
uint8_t *test_cert_der(const struct test_cert *cert, size_t *out_len);

/* test_cert_fingerprint is a digest of the certificate in lower case hexadecimal: 32 digits of MD5,
 * 40 of SHA-1, 64 of SHA-256; test_cert_pin is its key's pin: "sha256//…"; for free(). */
char *test_cert_fingerprint(const struct test_cert *cert, int num_digits);
char *test_cert_pin(const struct test_cert *cert);

/* test_cert_chain is what a peer presents: `certs`, leaf first, ends with NULL; for
 * tls_kit_shown_free. */
struct urlp_tls_shown *test_cert_chain(const struct test_cert *const *certs);

/* test_cert_context is a server's SSL_CTX that presents `certs`; for SSL_CTX_free. */
SSL_CTX *test_cert_context(const struct test_cert *const *certs);

/* test_cert_hash_name writes the name openssl rehash gives: "5ad8a5d6.0". */
void test_cert_hash_name(const struct test_cert *cert, char out[16]);

/* test_dir makes a directory for files of the test; test_dir_remove removes it, the files in it,
 * and the string. */
char *test_dir(void);
void test_dir_remove(char *dir);

/* test_file writes a file in `dir` and returns its path; for free(). */
char *test_file(const char *dir, const char *name, const char *text);

#endif /* TESTS_SUPPORT_CERTS_H */
