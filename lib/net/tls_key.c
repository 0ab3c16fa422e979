/* A private key out of PEM or DER, encrypted or not.
 *
 * PEM says what it holds by its label; DER by its form. Nobody is ever asked for a password: a key
 * that needs one and has none is an error of its own. No message holds a byte of a key or of a
 * password. */

#include "net/tls_key.h"

#include <limits.h>
#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs8.h>
#include <string.h>

#include "base/error.h"
#include "net/tls_error.h"
#include "net/tls_pem.h"

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

/* refuse_encrypted: how it is encrypted is unknown, or what is wrong is the password. */
static EVP_PKEY *refuse_encrypted(const struct request *request)
{
    const uint32_t packed = ERR_peek_error();
    const int reason = ERR_GET_REASON(packed);

    if (ERR_GET_LIB(packed) == ERR_LIB_PKCS8 &&
        (reason == PKCS8_R_DECODE_ERROR ||
         (reason >= PKCS8_R_UNKNOWN_ALGORITHM && reason <= PKCS8_R_UNSUPPORTED_PRF))) {
        return refuse(request, URLPOOL_E_TLS_CLIENT_CERT,
                      "malformed, or encrypted in a way not supported");
    }
    return refuse(request, URLPOOL_E_TLS_KEY_PASSWORD, "encrypted with another password");
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
    EVP_PKEY *key;
    CBS cbs;

    if (request->password == NULL) {
        return refuse(request, URLPOOL_E_TLS_KEY_PASSWORD, "encrypted, a password is required");
    }
    CBS_init(&cbs, der, len);
    key = PKCS8_parse_encrypted_private_key(&cbs, request->password, strlen(request->password));
    if (key == NULL) {
        return refuse_encrypted(request);
    }
    if (CBS_len(&cbs) > 0) {
        EVP_PKEY_free(key);
        return refuse_malformed(request);
    }
    return key;
}

/* read_der: RFC 5958 section 3: only an encrypted key begins with a sequence in its sequence. */
static EVP_PKEY *read_der(const struct request *request, const uint8_t *der, size_t len)
{
    CBS cbs;
    CBS inside;

    CBS_init(&cbs, der, len);
    if (!CBS_get_asn1(&cbs, &inside, CBS_ASN1_SEQUENCE)) {
        return refuse_malformed(request);
    }
    return CBS_peek_asn1_tag(&inside, CBS_ASN1_SEQUENCE) ? read_encrypted(request, der, len)
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
