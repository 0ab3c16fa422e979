/* Certificates out of files, directories and memory into a store.
 *
 * Files are read whole, with a cap, and now: BoringSSL's own directory lookup would read them in
 * the middle of a handshake. Does not decide which files to trust. */

#include "net/tls_pem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

#define FILE_BYTES_MAX ((size_t)16 << 20)
#define READ_BYTES     ((size_t)64 << 10)
#define HASH_LEN       8
#define DER_SEQUENCE   0x30 /* the first octet of a certificate in DER */

static enum urlpool_code fail_read(struct urlpool_error *err, const char *name, int os_errno)
{
    return urlp_fail_errno(err, URLPOOL_E_TLS_CA_FILE, URLPOOL_PHASE_NONE, os_errno,
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

    if (cert == NULL || end != der + len) {
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

/* is_at_end says whether reading ended for want of another block, and not for a bad one. */
static bool is_at_end(void)
{
    const uint32_t packed = ERR_peek_last_error();

    return ERR_GET_LIB(packed) == ERR_LIB_PEM && ERR_GET_REASON(packed) == PEM_R_NO_START_LINE;
}

static enum urlpool_code add_blocks(X509_STORE *store, BIO *text, struct urlp_tls_origin origin,
                                    struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    while (code == URLPOOL_OK) {
        char *label = NULL;
        char *header = NULL;
        uint8_t *der = NULL;
        long len = 0;

        ERR_clear_error();
        if (PEM_read_bio(text, &label, &header, &der, &len)) {
            code = add_block(store, label, der, (size_t)len, origin, err);
        } else if (is_at_end()) {
            break;
        } else if (!origin.is_lenient) {
            code = fail_malformed(err, origin.name);
        }
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_free(der);
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
    if (len > 0 && *(const uint8_t *)data == DER_SEQUENCE) {
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

/* read_all appends what `fd` holds to `buf`. */
static enum urlpool_code read_all(int fd, struct urlp_buf *buf, const char *name,
                                  struct urlpool_error *err)
{
    for (;;) {
        const enum urlpool_code code = urlp_buf_reserve(buf, READ_BYTES);
        ssize_t len;

        if (code == URLPOOL_E_NOMEM) {
            return urlp_fail_nomem(err);
        }
        if (code != URLPOOL_OK) {
            return fail_read(err, name, EFBIG);
        }
        len = read(fd, buf->data + buf->len, READ_BYTES);
        if (len < 0 && errno != EINTR) {
            return fail_read(err, name, errno);
        }
        if (len == 0) {
            return URLPOOL_OK;
        }
        buf->len += len > 0 ? (size_t)len : 0;
    }
}

/* add_open adds the file that `fd` is open at, and closes it. */
static enum urlpool_code add_open(X509_STORE *store, int fd, struct urlp_tls_origin origin,
                                  struct urlpool_error *err)
{
    struct urlp_buf buf = {.max = FILE_BYTES_MAX};
    enum urlpool_code code;

    if (fd < 0) {
        return fail_read(err, origin.name, errno);
    }
    code = read_all(fd, &buf, origin.name, err);
    (void)close(fd);
    if (code == URLPOOL_OK) {
        code = urlp_tls_pem_add_data(store, buf.data, buf.len, origin, err);
    }
    urlp_buf_deinit(&buf);
    return code;
}

enum urlpool_code urlp_tls_pem_add_file(X509_STORE *store, struct urlp_tls_origin origin,
                                        struct urlpool_error *err)
{
    return add_open(store, open(origin.name, O_RDONLY | O_CLOEXEC), origin, err);
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

enum urlpool_code urlp_tls_pem_add_dir(X509_STORE *store, struct urlp_tls_origin origin,
                                       struct urlpool_error *err)
{
    DIR *dir = opendir(origin.name);
    enum urlpool_code code = URLPOOL_OK;
    const struct dirent *entry;

    if (dir == NULL) {
        return fail_read(err, origin.name, errno);
    }
    while (code == URLPOOL_OK && (entry = readdir(dir)) != NULL) {
        if (!is_hash_name(entry->d_name)) {
            continue;
        }
        code =
            add_open(store, openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC), origin, err);
        if (code == URLPOOL_E_TLS_CA_FILE && origin.is_lenient) {
            code = URLPOOL_OK; /* a dangling link in a system's directory */
        }
    }
    (void)closedir(dir);
    return code;
}
