/* A private key out of PEM or DER, encrypted or not.
 *
 * PEM says what it holds by its label; DER by its form. Nobody is ever asked for a password: a key
 * that needs one and has none is an error of its own. No message holds a byte of a key or of a
 * password. */

#include "net/tls_key.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/error.h"
#include "net/tls_error.h"
#include "net/tls_library.h"
#include "net/tls_pem.h"

/* What ASN1_get_object says of what it cannot read. */
#define ASN1_UNREADABLE 0x80

/* struct request is one key to be read. */
struct request {
    const char *name;
    const char *password;
    struct urlpool_error *err;
};

/* refuse says what is wrong with the key, unless it was memory. */
static EVP_PKEY *refuse(const struct request *request, enum urlpool_code code, const char *what)
{
    if (urlp_tls_ran_out()) {
        (void)urlp_fail_nomem(request->err);
        return NULL;
    }
    (void)urlp_fail(request->err, code, URLPOOL_PHASE_NONE, "client key in %s: %s",
                    urlp_quote(request->name, strlen(request->name)).text, what);
    return NULL;
}

static EVP_PKEY *refuse_malformed(const struct request *request)
{
    return refuse(request, URLPOOL_E_TLS_CLIENT_CERT, "malformed, or of a kind not supported");
}

/* parse gives the key that `der` is from end to end, or NULL. */
static EVP_PKEY *parse(const uint8_t *der, size_t len)
{
    const uint8_t *end = der;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &end, (long)len);

    if (key != NULL && end != der + len) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

static EVP_PKEY *read_plain(const struct request *request, const uint8_t *der, size_t len)
{
    EVP_PKEY *key = parse(der, len);

    return key != NULL ? key : refuse_malformed(request);
}

/* read_encrypted reads an EncryptedPrivateKeyInfo. */
static EVP_PKEY *read_encrypted(const struct request *request, const uint8_t *der, size_t len)
{
    bool is_odd = false;
    EVP_PKEY *key;

    if (request->password == NULL) {
        return refuse(request, URLPOOL_E_TLS_KEY_PASSWORD, "encrypted, a password is required");
    }
    key = urlp_tls_library_decrypt(der, len, request->password, &is_odd);
    if (key != NULL) {
        return key;
    }
    return is_odd ? refuse(request, URLPOOL_E_TLS_CLIENT_CERT,
                           "malformed, or encrypted in a way not supported")
                  : refuse(request, URLPOOL_E_TLS_KEY_PASSWORD, "encrypted with another password");
}

/* is_sequence says whether a sequence begins at `*der`, and goes to what is inside it. */
static bool is_sequence(const uint8_t **der, const uint8_t *end)
{
    long len = 0;
    int tag = 0;
    int tag_class = 0;
    const int form = ASN1_get_object(der, &len, &tag, &tag_class, (long)(end - *der));

    return (form & ASN1_UNREADABLE) == 0 && tag == V_ASN1_SEQUENCE && tag_class == V_ASN1_UNIVERSAL;
}

/* read_der: RFC 5958 section 3: only an encrypted key begins with a sequence in its sequence. */
static EVP_PKEY *read_der(const struct request *request, const uint8_t *der, size_t len)
{
    const uint8_t *at = der;

    if (!is_sequence(&at, der + len)) {
        return refuse_malformed(request);
    }
    return is_sequence(&at, der + len) ? read_encrypted(request, der, len)
                                       : read_plain(request, der, len);
}

/* read_old reads a block that says in its own header how it is encrypted: RFC 1421 as OpenSSL has
 * it. */
static EVP_PKEY *read_old(const struct request *request, struct urlp_tls_pem_block *block)
{
    EVP_CIPHER_INFO cipher;
    long len = (long)block->len;
    EVP_PKEY *key = NULL;

    if (request->password == NULL) {
        return refuse(request, URLPOOL_E_TLS_KEY_PASSWORD, "encrypted, a password is required");
    }
    if (!PEM_get_EVP_CIPHER_INFO(block->header, &cipher)) {
        return refuse_malformed(request);
    }
    /* A wrong password passes the padding once in 256 times, and what comes out is no key. */
    if (PEM_do_header(&cipher, block->der, &len, NULL, (void *)request->password)) {
        key = parse(block->der, (size_t)len);
    }
    return key != NULL
               ? key
               : refuse(request, URLPOOL_E_TLS_KEY_PASSWORD, "encrypted with another password");
}

static bool is_key(const char *label)
{
    return strcmp(label, PEM_STRING_PKCS8INF) == 0 || strcmp(label, PEM_STRING_PKCS8) == 0 ||
           strcmp(label, PEM_STRING_RSA) == 0 || strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0;
}

static EVP_PKEY *read_block(const struct request *request, struct urlp_tls_pem_block *block)
{
    if (strcmp(block->label, PEM_STRING_PKCS8) == 0) {
        return read_encrypted(request, block->der, block->len);
    }
    return block->header[0] != '\0' ? read_old(request, block)
                                    : read_plain(request, block->der, block->len);
}

static EVP_PKEY *read_pem(const struct request *request, BIO *text)
{
    struct urlp_tls_pem_block block;
    enum urlp_tls_pem_end end;

    while ((end = urlp_tls_pem_next(text, &block)) == URLP_TLS_PEM_BLOCK) {
        const bool is_it = is_key(block.label);
        EVP_PKEY *key = is_it ? read_block(request, &block) : NULL;

        urlp_tls_pem_block_deinit(&block);
        if (is_it) {
            return key;
        }
    }
    if (end == URLP_TLS_PEM_NOMEM) {
        (void)urlp_fail_nomem(request->err);
        return NULL;
    }
    return end == URLP_TLS_PEM_END
               ? refuse(request, URLPOOL_E_TLS_CLIENT_CERT, "there is no private key in it")
               : refuse_malformed(request);
}

EVP_PKEY *urlp_tls_key_read(const void *data, size_t len, const char *name, const char *password,
                            struct urlpool_error *err)
{
    const struct request request = {name, password, err};
    EVP_PKEY *key = NULL;
    BIO *text;

    ERR_clear_error();
    if (len > INT_MAX) {
        return refuse_malformed(&request);
    }
    if (len > 0 && *(const uint8_t *)data == URLP_TLS_DER_SEQUENCE) {
        key = read_der(&request, data, len);
        ERR_clear_error();
        return key;
    }
    text = BIO_new_mem_buf(data, (int)len);
    if (text == NULL) {
        (void)urlp_fail_nomem(err);
    } else {
        key = read_pem(&request, text);
    }
    BIO_free(text);
    ERR_clear_error();
    return key;
}
