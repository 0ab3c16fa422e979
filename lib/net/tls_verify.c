/* The one judgement of a peer's certificate, over the TLS library's X509_STORE_CTX.
 *
 * The library builds and checks the chain (RFC 5280); the name is matched here, by SAN alone, since
 * the common name has no meaning as a host name. What goes beyond it, tls_links.c decides.
 *
 * Every way out but the last line is a refusal. Knows nothing of sessions: a resumed handshake is
 * judged by the chain its session carries, unless that was judged before (tls_judgement.c). */

#include "net/tls_verify.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/tls_error.h"
#include "net/tls_library.h"
#include "net/tls_links.h"
#include "net/tls_names.h"

#define NAMES_SHOWN_MAX 2
#define SECONDS_A_DAY   86400
/* As many chains are tried of certificates that can be put together in several ways. */
#define WAYS_MAX 32

/* What X509_get_ext_d2i says of an extension that is not there. */
#define ABSENT (-1)

/* note completes a refusal whose message stands; `reason` is an X509_V_ERR value. */
static enum urlpool_code note(struct urlp_tls_verdict *verdict, int reason)
{
    verdict->error.tls_code = (uint32_t)reason;
    return verdict->error.code;
}

static enum urlpool_code refuse_nomem(struct urlp_tls_verdict *verdict)
{
    return urlp_fail_nomem(&verdict->error);
}

/* refuse_untrusted: `why` is told to the user. */
static enum urlpool_code refuse_untrusted(struct urlp_tls_verdict *verdict, int reason,
                                          const struct urlp_tls_identity *identity, const char *why)
{
    (void)urlp_fail(&verdict->error, URLPOOL_E_TLS_VERIFY, URLPOOL_PHASE_TLS,
                    "certificate of %s is not trusted: %s",
                    urlp_quote(identity->host.data, identity->host.len).text, why);
    return note(verdict, reason);
}

/* format_time writes "Jan  2 03:04:05 2030 GMT", or nothing when `time` is malformed. */
static void format_time(const ASN1_TIME *time, char *out, size_t out_size)
{
    BIO *memory = BIO_new(BIO_s_mem());
    int len = 0;

    if (memory != NULL && ASN1_TIME_print(memory, time)) {
        len = BIO_read(memory, out, (int)out_size - 1);
    }
    out[len > 0 ? len : 0] = '\0';
    BIO_free(memory);
}

static enum urlpool_code refuse_for_date(struct urlp_tls_verdict *verdict, int reason,
                                         const struct urlp_tls_identity *identity, X509 *cert)
{
    const bool is_early = reason == X509_V_ERR_CERT_NOT_YET_VALID;
    char when[40] = "";

    if (cert != NULL) {
        format_time(is_early ? X509_get0_notBefore(cert) : X509_get0_notAfter(cert), when,
                    sizeof(when));
    }
    (void)urlp_fail(&verdict->error, URLPOOL_E_TLS_EXPIRED, URLPOOL_PHASE_TLS,
                    "certificate of %s %s %s",
                    urlp_quote(identity->host.data, identity->host.len).text,
                    is_early ? "is not valid before" : "expired on", when);
    return note(verdict, reason);
}

static enum urlpool_code refuse_chain(struct urlp_tls_verdict *verdict,
                                      const struct urlp_tls_identity *identity,
                                      X509_STORE_CTX *context)
{
    const int reason = X509_STORE_CTX_get_error(context);

    if (reason == X509_V_ERR_OUT_OF_MEM || urlp_tls_ran_out()) {
        return refuse_nomem(verdict);
    }
    if (reason == X509_V_ERR_CERT_HAS_EXPIRED || reason == X509_V_ERR_CERT_NOT_YET_VALID) {
        return refuse_for_date(verdict, reason, identity, X509_STORE_CTX_get_current_cert(context));
    }
    return refuse_untrusted(verdict, reason, identity, urlp_tls_library_verify_words(reason));
}

static struct urlp_span span_of_string(const ASN1_STRING *string)
{
    return urlp_span_make(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static bool name_is_for(const GENERAL_NAME *name, const struct urlp_tls_identity *identity)
{
    struct urlp_span address;

    if (!identity->is_ip) {
        return name->type == GEN_DNS &&
               urlp_tls_name_matches(span_of_string(name->d.dNSName), identity->host);
    }
    if (name->type != GEN_IPADD) {
        return false;
    }
    address = span_of_string(name->d.iPAddress);
    return address.len == (identity->ip.family == URLP_IP_V4 ? 4U : 16U) &&
           memcmp(address.data, identity->ip.bytes, address.len) == 0;
}

/* show_name writes a name for a message; false for kinds that name no host. */
static bool show_name(const GENERAL_NAME *name, char *out, size_t out_size)
{
    struct urlp_ip ip = {.family = URLP_IP_NONE};
    struct urlp_span span;

    if (name->type == GEN_DNS) {
        span = span_of_string(name->d.dNSName);
        (void)snprintf(out, out_size, "%s", urlp_quote(span.data, span.len).text);
        return true;
    }
    if (name->type != GEN_IPADD) {
        return false;
    }
    span = span_of_string(name->d.iPAddress);
    if (span.len != 4 && span.len != 16) {
        return false;
    }
    ip.family = span.len == 4 ? URLP_IP_V4 : URLP_IP_V6;
    memcpy(ip.bytes, span.data, span.len);
    urlp_ip_format(&ip, out);
    return true;
}

static enum urlpool_code refuse_names(struct urlp_tls_verdict *verdict,
                                      const struct urlp_tls_identity *identity,
                                      const GENERAL_NAMES *names)
{
    char shown[NAMES_SHOWN_MAX + 1][sizeof(struct urlp_quoted)] = {"no host"};
    size_t num_hosts = 0;

    for (int i = 0; i < (int)sk_GENERAL_NAME_num(names) && num_hosts <= NAMES_SHOWN_MAX; i++) {
        if (show_name(sk_GENERAL_NAME_value(names, i), shown[num_hosts], sizeof(shown[0]))) {
            num_hosts++;
        }
    }
    (void)urlp_fail(&verdict->error, URLPOOL_E_TLS_HOSTNAME, URLPOOL_PHASE_TLS,
                    "certificate is for %s%s%s%s, not for %s", shown[0], num_hosts > 1 ? ", " : "",
                    shown[1], num_hosts > NAMES_SHOWN_MAX ? ", …" : "",
                    urlp_quote(identity->host.data, identity->host.len).text);
    return note(verdict,
                identity->is_ip ? X509_V_ERR_IP_ADDRESS_MISMATCH : X509_V_ERR_HOSTNAME_MISMATCH);
}

/* check_names holds the names of `leaf` against the identity. RFC 9110 section 4.3.4: "the client
 * MUST verify that the service's identity is an acceptable match for the URI's origin server". */
static enum urlpool_code check_names(X509 *leaf, const struct urlp_tls_identity *identity,
                                     struct urlp_tls_verdict *verdict)
{
    int found = ABSENT;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, &found, NULL);
    const int num_names = (int)sk_GENERAL_NAME_num(names); /* OpenSSL's is -1 of none */
    enum urlpool_code code = URLPOOL_OK;
    bool is_for = false;

    if (names == NULL && found != ABSENT) { /* there are some that cannot be read */
        const int reason = X509_V_ERR_INVALID_EXTENSION;

        return urlp_tls_ran_out() ? refuse_nomem(verdict)
                                  : refuse_untrusted(verdict, reason, identity,
                                                     urlp_tls_library_verify_words(reason));
    }
    if (num_names > URLP_TLS_NAMES_MAX) {
        code = refuse_untrusted(verdict, X509_V_ERR_UNSPECIFIED, identity, "too many names in it");
        goto done;
    }
    for (int i = 0; i < num_names && !is_for; i++) {
        is_for = name_is_for(sk_GENERAL_NAME_value(names, i), identity);
    }
    if (!is_for) {
        code = refuse_names(verdict, identity, names);
    }
done:
    GENERAL_NAMES_free(names);
    return code;
}

/* seconds_until is how long `time` is away from now; 0 when that cannot be told. */
static int64_t seconds_until(const ASN1_TIME *time, int64_t now)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)now);
    int days = 0;
    int seconds = 0;

    if (from != NULL && !ASN1_TIME_diff(&days, &seconds, from, time)) {
        days = seconds = 0;
    }
    ASN1_TIME_free(from);
    return (int64_t)days * SECONDS_A_DAY + seconds;
}

/* struct matter is what one judgement is about. */
struct matter {
    STACK_OF(X509) * presented; /* leaf first */
    X509_STORE *roots;
    const struct urlp_tls_checks *checks;
    const struct urlp_tls_identity *identity;
    int64_t now;
};

/* check_links looks at every certificate of the built chain, and notes when all are good. */
static enum urlpool_code check_links(const STACK_OF(X509) * chain, const struct matter *matter,
                                     struct urlp_tls_verdict *verdict)
{
    const struct urlp_tls_identity *identity = matter->identity;
    const bool is_limited = !identity->is_ip && !matter->checks->skips_name;
    const struct urlp_span host = is_limited ? identity->host : urlp_span_make(NULL, 0);

    verdict->good_from = 0;
    verdict->good_until = INT64_MAX;
    for (int i = 0; i < (int)sk_X509_num(chain); i++) {
        const X509 *cert = sk_X509_value(chain, i);
        const int64_t good_from =
            matter->now + seconds_until(X509_get0_notBefore(cert), matter->now);
        const int64_t good_until =
            matter->now + seconds_until(X509_get0_notAfter(cert), matter->now);
        const struct urlp_tls_objection objection = urlp_tls_links_object(chain, i, host);

        if (good_from > verdict->good_from) {
            verdict->good_from = good_from;
        }
        if (good_until < verdict->good_until) {
            verdict->good_until = good_until;
        }
        if (objection.reason == X509_V_ERR_OUT_OF_MEM) {
            return refuse_nomem(verdict);
        }
        if (objection.reason != X509_V_OK) {
            return refuse_untrusted(verdict, objection.reason, identity, objection.why);
        }
    }
    return URLPOOL_OK;
}

/* parse_chain makes certificates of what was shown: the first is the leaf. NULL when one of them is
 * malformed. */
static STACK_OF(X509) * parse_chain(const struct urlp_tls_shown *shown)
{
    STACK_OF(X509) *chain = sk_X509_new_null();

    for (size_t i = 0; chain != NULL && i < urlp_tls_shown_num(shown); i++) {
        X509 *cert = urlp_tls_shown_certificate(shown, i);

        if (cert == NULL || !sk_X509_push(chain, cert)) {
            X509_free(cert);
            sk_X509_pop_free(chain, X509_free);
            return NULL;
        }
    }
    return chain;
}

/* prepare sets `context` up: a certificate for a server, at this time, for any of the given roots,
 * an intermediate among them included. */
static bool prepare(X509_STORE_CTX *context, X509_STORE *roots, STACK_OF(X509) * chain, int64_t now)
{
    X509_VERIFY_PARAM *rules;

    if (!X509_STORE_CTX_init(context, roots, sk_X509_value(chain, 0), chain) ||
        !X509_STORE_CTX_set_default(context, "ssl_server")) {
        return false;
    }
    rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_depth(rules, URLP_TLS_CHAIN_MAX);
    X509_VERIFY_PARAM_set_time(rules, (time_t)now);
    return X509_VERIFY_PARAM_set_flags(rules,
                                       X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
}

/* judge_path builds one chain of what is `shown` and judges it. */
static enum urlpool_code judge_path(const struct matter *matter, STACK_OF(X509) * shown,
                                    struct urlp_tls_verdict *verdict)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    enum urlpool_code code = URLPOOL_OK;

    ERR_clear_error();
    if (context == NULL || !prepare(context, matter->roots, shown, matter->now)) {
        code = refuse_nomem(verdict);
        goto done;
    }
    if (X509_verify_cert(context) != 1) {
        code = urlp_tls_ran_out() ? refuse_nomem(verdict)
                                  : refuse_chain(verdict, matter->identity, context);
    }
    if (code == URLPOOL_OK && !matter->checks->skips_name) {
        code = check_names(sk_X509_value(matter->presented, 0), matter->identity, verdict);
    }
    if (code == URLPOOL_OK) {
        code = check_links(X509_STORE_CTX_get0_chain(context), matter, verdict);
    }
done:
    X509_STORE_CTX_free(context);
    return code;
}

static bool are_twins(const STACK_OF(X509) * shown, int a, int b)
{
    return X509_NAME_cmp(X509_get_subject_name(sk_X509_value(shown, a)),
                         X509_get_subject_name(sk_X509_value(shown, b))) == 0;
}

/* num_twins counts those of the subject of `index` that were shown before `end`, the leaf apart. */
static size_t num_twins(const STACK_OF(X509) * shown, int index, int end)
{
    size_t num = 0;

    for (int i = 1; i < end; i++) {
        num += are_twins(shown, i, index);
    }
    return num;
}

/* num_ways is in how many ways one of each subject can be taken, WAYS_MAX at most. */
static size_t num_ways(const STACK_OF(X509) * shown)
{
    const int num = (int)sk_X509_num(shown);
    size_t ways = 1;

    for (int i = 1; i < num && ways < WAYS_MAX; i++) {
        ways *= num_twins(shown, i, i) == 0 ? num_twins(shown, i, num) : 1;
    }
    return ways < WAYS_MAX ? ways : WAYS_MAX;
}

/* take_way returns the leaf and one of each subject, another one for each number of a way. Owns:
 * the stack is the caller's, what is in it is not; NULL without memory. */
static STACK_OF(X509) * take_way(const STACK_OF(X509) * shown, size_t way)
{
    STACK_OF(X509) *taken = sk_X509_new_null();
    bool is_good = taken != NULL && sk_X509_push(taken, sk_X509_value(shown, 0)) > 0;

    for (int i = 1; is_good && i < (int)sk_X509_num(shown); i++) {
        const size_t num = num_twins(shown, i, (int)sk_X509_num(shown));
        int at = i;

        if (num_twins(shown, i, i) > 0) {
            continue; /* its subject has had its turn */
        }
        while (!are_twins(shown, at, i) || num_twins(shown, at, at) != way % num) {
            at++;
        }
        is_good = sk_X509_push(taken, sk_X509_value(shown, at)) > 0;
        way /= num;
    }
    if (!is_good) {
        sk_X509_free(taken);
        taken = NULL;
    }
    return taken;
}

static enum urlpool_code judge_way(const struct matter *matter, size_t way,
                                   struct urlp_tls_verdict *verdict)
{
    STACK_OF(X509) *taken = take_way(matter->presented, way);
    enum urlpool_code code =
        taken != NULL ? judge_path(matter, taken, verdict) : refuse_nomem(verdict);

    sk_X509_free(taken);
    return code;
}

/* judge_chain: the library takes the first certificate that fits, and never goes back. Where
 * authorities have shown several (cross-signed, renewed), all ways to take one of each are tried;
 * of a refusal the first verdict counts. */
static enum urlpool_code judge_chain(const struct matter *matter, struct urlp_tls_verdict *verdict)
{
    enum urlpool_code code = judge_path(matter, matter->presented, verdict);
    const size_t ways = code != URLPOOL_OK ? num_ways(matter->presented) : 1;

    for (size_t way = 0; ways > 1 && way < ways; way++) {
        struct urlp_tls_verdict next = {.error = {.code = URLPOOL_OK}};

        if (code != URLPOOL_E_TLS_VERIFY && code != URLPOOL_E_TLS_EXPIRED) {
            break;
        }
        code = judge_way(matter, way, &next);
        if (code == URLPOOL_OK || code == URLPOOL_E_NOMEM) {
            *verdict = next;
        }
    }
    return verdict->error.code;
}

static enum urlpool_code check_pins(const struct matter *matter, const struct urlp_tls_shown *shown,
                                    struct urlp_tls_verdict *verdict)
{
    const enum urlpool_code code =
        urlp_tls_pins_check(&matter->checks->pins, shown, sk_X509_value(matter->presented, 0),
                            matter->identity->host, &verdict->error);

    if (code == URLPOOL_OK) {
        return URLPOOL_OK;
    }
    return code == URLPOOL_E_NOMEM ? refuse_nomem(verdict)
                                   : note(verdict, X509_V_ERR_CERT_REJECTED);
}

bool urlp_tls_checks_take_anybody(const struct urlp_tls_checks *checks)
{
    return checks->skips_name && !urlp_tls_pins_are_given(&checks->pins);
}

enum urlpool_code urlp_tls_verify(const struct urlp_tls_shown *shown, X509_STORE *roots,
                                  const struct urlp_tls_checks *checks,
                                  const struct urlp_tls_identity *identity,
                                  struct urlp_tls_verdict *verdict)
{
    struct matter matter = {
        .roots = roots, .checks = checks, .identity = identity, .now = urlp_wall_seconds()};
    enum urlpool_code code = URLPOOL_OK;

    if (checks->skips_chain && !urlp_tls_pins_are_given(&checks->pins)) {
        return URLPOOL_OK;
    }
    if (urlp_tls_shown_num(shown) == 0) {
        return refuse_untrusted(verdict, X509_V_ERR_UNSPECIFIED, identity, "there is none");
    }
    if (urlp_tls_shown_num(shown) > URLP_TLS_CHAIN_MAX) {
        return refuse_untrusted(verdict, X509_V_ERR_CERT_CHAIN_TOO_LONG, identity,
                                "too many certificates in its chain");
    }
    matter.presented = parse_chain(shown);
    if (matter.presented == NULL && urlp_tls_ran_out()) {
        code = refuse_nomem(verdict);
    } else if (matter.presented == NULL) {
        code = refuse_untrusted(verdict, X509_V_ERR_UNSPECIFIED, identity, "it is malformed");
    } else if (!checks->skips_chain) {
        code = judge_chain(&matter, verdict);
    }
    if (code == URLPOOL_OK) {
        code = check_pins(&matter, shown, verdict);
    }
    sk_X509_pop_free(matter.presented, X509_free);
    ERR_clear_error();
    return code;
}
