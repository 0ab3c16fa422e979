/* What a caller says about hosts and the way to them, read once and held to at every dial.
 *
 * The texts in option lists ("host:port:address") are copied whole and looked at where they stand.
 * An address is judged after everything that may have come up with it: DNS, the hosts file, the
 * caller's resolver, fixed answers, a literal. There is no second way around the judgement. */

#include "net/network.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"

struct urlpool_answers {
    struct urlp_addresses *families; /* URLP_NUM_FAMILIES of them */
};

/* --- reading the options --- */

static enum urlpool_code refuse(const char *name, const char *text, struct urlpool_error *err)
{
    return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "network.%s: %s cannot be read",
                     name, urlp_quote(text, strlen(text)).text);
}

/* take_part takes the text before the next colon, or all; brackets around an IPv6 address hide its
 * colons and are dropped. False when a bracket stays open. */
static bool take_part(struct urlp_span *rest, struct urlp_span *out)
{
    bool is_literal = rest->len > 0 && rest->data[0] == '[';
    const char *end = NULL;
    size_t used;

    if (is_literal) {
        end = memchr(rest->data, ']', rest->len);
        if (end == NULL) {
            return false;
        }
        *out = urlp_span_make(rest->data + 1, (size_t)(end - rest->data) - 1);
        used = (size_t)(end - rest->data) + 1;
    } else {
        end = memchr(rest->data, ':', rest->len);
        used = end == NULL ? rest->len : (size_t)(end - rest->data);
        *out = urlp_span_make(rest->data, used);
    }
    if (used < rest->len) {
        if (rest->data[used] != ':') {
            return false;
        }
        used++;
    }
    *rest = urlp_span_make(rest->data + used, rest->len - used);
    return true;
}

static bool take_port(struct urlp_span *rest, uint16_t *out)
{
    struct urlp_span text;
    uint64_t port = 0;

    *out = 0;
    if (!take_part(rest, &text)) {
        return false;
    }
    if (text.len == 0 || urlp_span_is(text, "*")) {
        return true;
    }
    if (!urlp_span_to_u64(text, &port) || port > UINT16_MAX) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

static bool take_addresses(struct urlp_span list, struct urlp_addresses answers[])
{
    struct urlp_span element;

    while (urlp_span_split_list(&list, &element)) {
        struct urlp_ip ip;

        if (element.len >= 2 && element.data[0] == '[' && element.data[element.len - 1] == ']') {
            element = urlp_span_make(element.data + 1, element.len - 2);
        }
        if (!urlp_ip_parse(element, &ip)) {
            return false;
        }
        urlp_addresses_add(&answers[ip.family == URLP_IP_V6 ? URLP_FAMILY_V6 : URLP_FAMILY_V4],
                           &ip);
    }
    return answers[URLP_FAMILY_V6].num_ips + answers[URLP_FAMILY_V4].num_ips > 0;
}

static bool read_answer(struct urlp_span text, struct urlp_fixed_answer *out)
{
    if (!take_part(&text, &out->host) || !take_port(&text, &out->port)) {
        return false;
    }
    if (urlp_span_is(out->host, "*")) {
        out->host = urlp_span_make(out->host.data, 0);
    } else if (out->host.len == 0) {
        return false;
    }
    return take_addresses(text, out->answers);
}

static bool read_detour(struct urlp_span text, struct urlp_detour *out)
{
    return take_part(&text, &out->host) && take_port(&text, &out->port) &&
           take_part(&text, &out->to_host) && take_port(&text, &out->to_port) && text.len == 0;
}

static size_t count_texts(const char *const *texts)
{
    size_t num = 0;

    while (texts != NULL && texts[num] != NULL) {
        num++;
    }
    return num;
}

static bool keep_text(struct urlp_network *network, const char *text, struct urlp_span *out)
{
    char *copy = urlp_strndup(text, strlen(text));

    if (copy == NULL) {
        return false;
    }
    network->texts[network->num_texts++] = copy;
    *out = urlp_span_of(copy);
    return true;
}

/* read_lists reads the two lists of texts. */
static enum urlpool_code read_lists(struct urlp_network *network,
                                    const struct urlpool_network *given, struct urlpool_error *err)
{
    size_t num_answers = count_texts(given->answers);
    size_t num_detours = count_texts(given->connect_to);
    struct urlp_span text;

    if (num_answers + num_detours == 0) {
        return URLPOOL_OK;
    }
    network->texts = urlp_zalloc_array(num_answers + num_detours, sizeof(*network->texts));
    network->fixed = urlp_zalloc_array(num_answers + 1, sizeof(*network->fixed));
    network->detours = urlp_zalloc_array(num_detours + 1, sizeof(*network->detours));
    if (network->texts == NULL || network->fixed == NULL || network->detours == NULL) {
        return urlp_fail_nomem(err);
    }
    for (size_t i = 0; i < num_answers; i++) {
        if (!keep_text(network, given->answers[i], &text)) {
            return urlp_fail_nomem(err);
        }
        if (!read_answer(text, &network->fixed[network->num_fixed++])) {
            return refuse("answers", given->answers[i], err);
        }
    }
    for (size_t i = 0; i < num_detours; i++) {
        if (!keep_text(network, given->connect_to[i], &text)) {
            return urlp_fail_nomem(err);
        }
        if (!read_detour(text, &network->detours[network->num_detours++])) {
            return refuse("connect_to", given->connect_to[i], err);
        }
    }
    return URLPOOL_OK;
}

/* check_text refuses an empty text, which would lead to where nobody asked to go. */
static enum urlpool_code check_text(const char *name, const char *text, struct urlpool_error *err)
{
    if (text == NULL || text[0] != '\0') {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "network.%s is empty", name);
}

static bool copy_text(const char *text, char **out)
{
    *out = text == NULL ? NULL : urlp_strndup(text, strlen(text));
    return text == NULL || *out != NULL;
}

/* resolve_number resolves a number of the socket, which says 0 for the default and less for none.
 */
static enum urlpool_code resolve_number(const char *name, int32_t given, int *out,
                                        struct urlpool_error *err)
{
    const enum urlpool_code code = urlp_option_resolve_int(name, given, 0, out, err);

    if (given == URLPOOL_NONE) {
        *out = -1;
    }
    return code;
}

/* read_socket reads what is set on each socket. */
static enum urlpool_code read_socket(struct urlp_tcp_options *tcp,
                                     const struct urlpool_network *given, struct urlpool_error *err)
{
    struct urlpool_socket_option *extra = NULL;
    char *interface_name = NULL;
    enum urlpool_code code;

    if (given->source_address != NULL &&
        !urlp_ip_parse(urlp_span_of(given->source_address), &tcp->source)) {
        return refuse("source_address", given->source_address, err);
    }
    if (given->num_socket_options > 0 && given->socket_options == NULL) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                         "network.socket_options is NULL and its number is not 0");
    }
    tcp->source_port = given->source_port;
    tcp->allow_nagle = given->allow_nagle;
    code = resolve_number("network.keepalive_idle_s", given->keepalive_idle_s,
                          &tcp->keepalive_idle_s, err);
    if (code == URLPOOL_OK) {
        code = resolve_number("network.user_timeout_ms", given->user_timeout_ms,
                              &tcp->user_timeout_ms, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    if (!copy_text(given->interface_name, &interface_name)) {
        return urlp_fail_nomem(err);
    }
    tcp->interface_name = interface_name;
    if (given->num_socket_options > 0) {
        extra = urlp_zalloc_array(given->num_socket_options, sizeof(*extra));
        if (extra == NULL) {
            return urlp_fail_nomem(err);
        }
        memcpy(extra, given->socket_options, given->num_socket_options * sizeof(*extra));
        tcp->extra = extra;
        tcp->num_extra = given->num_socket_options;
    }
    return URLPOOL_OK;
}

enum urlpool_code urlp_network_make(struct urlp_network *network,
                                    const struct urlpool_network *given, struct urlpool_error *err)
{
    enum urlpool_code code =
        urlp_option_check_reserved("network", given->reserved, sizeof(given->reserved), err);

    *network = (struct urlp_network){.family = given->family,
                                     .resolve = given->resolve,
                                     .resolve_user = given->resolve_user,
                                     .allow = given->allow,
                                     .allow_user = given->allow_user,
                                     .public_only = given->public_only};
    if (code != URLPOOL_OK) {
        return code;
    }
    if (given->family != URLPOOL_FAMILY_ANY && given->family != URLPOOL_FAMILY_V4 &&
        given->family != URLPOOL_FAMILY_V6) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "network.family is %d",
                         (int)given->family);
    }
    code = check_text("unix_socket", given->unix_socket, err);
    if (code == URLPOOL_OK) {
        code = check_text("interface_name", given->interface_name, err);
    }
    if (code == URLPOOL_OK) {
        code = read_socket(&network->tcp, given, err);
    }
    if (code == URLPOOL_OK) {
        code = read_lists(network, given, err);
    }
    if (code == URLPOOL_OK && (!copy_text(given->dns_servers, &network->dns_servers) ||
                               !copy_text(given->unix_socket, &network->unix_socket))) {
        code = urlp_fail_nomem(err);
    }
    return code;
}

void urlp_network_deinit(struct urlp_network *network)
{
    for (size_t i = 0; i < network->num_texts; i++) {
        urlp_free(network->texts[i]);
    }
    urlp_free(network->texts);
    urlp_free(network->fixed);
    urlp_free(network->detours);
    urlp_free(network->dns_servers);
    urlp_free(network->unix_socket);
    urlp_free((void *)(uintptr_t)network->tcp.interface_name);
    urlp_free((void *)(uintptr_t)network->tcp.extra);
    *network = (struct urlp_network){0};
}

/* --- at a dial --- */

static bool matches(struct urlp_span wanted_host, uint16_t wanted_port, struct urlp_span host,
                    uint16_t port)
{
    return (wanted_host.len == 0 || urlp_span_equals_nocase(wanted_host, host)) &&
           (wanted_port == 0 || wanted_port == port);
}

void urlp_network_detour(const struct urlp_network *network, struct urlp_span *host, uint16_t *port)
{
    for (size_t i = 0; i < network->num_detours; i++) {
        const struct urlp_detour *detour = &network->detours[i];

        if (matches(detour->host, detour->port, *host, *port)) {
            *host = detour->to_host.len > 0 ? detour->to_host : *host;
            *port = detour->to_port != 0 ? detour->to_port : *port;
            return;
        }
    }
}

bool urlp_network_answer(const struct urlp_network *network, struct urlp_span host, uint16_t port,
                         struct urlp_addresses out_answers[])
{
    for (size_t i = 0; i < network->num_fixed; i++) {
        const struct urlp_fixed_answer *fixed = &network->fixed[i];

        if (matches(fixed->host, fixed->port, host, port)) {
            memcpy(out_answers, fixed->answers, sizeof(fixed->answers));
            return true;
        }
    }
    return false;
}

enum urlpool_code urlpool_answers_add(struct urlpool_answers *answers, const char *address,
                                      struct urlpool_error *err)
{
    struct urlp_ip ip;

    if (answers == NULL || address == NULL) {
        return urlp_fail_null(err);
    }
    if (!urlp_ip_parse(urlp_span_of(address), &ip)) {
        return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_RESOLVE, "%s is no address",
                         urlp_quote(address, strlen(address)).text);
    }
    urlp_addresses_add(
        &answers->families[ip.family == URLP_IP_V6 ? URLP_FAMILY_V6 : URLP_FAMILY_V4], &ip);
    return URLPOOL_OK;
}

/* left_ms is the time until `by`, -1 for ever. */
static int64_t left_ms(struct urlpool_deadline by)
{
    int64_t left_ns = by.at_ns - urlp_now_ns();

    if (by.at_ns == URLP_NEVER.at_ns) {
        return -1;
    }
    return left_ns > 0 ? left_ns / 1000000 : 0;
}

enum urlpool_code urlp_network_ask(const struct urlp_network *network, struct urlp_span host,
                                   const struct urlp_call *call,
                                   struct urlp_addresses out_answers[], bool *out_is_asked,
                                   struct urlpool_error *err)
{
    struct urlpool_answers answers = {out_answers};
    struct urlpool_error why = {0};
    enum urlpool_code code;
    char *name;

    *out_is_asked = network->resolve != NULL;
    if (network->resolve == NULL) {
        return URLPOOL_OK;
    }
    if (!urlp_break_off_shut(call->break_off)) { /* nothing could wake it there */
        return urlp_fail(err, URLPOOL_E_CANCELLED, URLPOOL_PHASE_RESOLVE,
                         "no address for name %s: broken off",
                         urlp_quote(host.data, host.len).text);
    }
    name = urlp_strndup(host.data, host.len);
    if (name == NULL) {
        return urlp_fail_nomem(err);
    }
    urlp_assert_no_lock(__func__);
    code = network->resolve(network->resolve_user, name, left_ms(call->by), &answers, &why);
    urlp_free(name);
    if (code == URLPOOL_OK &&
        out_answers[URLP_FAMILY_V6].num_ips + out_answers[URLP_FAMILY_V4].num_ips > 0) {
        return URLPOOL_OK;
    }
    if (code == URLPOOL_E_NOMEM) {
        return urlp_fail_nomem(err);
    }
    return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE, "no address for name %s: %s",
                     urlp_quote(host.data, host.len).text,
                     why.message[0] != '\0' ? why.message : "the resolver has none");
}

bool urlp_network_allows(const struct urlp_network *network, struct urlp_span host,
                         const struct urlp_peer *peer)
{
    char address[URLP_IP_TEXT_MAX + sizeof("%4294967295")];
    bool is_allowed;
    char *name;

    if (network->public_only && urlp_ip_classify(&peer->ip) != URLP_IP_PUBLIC) {
        return false;
    }
    if (network->allow == NULL) {
        return true;
    }
    name = urlp_strndup(host.data, host.len);
    if (name == NULL) {
        return false; /* who cannot be asked has not allowed it */
    }
    urlp_ip_format(&peer->ip, address);
    if (peer->ip.scope_id != 0) {
        size_t len = strlen(address);

        (void)snprintf(address + len, sizeof(address) - len, "%%%u", (unsigned)peer->ip.scope_id);
    }
    urlp_assert_no_lock(__func__);
    is_allowed = network->allow(network->allow_user, name, address, peer->port);
    urlp_free(name);
    return is_allowed;
}
