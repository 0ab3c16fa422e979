/* Who is at the other end, written down when the first response comes over a connection: a response
 * outlives its connection's being the response's, and even the connection. One block: the address
 * as text, the certificate's bytes. */

#include "conn/peer_record.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "net/tcp.h"
#include "net/tls.h"

/* An address with its zone. */
#define ADDRESS_BYTES_MAX (URLP_IP_TEXT_MAX + sizeof("%4294967295"))

/* format_address writes the other end as text, if it is known. */
static uint16_t format_address(const struct urlpool_connection *connection,
                               char out[ADDRESS_BYTES_MAX])
{
    struct urlp_peer peer;
    char ip[URLP_IP_TEXT_MAX];

    out[0] = '\0';
    if (!urlp_stream_peer(connection->stream, &peer)) {
        return 0;
    }
    urlp_ip_format(&peer.ip, ip);
    if (peer.ip.scope_id != 0) {
        (void)snprintf(out, ADDRESS_BYTES_MAX, "%s%%%u", ip, (unsigned)peer.ip.scope_id);
    } else {
        (void)snprintf(out, ADDRESS_BYTES_MAX, "%s", ip);
    }
    return peer.port;
}

struct urlp_peer_record *urlp_peer_record_new(const struct urlpool_connection *connection,
                                              struct urlpool_error *err)
{
    char text[ADDRESS_BYTES_MAX];
    const char *address = text;
    struct urlpool_peer facts = {.port = format_address(connection, text)};
    struct urlp_span certificate = {NULL, 0};
    struct urlp_peer_record *record = NULL;
    size_t address_size;

    if (connection->unix_path != NULL) {
        address = connection->unix_path;
    }
    address_size = strlen(address) + 1;
    if (connection->ends_in_tls) {
        (void)urlp_tls_describe(connection->stream, &facts.tls_version, &facts.tls_cipher,
                                &facts.tls_resumed);
        facts.tls_verified = urlp_tls_is_verified(connection->stream);
        certificate = urlp_tls_peer_certificate(connection->stream);
    }
    record = urlp_alloc(sizeof(*record) + address_size + certificate.len);
    if (record == NULL) {
        urlp_fail_nomem(err);
        return NULL;
    }
    record->proxy_headers = NULL;
    if (connection->proxy_headers != NULL) {
        record->proxy_headers = urlpool_headers_copy(connection->proxy_headers, err);
        if (record->proxy_headers == NULL) {
            urlp_free(record);
            return NULL;
        }
    }
    urlp_ref_init(&record->ref);
    facts.proxy_headers = record->proxy_headers;
    memcpy(record->text, address, address_size);
    facts.address = record->text;
    if (certificate.len > 0) {
        memcpy(record->text + address_size, certificate.data, certificate.len);
        facts.certificate = (const uint8_t *)record->text + address_size;
        facts.certificate_len = certificate.len;
    }
    record->facts = facts;
    return record;
}

struct urlp_peer_record *urlp_peer_record_ref(struct urlp_peer_record *record)
{
    urlp_ref_take(&record->ref);
    return record;
}

void urlp_peer_record_unref(struct urlp_peer_record *record)
{
    if (record != NULL && urlp_ref_drop(&record->ref)) {
        urlpool_headers_free(record->proxy_headers);
        urlp_free(record);
    }
}
