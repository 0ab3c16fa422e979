/* The names that no DNS server is asked about: address literals, localhost and all below it, and
 * what the hosts file holds. The file is read anew for each answer, so an edit counts at once; it
 * is only reached when a connection is opened. */

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/error.h"
#include "net/resolver.h"

#define LABEL_BYTES_MAX 63 /* RFC 1035 section 2.3.4 */

#define HOSTS_FILE           "/etc/hosts"
#define HOSTS_FILE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define READ_BYTES           4096

void urlp_addresses_add(struct urlp_addresses *to, const struct urlp_ip *ip)
{
    for (size_t i = 0; i < to->num_ips; i++) {
        if (urlp_ip_equals(&to->ips[i], ip)) {
            return;
        }
    }
    if (to->num_ips < URLP_ADDRESSES_MAX) {
        to->ips[to->num_ips++] = *ip;
    }
}

static void add(struct urlp_addresses answers[], const struct urlp_ip *ip)
{
    urlp_addresses_add(&answers[ip->family == URLP_IP_V6 ? URLP_FAMILY_V6 : URLP_FAMILY_V4], ip);
}

/* zone_to_scope reads a zone as RFC 4007 section 11.2 has it: an interface's name or its number. */
static bool zone_to_scope(struct urlp_span zone, uint32_t *out_scope)
{
    char name[IF_NAMESIZE];
    uint64_t number;

    if (urlp_span_to_u64(zone, &number) && number <= UINT32_MAX) {
        *out_scope = (uint32_t)number;
        return true;
    }
    if (zone.len == 0 || zone.len >= sizeof(name)) {
        return false;
    }
    memcpy(name, zone.data, zone.len);
    name[zone.len] = '\0';
    *out_scope = if_nametoindex(name);
    return *out_scope != 0;
}

/* is_localhost: RFC 6761 section 6.3, "Name resolution APIs and libraries SHOULD recognize
 * localhost names as special and SHOULD always return the IP loopback address". */
static bool is_localhost(struct urlp_span name)
{
    static const char below[] = ".localhost";
    const size_t below_len = sizeof(below) - 1;

    if (urlp_span_is_nocase(name, "localhost")) {
        return true;
    }
    return name.len > below_len &&
           urlp_span_is_nocase(urlp_span_make(name.data + name.len - below_len, below_len), below);
}

static void add_loopback(struct urlp_addresses answers[])
{
    static const struct urlp_ip v6 = {.family = URLP_IP_V6, .bytes = {[15] = 1}};
    static const struct urlp_ip v4 = {
        .family = URLP_IP_V4, .bytes = {127, 0, 0, 1}
    };

    add(answers, &v6);
    add(answers, &v4);
}

/* next_word takes the next run of non-blanks off `line`. */
static bool next_word(struct urlp_span *line, struct urlp_span *out_word)
{
    size_t start = 0;
    size_t end;

    while (start < line->len &&
           (line->data[start] == ' ' || line->data[start] == '\t' || line->data[start] == '\r')) {
        start++;
    }
    end = start;
    while (end < line->len && line->data[end] != ' ' && line->data[end] != '\t' &&
           line->data[end] != '\r') {
        end++;
    }
    *out_word = urlp_span_make(line->data + start, end - start);
    *line = urlp_span_make(line->data + end, line->len - end);
    return out_word->len > 0;
}

/* parse_address reads "192.0.2.1", "2001:db8::1" or "fe80::1%eth0". */
static bool parse_address(struct urlp_span text, struct urlp_ip *out)
{
    const char *percent = memchr(text.data, '%', text.len);
    struct urlp_span zone;

    if (percent == NULL) {
        return urlp_ip_parse(text, out);
    }
    zone = urlp_span_make(percent + 1, text.len - (size_t)(percent + 1 - text.data));
    text.len = (size_t)(percent - text.data);
    return urlp_ip_parse_v6(text, out) && zone_to_scope(zone, &out->scope_id);
}

/* One line: an address, then names; "#" begins a comment. What makes no sense is passed over. */
static void match_line(struct urlp_span line, struct urlp_span name,
                       struct urlp_addresses answers[])
{
    const char *hash = line.len > 0 ? memchr(line.data, '#', line.len) : NULL;
    struct urlp_span word;
    struct urlp_ip ip;

    if (hash != NULL) {
        line.len = (size_t)(hash - line.data);
    }
    if (!next_word(&line, &word) || !parse_address(word, &ip)) {
        return;
    }
    while (next_word(&line, &word)) {
        if (urlp_span_equals_nocase(word, name)) {
            add(answers, &ip);
            return;
        }
    }
}

static void match_file(struct urlp_span text, struct urlp_span name,
                       struct urlp_addresses answers[])
{
    while (text.len > 0) {
        const char *newline = memchr(text.data, '\n', text.len);
        size_t line_len = newline != NULL ? (size_t)(newline - text.data) : text.len;
        size_t taken = newline != NULL ? line_len + 1 : line_len;

        match_line(urlp_span_make(text.data, line_len), name, answers);
        text = urlp_span_make(text.data + taken, text.len - taken);
    }
}

static enum urlpool_code fail_hosts(const char *path, int os_errno, struct urlpool_error *err)
{
    return urlp_fail_errno(err, URLPOOL_E_SYSTEM, URLPOOL_PHASE_RESOLVE, os_errno, "reading %s",
                           path);
}

/* read_hosts leaves `out` empty when there is no such file or it may not be read. */
static enum urlpool_code read_hosts(const char *path, struct urlp_buf *out,
                                    struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;
    ssize_t got = 0;
    int fd;

    do {
        fd = open(path, O_RDONLY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        if (urlp_is_shortage(errno)) {
            return fail_hosts(path, errno, err);
        }
        return URLPOOL_OK;
    }
    do {
        if (urlp_buf_reserve(out, READ_BYTES) != URLPOOL_OK) {
            code = urlp_fail_nomem(err);
            break;
        }
        got = read(fd, out->data + out->len, READ_BYTES);
        if (got > 0) {
            out->len += (size_t)got;
        }
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (code == URLPOOL_OK && got < 0 && urlp_is_shortage(errno)) {
        code = fail_hosts(path, errno, err);
    }
    (void)close(fd);
    return code;
}

static enum urlpool_code answer_literal(const struct urlp_dial_target *target, struct urlp_ip *ip,
                                        struct urlp_addresses answers[], struct urlpool_error *err)
{
    if (target->zone.len > 0 && !zone_to_scope(target->zone, &ip->scope_id)) {
        return urlp_fail(err, URLPOOL_E_RESOLVE, URLPOOL_PHASE_RESOLVE,
                         "no network interface named %s",
                         urlp_quote(target->zone.data, target->zone.len).text);
    }
    add(answers, ip);
    return URLPOOL_OK;
}

enum urlpool_code urlp_local_answer(const struct urlp_dial_target *target, bool skip_hosts,
                                    const char *hosts_file, struct urlp_addresses out_answers[],
                                    bool *out_is_found, bool *out_is_literal,
                                    struct urlpool_error *err)
{
    struct urlp_span name = target->host;
    struct urlp_buf text;
    struct urlp_ip ip;
    enum urlpool_code code;

    if (name.len > 1 && name.data[name.len - 1] == '.') {
        name.len--; /* the root's */
    }
    *out_is_found = *out_is_literal =
        urlp_ip_parse_v4(name, &ip) || urlp_ip_parse_v6(target->host, &ip);
    if (*out_is_literal) {
        return answer_literal(target, &ip, out_answers, err);
    }
    if (is_localhost(name)) {
        add_loopback(out_answers);
        *out_is_found = true;
        return URLPOOL_OK;
    }
    if (skip_hosts) {
        return URLPOOL_OK;
    }
    urlp_buf_init(&text, HOSTS_FILE_BYTES_MAX);
    code = read_hosts(hosts_file != NULL ? hosts_file : HOSTS_FILE, &text, err);
    if (code == URLPOOL_OK) {
        match_file(urlp_span_make(text.data, text.len), name, out_answers);
        *out_is_found =
            out_answers[URLP_FAMILY_V6].num_ips > 0 || out_answers[URLP_FAMILY_V4].num_ips > 0;
    }
    urlp_buf_deinit(&text);
    return code;
}

static bool is_name_byte(unsigned char c)
{
    return urlp_is_alpha(c) || urlp_is_digit(c) || c == '-' || c == '_';
}

bool urlp_dns_name_of(struct urlp_span host, char out[URLP_DNS_NAME_BYTES_MAX])
{
    size_t label_len = 0;

    if (host.len == 0 || host.len > URLP_DNS_NAME_BYTES_MAX ||
        (host.len == URLP_DNS_NAME_BYTES_MAX && host.data[host.len - 1] != '.')) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.data[i];
        bool is_dot = c == '.';

        if (is_dot ? label_len == 0 : !is_name_byte(c) || label_len == LABEL_BYTES_MAX) {
            return false;
        }
        label_len = is_dot ? 0 : label_len + 1;
        out[i] = urlp_to_lower((char)c);
    }
    return true;
}
