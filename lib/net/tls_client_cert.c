/* The client's own certificate: its chain and its key, from files or memory, one source or two.
 *
 * The first certificate is the client's, the others are sent behind it as they stand. The key is
 * looked for where the certificate is when no other place is named, and must belong to it. All is
 * read when the configuration is built; of files nothing is kept open. */

#include "net/tls_client_cert.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/tls_error.h"
#include "net/tls_file.h"
#include "net/tls_key.h"
#include "net/tls_library.h"
#include "net/tls_pem.h"
#include "net/tls_verify.h"

/* struct source is where something was read from. */
struct source {
    const char *name; /* for messages */
    const void *data;
    size_t len;
    struct urlp_buf file; /* what `data` points at when it was one */
};

static const char unsupported[] = "its key is of a kind not supported";

struct credentials {
    X509 *certs[URLP_TLS_CHAIN_MAX];
    size_t num_certs;
    EVP_PKEY *key;
};

static enum urlpool_code refuse(struct urlpool_error *err, const struct source *source,
                                const char *what)
{
    return urlp_fail(err, URLPOOL_E_TLS_CLIENT_CERT, URLPOOL_PHASE_NONE,
                     "client certificate in %s: %s",
                     urlp_quote(source->name, strlen(source->name)).text, what);
}

/* open_source reads `file`, or takes `data` when that is NULL. */
static enum urlpool_code open_source(struct source *source, const char *file, struct urlp_span data,
                                     const char *data_name, struct urlpool_error *err)
{
    enum urlpool_code code;
    int os_errno = 0;

    *source = (struct source){.name = data_name, .data = data.data, .len = data.len};
    if (file == NULL) {
        return URLPOOL_OK;
    }
    source->name = file;
    code = urlp_tls_file_read(AT_FDCWD, file, &source->file, &os_errno);
    if (code == URLPOOL_E_NOMEM) {
        return urlp_fail_nomem(err);
    }
    if (code != URLPOOL_OK) {
        return urlp_fail_errno(err, URLPOOL_E_TLS_CLIENT_CERT, URLPOOL_PHASE_NONE, os_errno,
                               "cannot read client certificate or key from %s",
                               urlp_quote(file, strlen(file)).text);
    }
    source->data = source->file.data;
    source->len = source->file.len;
    return URLPOOL_OK;
}

/* parse gives the certificate that `der` is from end to end, or NULL. */
static X509 *parse(const uint8_t *der, size_t len)
{
    const uint8_t *end = der;
    X509 *cert = d2i_X509(NULL, &end, (long)len);

    if (cert != NULL && end != der + len) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static enum urlpool_code add_cert(struct credentials *credentials, const struct source *source,
                                  const uint8_t *der, size_t len, struct urlpool_error *err)
{
    X509 *cert = parse(der, len);

    if (cert == NULL) {
        return urlp_tls_ran_out() ? urlp_fail_nomem(err) : refuse(err, source, "malformed");
    }
    if (credentials->num_certs == URLP_TLS_CHAIN_MAX) {
        X509_free(cert);
        return refuse(err, source, "too many certificates in its chain");
    }
    credentials->certs[credentials->num_certs++] = cert;
    return URLPOOL_OK;
}

static bool is_labelled(const struct urlp_tls_pem_block *block)
{
    return strcmp(block->label, PEM_STRING_X509) == 0 ||
           strcmp(block->label, PEM_STRING_X509_OLD) == 0;
}

static enum urlpool_code add_blocks(struct credentials *credentials, const struct source *source,
                                    BIO *text, struct urlpool_error *err)
{
    struct urlp_tls_pem_block block;
    enum urlp_tls_pem_end end;

    while ((end = urlp_tls_pem_next(text, &block)) == URLP_TLS_PEM_BLOCK) {
        const enum urlpool_code code =
            is_labelled(&block) ? add_cert(credentials, source, block.der, block.len, err)
                                : URLPOOL_OK;

        urlp_tls_pem_block_deinit(&block);
        if (code != URLPOOL_OK) {
            return code;
        }
    }
    if (end == URLP_TLS_PEM_NOMEM) {
        return urlp_fail_nomem(err);
    }
    if (end == URLP_TLS_PEM_MALFORMED) {
        return refuse(err, source, "malformed");
    }
    return credentials->num_certs > 0 ? URLPOOL_OK
                                      : refuse(err, source, "there is no certificate in it");
}

static enum urlpool_code add_certs(struct credentials *credentials, const struct source *source,
                                   struct urlpool_error *err)
{
    enum urlpool_code code;
    BIO *text;

    if (source->len > INT_MAX) {
        return refuse(err, source, "malformed");
    }
    ERR_clear_error();
    if (source->len > 0 && *(const uint8_t *)source->data == URLP_TLS_DER_SEQUENCE) {
        return add_cert(credentials, source, source->data, source->len, err);
    }
    text = BIO_new_mem_buf(source->data, (int)source->len);
    if (text == NULL) {
        return urlp_fail_nomem(err);
    }
    code = add_blocks(credentials, source, text, err);
    BIO_free(text);
    return code;
}

static int kind_of_key(X509 *leaf)
{
    EVP_PKEY *key = X509_get_pubkey(leaf);
    const int kind = key != NULL ? EVP_PKEY_id(key) : EVP_PKEY_NONE;

    EVP_PKEY_free(key);
    return kind;
}

/* unfit_words says why a certificate and a key that can be read cannot be used, or NULL. */
static const char *unfit_words(X509 *leaf, EVP_PKEY *key)
{
    const int kind = kind_of_key(leaf);

    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC && kind != EVP_PKEY_ED25519) {
        return unsupported;
    }
    if (kind == EVP_PKEY_EC && (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0) {
        return "its key usage has no digital signature";
    }
    return X509_check_private_key(leaf, key) == 1 ? NULL : "the private key belongs to another";
}

static enum urlpool_code install(SSL_CTX *context, const struct credentials *credentials,
                                 const struct source *source, struct urlpool_error *err)
{
    const char *why;

    ERR_clear_error();
    why = unfit_words(credentials->certs[0], credentials->key);
    if (why == NULL) {
        if (urlp_tls_library_set_credentials(context, credentials->certs, credentials->num_certs,
                                             credentials->key)) {
            return URLPOOL_OK;
        }
        why = unsupported;
    }
    return urlp_tls_ran_out() ? urlp_fail_nomem(err) : refuse(err, source, why);
}

/* load_key reads the key; one that is named nowhere else stands by the certificate. */
static enum urlpool_code load_key(struct credentials *credentials, const struct source *cert,
                                  const struct urlpool_tls_options *options,
                                  struct urlpool_error *err)
{
    struct source apart = {.name = NULL};
    const struct source *key = cert;
    enum urlpool_code code = URLPOOL_OK;

    if (options->key_file != NULL || options->key_data != NULL) {
        key = &apart;
        code =
            open_source(&apart, options->key_file,
                        urlp_span_make(options->key_data, options->key_data_len), "key_data", err);
    }
    if (code == URLPOOL_OK) {
        credentials->key =
            urlp_tls_key_read(key->data, key->len, key->name, options->key_password, err);
        code = credentials->key != NULL ? URLPOOL_OK : err->code;
    }
    urlp_tls_file_forget(&apart.file);
    return code;
}

enum urlpool_code urlp_tls_client_cert_use(SSL_CTX *context,
                                           const struct urlpool_tls_options *options,
                                           struct urlpool_error *err)
{
    struct credentials credentials = {.num_certs = 0};
    struct source cert;
    enum urlpool_code code;

    if (options->cert_file == NULL && options->cert_data == NULL) {
        return URLPOOL_OK;
    }
    code =
        open_source(&cert, options->cert_file,
                    urlp_span_make(options->cert_data, options->cert_data_len), "cert_data", err);
    if (code == URLPOOL_OK) {
        code = add_certs(&credentials, &cert, err);
    }
    if (code == URLPOOL_OK) {
        code = load_key(&credentials, &cert, options, err);
    }
    if (code == URLPOOL_OK) {
        code = install(context, &credentials, &cert, err);
    }
    for (size_t i = 0; i < credentials.num_certs; i++) {
        X509_free(credentials.certs[i]);
    }
    EVP_PKEY_free(credentials.key);
    urlp_tls_file_forget(&cert.file);
    ERR_clear_error();
    return code;
}
