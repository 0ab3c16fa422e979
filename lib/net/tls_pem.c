/* Certificates out of files, directories and memory into a store.
 *
 * Files are read whole, with a cap, and now: the library's own directory lookup would read them in
 * the middle of a handshake. Does not decide which files to trust. */

#include "net/tls_pem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "net/tls_error.h"
#include "net/tls_file.h"

#define HASH_LEN 8

static enum urlpool_code fail_read(struct urlpool_error *err, const char *name, int os_errno)
{
    const enum urlpool_code code =
        urlp_is_shortage(os_errno) ? URLPOOL_E_SYSTEM : URLPOOL_E_TLS_CA_FILE;

    return urlp_fail_errno(err, code, URLPOOL_PHASE_NONE, os_errno,
                           "cannot read trusted roots from %s",
                           urlp_quote(name, strlen(name)).text);
}

static enum urlpool_code fail_malformed(struct urlpool_error *err, const char *name)
{
    return urlp_fail(err, URLPOOL_E_TLS_CA_FILE, URLPOOL_PHASE_NONE,
                     "malformed certificate among the trusted roots from %s",
                     urlp_quote(name, strlen(name)).text);
}

/* add_der adds one certificate. `has_aux`: OpenSSL's trust settings may stand behind it. */
static enum urlpool_code add_der(X509_STORE *store, const uint8_t *der, size_t len, bool has_aux,
                                 struct urlp_tls_origin origin, struct urlpool_error *err)
{
    const uint8_t *end = der;
    X509 *cert = has_aux ? d2i_X509_AUX(NULL, &end, (long)len) : d2i_X509(NULL, &end, (long)len);
    enum urlpool_code code = URLPOOL_OK;

    if (cert == NULL && urlp_tls_ran_out()) {
        code = urlp_fail_nomem(err);
    } else if (cert == NULL || end != der + len) {
        code = origin.is_lenient ? URLPOOL_OK : fail_malformed(err, origin.name);
    } else if (!X509_STORE_add_cert(store, cert)) {
        code = urlp_fail_nomem(err);
    }
    X509_free(cert);
    return code;
}

/* add_block adds what stands between one pair of PEM lines, if it is a certificate. */
static enum urlpool_code add_block(X509_STORE *store, const char *label, const uint8_t *der,
                                   size_t len, struct urlp_tls_origin origin,
                                   struct urlpool_error *err)
{
    const bool has_aux = strcmp(label, PEM_STRING_X509_TRUSTED) == 0;

    if (!has_aux && strcmp(label, PEM_STRING_X509) != 0 &&
        strcmp(label, PEM_STRING_X509_OLD) != 0) {
        return URLPOOL_OK;
    }
    return add_der(store, der, len, has_aux, origin, err);
}

enum urlp_tls_pem_end urlp_tls_pem_next(BIO *text, struct urlp_tls_pem_block *out)
{
    unsigned long packed;
    long len = 0;

    *out = (struct urlp_tls_pem_block){0};
    ERR_clear_error();
    if (PEM_read_bio(text, &out->label, &out->header, &out->der, &len)) {
        out->len = (size_t)len;
        return URLP_TLS_PEM_BLOCK;
    }
    packed = ERR_peek_last_error();
    *out = (struct urlp_tls_pem_block){0};
    if (urlp_tls_ran_out()) {
        return URLP_TLS_PEM_NOMEM;
    }
    return ERR_GET_LIB(packed) == ERR_LIB_PEM && ERR_GET_REASON(packed) == PEM_R_NO_START_LINE
               ? URLP_TLS_PEM_END
               : URLP_TLS_PEM_MALFORMED;
}

void urlp_tls_pem_block_deinit(struct urlp_tls_pem_block *block)
{
    OPENSSL_free(block->label);
    OPENSSL_free(block->header);
    OPENSSL_clear_free(block->der, block->len);
    *block = (struct urlp_tls_pem_block){0};
}

static enum urlpool_code add_blocks(X509_STORE *store, BIO *text, struct urlp_tls_origin origin,
                                    struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK) {
        struct urlp_tls_pem_block block;
        const enum urlp_tls_pem_end end = urlp_tls_pem_next(text, &block);

        if (end == URLP_TLS_PEM_END) {
            break;
        }
        if (end == URLP_TLS_PEM_BLOCK) {
            code = add_block(store, block.label, block.der, block.len, origin, err);
        } else if (end == URLP_TLS_PEM_NOMEM) {
            code = urlp_fail_nomem(err);
        } else if (!origin.is_lenient) {
            code = fail_malformed(err, origin.name);
        }
        urlp_tls_pem_block_deinit(&block);
    }
    ERR_clear_error();
    return code;
}

enum urlpool_code urlp_tls_pem_add_data(X509_STORE *store, const void *data, size_t len,
                                        struct urlp_tls_origin origin, struct urlpool_error *err)
{
    enum urlpool_code code;
    BIO *text;

    if (len > INT_MAX) {
        return fail_malformed(err, origin.name);
    }
    ERR_clear_error();
    if (len > 0 && *(const uint8_t *)data == URLP_TLS_DER_SEQUENCE) {
        code = add_der(store, data, len, false, origin, err);
        ERR_clear_error();
        return code;
    }
    text = BIO_new_mem_buf(data, (int)len);
    if (text == NULL) {
        ERR_clear_error();
        return urlp_fail_nomem(err);
    }
    code = add_blocks(store, text, origin, err);
    BIO_free(text);
    return code;
}

/* add_in adds the file `name` in `dir_fd`; `origin` names it in messages. */
static enum urlpool_code add_in(X509_STORE *store, int dir_fd, const char *name,
                                struct urlp_tls_origin origin, struct urlpool_error *err)
{
    struct urlp_buf buf = {0};
    int os_errno = 0;
    enum urlpool_code code = urlp_tls_file_read(dir_fd, name, &buf, &os_errno);

    if (code == URLPOOL_OK) {
        code = urlp_tls_pem_add_data(store, buf.data, buf.len, origin, err);
    } else {
        code =
            code == URLPOOL_E_NOMEM ? urlp_fail_nomem(err) : fail_read(err, origin.name, os_errno);
    }
    urlp_buf_deinit(&buf);
    return code;
}

enum urlpool_code urlp_tls_pem_add_file(X509_STORE *store, struct urlp_tls_origin origin,
                                        struct urlpool_error *err)
{
    return add_in(store, AT_FDCWD, origin.name, origin, err);
}

static bool is_hash_name(const char *name)
{
    size_t len = 0;

    while (len < HASH_LEN && urlp_hex_value((unsigned char)name[len]) >= 0) {
        len++;
    }
    if (len != HASH_LEN || name[len++] != '.') {
        return false;
    }
    return urlp_is_digit((unsigned char)name[len]);
}

/* next_entry returns NULL at the end, and where errno says why, too. */
static const struct dirent *next_entry(DIR *dir)
{
    errno = 0;
    return readdir(dir);
}

enum urlpool_code urlp_tls_pem_add_dir(X509_STORE *store, struct urlp_tls_origin origin,
                                       struct urlpool_error *err)
{
    DIR *dir = opendir(origin.name);
    enum urlpool_code code = URLPOOL_OK;
    const struct dirent *entry;

    if (dir == NULL) {
        return fail_read(err, origin.name, errno);
    }
    while (code == URLPOOL_OK && (entry = next_entry(dir)) != NULL) {
        if (!is_hash_name(entry->d_name)) {
            continue;
        }
        code = add_in(store, dirfd(dir), entry->d_name, origin, err);
        if (code == URLPOOL_E_TLS_CA_FILE && origin.is_lenient) {
            code = URLPOOL_OK; /* a dangling link in a system's directory */
        }
    }
    if (code == URLPOOL_OK && errno != 0) { /* the rest of the roots would be missing */
        code = fail_read(err, origin.name, errno);
    }
    (void)closedir(dir);
    return code;
}
