/* The record layers of TLS 1.2 (RFC 5246 section 6.2, RFC 5288) and TLS 1.3 (RFC 8446 section 5),
 * for one side and one direction. */

#include "support/tls_forge.h"

#include <openssl/hmac.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/tls_kit.h"

enum {
    ALERT = 21,
    HANDSHAKE = 22,
    DATA = 23,
    KEY_MAX = 32,
    KEY_BLOCK_MAX = 256,
    FIXED_IV = 4, /* RFC 5288 section 3 */
    HEADER = 5,
    SEQUENCE = 8
};

struct tls_forger {
    struct tls_kit_seal *keys;
    uint8_t iv[12];
    size_t iv_len; /* FIXED_IV: the rest of a nonce goes over the wire, TLS 1.2 */
    uint64_t sequence;
};

static void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "tls forge: %s\n", what);
        abort();
    }
}

/* expand is HKDF-Expand-Label with an empty context, RFC 8446 section 7.1. */
static void expand(const EVP_MD *digest, const uint8_t *secret, size_t secret_len,
                   const char *label, uint8_t *out, size_t len)
{
    uint8_t info[64];
    uint8_t block[EVP_MAX_MD_SIZE];
    unsigned block_len = 0;
    const int info_len = snprintf((char *)info + 3, sizeof(info) - 5, "tls13 %s", label);

    info[0] = (uint8_t)(len >> 8);
    info[1] = (uint8_t)len;
    info[2] = (uint8_t)info_len;
    info[3 + info_len] = 0;
    info[4 + info_len] = 1; /* the first block, RFC 5869 section 2.3; it is long enough */
    must(HMAC(digest, secret, (int)secret_len, info, (size_t)info_len + 5, block, &block_len) !=
                 NULL &&
             len <= block_len,
         "HKDF");
    memcpy(out, block, len);
}

/* take_block takes key and IV out of the key block, RFC 5246 section 6.3; there is no MAC key. */
static void take_block(struct tls_forger *forge, const SSL *ssl, size_t key_len,
                       uint8_t key[KEY_MAX])
{
    uint8_t block[KEY_BLOCK_MAX];
    const size_t len = 2 * (key_len + FIXED_IV);

    must(forge->iv_len == FIXED_IV && len <= sizeof(block), "the key block");
    tls_kit_key_block(ssl, block, len);
    memcpy(key, block + key_len, key_len);
    memcpy(forge->iv, block + 2 * key_len + FIXED_IV, FIXED_IV);
}

struct tls_forger *tls_forger_new(const SSL *ssl, const struct tls_forge_secret *secret)
{
    struct tls_forger *forge = calloc(1, sizeof(*forge));
    const size_t key_len = tls_kit_seal_key_len(ssl);
    uint8_t key[KEY_MAX];

    must(forge != NULL, "memory");
    forge->sequence = tls_kit_num_written(ssl, secret->num_written);
    forge->iv_len = SSL_version(ssl) == TLS1_3_VERSION ? sizeof(forge->iv) : FIXED_IV;
    if (SSL_version(ssl) == TLS1_3_VERSION) {
        const EVP_MD *digest = tls_kit_digest(ssl);

        expand(digest, secret->bytes, secret->len, "key", key, key_len);
        expand(digest, secret->bytes, secret->len, "iv", forge->iv, sizeof(forge->iv));
    } else {
        take_block(forge, ssl, key_len, key);
    }
    forge->keys = tls_kit_seal_new(ssl, key);
    return forge;
}

void tls_forger_free(struct tls_forger *forger)
{
    tls_kit_seal_free(forger->keys);
    free(forger);
}

static void put_number(uint8_t *out, uint64_t number, size_t len)
{
    while (len > 0) {
        out[--len] = (uint8_t)number;
        number >>= 8;
    }
}

static size_t seal_1_2(struct tls_forger *forge, uint8_t type, const void *data, size_t len,
                       uint8_t *out)
{
    uint8_t nonce[FIXED_IV + SEQUENCE];
    uint8_t covered[SEQUENCE + HEADER];
    const size_t sealed = len + TLS_KIT_TAG;

    memcpy(nonce, forge->iv, FIXED_IV);
    put_number(nonce + FIXED_IV, forge->sequence, SEQUENCE);
    put_number(covered, forge->sequence, SEQUENCE);
    put_number(covered + SEQUENCE, type, 1);
    put_number(covered + SEQUENCE + 1, TLS1_2_VERSION, 2);
    put_number(covered + SEQUENCE + 3, len, 2);
    memcpy(out + HEADER, nonce + FIXED_IV, SEQUENCE);
    must(HEADER + SEQUENCE + sealed <= TLS_FORGE_RECORD_MAX, "a record too long");
    tls_kit_seal_run(forge->keys, nonce, data, len, covered, sizeof(covered),
                     out + HEADER + SEQUENCE);
    put_number(out, type, 1);
    put_number(out + 1, TLS1_2_VERSION, 2);
    put_number(out + 3, SEQUENCE + sealed, 2);
    return HEADER + SEQUENCE + sealed;
}

static size_t seal_1_3(struct tls_forger *forge, uint8_t type, const void *data, size_t len,
                       size_t padding, uint8_t *out)
{
    uint8_t inner[TLS_FORGE_RECORD_MAX];
    const size_t inner_len = len + 1 + padding;
    uint8_t nonce[sizeof(forge->iv)];
    const size_t sealed = inner_len + TLS_KIT_TAG;

    must(HEADER + sealed <= TLS_FORGE_RECORD_MAX, "a record too long");
    memcpy(inner, data, len);
    inner[len] = type;
    memset(inner + len + 1, 0, padding);
    put_number(nonce, forge->sequence, sizeof(nonce));
    for (size_t i = 0; i < sizeof(nonce); i++) {
        nonce[i] ^= forge->iv[i];
    }
    put_number(out, DATA, 1);
    put_number(out + 1, TLS1_2_VERSION, 2);
    put_number(out + 3, sealed, 2);
    tls_kit_seal_run(forge->keys, nonce, inner, inner_len, out, HEADER, out + HEADER);
    return HEADER + sealed;
}

size_t tls_forger_seal(struct tls_forger *forger, uint8_t type, const void *data, size_t len,
                       size_t padding, uint8_t out[TLS_FORGE_RECORD_MAX])
{
    const size_t record_len = forger->iv_len == FIXED_IV
                                  ? seal_1_2(forger, type, data, len, out)
                                  : seal_1_3(forger, type, data, len, padding, out);

    forger->sequence++;
    return record_len;
}

/* forge sends `num` records of one type and content; 0: without end. Then `last`, as data, if there
 * is one.
 */
static void forge(const SSL *ssl, const struct tls_forge_secret *secret, uint8_t type,
                  const void *data, size_t len, size_t num, const char *last)
{
    uint8_t record[TLS_FORGE_RECORD_MAX];
    struct tls_forger *forger = tls_forger_new(ssl, secret);
    bool goes_on = true;

    for (size_t i = 0; goes_on && (i < num || num == 0); i++) {
        const size_t size = tls_forger_seal(forger, type, data, len, 0, record);

        goes_on = send(SSL_get_fd(ssl), record, size, MSG_NOSIGNAL) == (ssize_t)size;
    }
    if (last != NULL) {
        const size_t size = tls_forger_seal(forger, DATA, last, strlen(last), 0, record);

        (void)send(SSL_get_fd(ssl), record, size, MSG_NOSIGNAL);
    }
    tls_forger_free(forger);
}

/* flood sends tickets, a hundred a record. RFC 8446 section 4.6.1. */
static void flood(const SSL *ssl, const struct tls_forge_secret *secret, size_t num)
{
    static const uint8_t ticket[] =
        "\x04\x00\x00\x2e\x00\x00\x1c\x20\x00\x00\x00\x01\x01\x01\x00\x20"
        "0123456789abcdef0123456789abcdef";
    enum {
        TICKET = 50, /* two more bytes: no extensions */
        A_RECORD = 100
    };
    uint8_t tickets[A_RECORD * TICKET] = {0};

    for (size_t i = 0; i < A_RECORD; i++) {
        memcpy(tickets + i * TICKET, ticket, sizeof(ticket) - 1);
    }
    forge(ssl, secret, HANDSHAKE, tickets, sizeof(tickets), num / A_RECORD,
          num > 0 ? "done\n" : NULL);
}

void tls_forge_watch(SSL *ssl, struct tls_forge_secret *secret)
{
    tls_kit_watch(ssl, &secret->num_written);
}

void tls_forge_hear(struct tls_forge_secret *secret, const char *line)
{
    static const char label[] = "SERVER_TRAFFIC_SECRET_0 ";
    const char *at;

    tls_kit_watch_keys(line, &secret->num_written);
    if (strncmp(line, label, sizeof(label) - 1) != 0) {
        return;
    }
    at = strrchr(line, ' ') + 1;
    secret->len = strlen(at) / 2;
    must(secret->len <= sizeof(secret->bytes), "a secret too long");
    for (size_t i = 0; i < secret->len; i++) {
        must(sscanf(at + 2 * i, "%2hhx", &secret->bytes[i]) == 1, "a secret");
    }
}

bool tls_forge_obey(SSL *ssl, const struct tls_forge_secret *secret, const char *line)
{
    static const uint8_t request[] =
        "\x0d\x00\x00\x0c\x01x\x00\x08\x00\x0d\x00\x04\x00\x02\x04\x03";

    if (strncmp(line, "tickets ", 8) == 0) {
        flood(ssl, secret, strtoul(line + 8, NULL, 10));
        return true;
    }
    if (strcmp(line, "renegotiate") == 0) {
        forge(ssl, secret, HANDSHAKE, "\0\0\0", 4, 1, NULL);
        return true;
    }
    if (strcmp(line, "whoareyou") == 0) {
        forge(ssl, secret, HANDSHAKE, request, sizeof(request) - 1, 1, NULL);
        return true;
    }
    if (strcmp(line, "alert") == 0) {
        forge(ssl, secret, ALERT, "\x02\x50", 2, 1, NULL);
        return true;
    }
    return false;
}
