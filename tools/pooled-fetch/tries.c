/* When a transfer is made once more, as curl decides it: after a time-out or a name that was not
 * found, after a refused connection, another failure, or certain statuses, as options say. The
 * pause is a fixed one, or doubles from a second to ten minutes; the server may ask for a longer
 * one. Unlike the library's own retries this holds for any method, and for a body that broke off.
 */

#include "tries.h"

#include <errno.h>
#include <time.h>

#include "count_of.h"
#include "date.h"
#include "monotonic.h"
#include "text.h"

enum {
    PAUSE_FIRST_MS = 1000,
    PAUSE_MAX_MS = 600 * 1000,
    RETRY_AFTER_MAX_S = 6 * 3600
};

/* The statuses curl takes for transient. */
static const uint16_t transient[] = {408, 429, 500, 502, 503, 504};

void pf_tries_init(struct pf_tries *tries, const struct pf_settings *settings, int64_t now_ns)
{
    *tries = (struct pf_tries){
        .num_left = settings->retry,
        .pause_ms = settings->retry_delay_ms > 0 ? settings->retry_delay_ms : PAUSE_FIRST_MS,
        .started_ns = now_ns,
    };
}

static bool holds(const uint16_t *statuses, size_t count, int status)
{
    for (size_t i = 0; i < count; i++) {
        if (statuses[i] == status) {
            return true;
        }
    }
    return false;
}

static bool has_status_to_retry(const struct pf_settings *settings,
                                const struct pf_transfer *transfer)
{
    if (transfer->exit_code != PF_EXIT_OK && transfer->exit_code != PF_EXIT_STATUS) {
        return false;
    }
    return settings->num_retry_on > 0
               ? holds(settings->retry_on, settings->num_retry_on, transfer->status)
               : holds(transient, COUNT_OF(transient), transfer->status);
}

static bool has_error_to_retry(const struct pf_settings *settings,
                               const struct pf_transfer *transfer)
{
    switch (transfer->exit_code) {
    case PF_EXIT_OK:
    case PF_EXIT_INTERRUPTED:
        return false;
    case PF_EXIT_TIMEOUT:
    case PF_EXIT_RESOLVE:
    case PF_EXIT_PROXY_NAME:
        return true;
    case PF_EXIT_CONNECT:
        return settings->retry_all_errors ||
               (settings->retry_connrefused && transfer->err.os_errno == ECONNREFUSED);
    default:
        return settings->retry_all_errors;
    }
}

int64_t pf_tries_next(struct pf_tries *tries, const struct pf_settings *settings,
                      const struct pf_transfer *transfer, int64_t now_ns)
{
    int64_t elapsed_ms = (now_ns - tries->started_ns) / PF_NS_PER_MS;
    int64_t max_ms = settings->retry_max_time_ms; /* 0: no bound */
    bool by_status = has_status_to_retry(settings, transfer);
    int64_t pause_ms = tries->pause_ms;

    if (tries->num_left == 0 || (max_ms > 0 && elapsed_ms >= max_ms) ||
        (!by_status && !has_error_to_retry(settings, transfer))) {
        return -1;
    }
    if (by_status && transfer->retry_after_ms > pause_ms) {
        pause_ms = transfer->retry_after_ms;
        if (max_ms > 0 && elapsed_ms + pause_ms > max_ms) {
            return -1; /* the server wants to be left alone for longer than we have */
        }
    }
    tries->num_left--;
    if (settings->retry_delay_ms == 0) {
        tries->pause_ms *= 2;
        tries->pause_ms = tries->pause_ms < PAUSE_MAX_MS ? tries->pause_ms : PAUSE_MAX_MS;
    }
    return pause_ms;
}

int64_t pf_retry_after_ms(const char *value)
{
    int64_t seconds = 0;

    if (value == NULL || value[0] == '\0') {
        return 0;
    }
    if (*pf_digits(value, &seconds) != '\0') {
        time_t date = pf_date_of_field(value);
        seconds = date >= 0 ? (int64_t)(date - time(NULL)) : 0;
    }
    if (seconds <= 0) {
        return 0;
    }
    return (seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S) * PF_MS_PER_SECOND;
}
