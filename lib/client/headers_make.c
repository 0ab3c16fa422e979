/* urlpool_headers_make: the headers that many requests want, made of plain words.
 *
 * What it makes is an ordinary list; that Authorization is not sent to another origin is seen to
 * where heads are made. No message shows a credential. */

#include "urlpool/manager.h"

#include "base/error.h"
#include "base/option.h"
#include "conn/connection.h"
#include "http/basic_auth.h"

static bool is_token68_char(unsigned char c)
{
    return urlp_is_alpha(c) || urlp_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~' ||
           c == '+' || c == '/';
}

/* is_token68: RFC 6750 section 2.1, b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" /
 * "/" ) *"=". */
static bool is_token68(struct urlp_span token)
{
    size_t len = token.len;

    while (len > 0 && token.data[len - 1] == '=') {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_token68_char((unsigned char)token.data[i])) {
            return false;
        }
    }
    return len > 0;
}

/* add_text adds a line whose value stands in a buffer. */
static enum urlpool_code add_text(struct urlpool_headers *headers, const char *name,
                                  struct urlp_buf *value, struct urlpool_error *err)
{
    if (urlp_buf_append(value, "", 1) != URLPOOL_OK) {
        return urlp_fail_nomem(err);
    }
    return urlpool_headers_add(headers, name, (const char *)value->data, err);
}

static enum urlpool_code add_basic(struct urlpool_headers *headers, const char *name,
                                   const char *credentials, const char *option,
                                   struct urlpool_error *err)
{
    struct urlp_buf value = {0};
    enum urlpool_code code = urlp_basic_auth_append(urlp_span_of(credentials), option, &value, err);

    if (code == URLPOOL_OK) {
        code = add_text(headers, name, &value, err);
    }
    urlp_buf_deinit(&value);
    return code;
}

static enum urlpool_code add_bearer(struct urlpool_headers *headers, const char *token,
                                    struct urlpool_error *err)
{
    struct urlp_buf value = {0};
    enum urlpool_code code = URLPOOL_OK;

    if (!is_token68(urlp_span_of(token))) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
                         "bearer_auth is no token: letters, digits, \"-._~+/\", then \"=\"");
    }
    if (urlp_buf_append_text(&value, "Bearer ") != URLPOOL_OK ||
        urlp_buf_append_text(&value, token) != URLPOOL_OK) {
        code = urlp_fail_nomem(err);
    }
    if (code == URLPOOL_OK) {
        code = add_text(headers, "Authorization", &value, err);
    }
    urlp_buf_deinit(&value);
    return code;
}

/* add_authorization adds what says who asks, to the origin and to the proxy. */
static enum urlpool_code add_authorization(struct urlpool_headers *headers,
                                           const struct urlpool_headers_choice *choice,
                                           struct urlpool_error *err)
{
    enum urlpool_code code = URLPOOL_OK;

    if (choice->basic_auth != NULL) {
        code = add_basic(headers, "Authorization", choice->basic_auth, "basic_auth", err);
    }
    if (code == URLPOOL_OK && choice->bearer_auth != NULL) {
        code = add_bearer(headers, choice->bearer_auth, err);
    }
    if (code == URLPOOL_OK && choice->proxy_basic_auth != NULL) {
        code = add_basic(headers, "Proxy-Authorization", choice->proxy_basic_auth,
                         "proxy_basic_auth", err);
    }
    return code;
}

/* The order is that of urllib3. */
static enum urlpool_code add_all(struct urlpool_headers *headers,
                                 const struct urlpool_headers_choice *choice,
                                 struct urlpool_error *err)
{
    const char *codings = choice->accept_encodings;
    enum urlpool_code code = URLPOOL_OK;

    if (codings == NULL && choice->accept_encoding) {
        codings = urlp_connection_accept_encoding();
    }
    if (codings != NULL) {
        code = urlpool_headers_add(headers, "Accept-Encoding", codings, err);
    }
    if (code == URLPOOL_OK && choice->user_agent != NULL && choice->user_agent[0] != '\0') {
        code = urlpool_headers_add(headers, "User-Agent", choice->user_agent, err);
    }
    if (code == URLPOOL_OK && choice->keep_alive) {
        code = urlpool_headers_add(headers, "Connection", "keep-alive", err);
    }
    if (code == URLPOOL_OK) {
        code = add_authorization(headers, choice, err);
    }
    if (code == URLPOOL_OK && choice->disable_cache) {
        code = urlpool_headers_add(headers, "Cache-Control", "no-cache", err);
    }
    return code;
}

struct urlpool_headers *urlpool_headers_make(const struct urlpool_headers_choice *choice,
                                             struct urlpool_error *err)
{
    struct urlpool_headers *headers;

    if (choice == NULL) {
        (void)urlp_fail_null(err);
        return NULL;
    }
    if (urlp_option_check_reserved("headers choice", choice->reserved, sizeof(choice->reserved),
                                   err) != URLPOOL_OK) {
        return NULL;
    }
    if (choice->basic_auth != NULL && choice->bearer_auth != NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                        "basic_auth and bearer_auth are both given and there is one Authorization");
        return NULL;
    }
    headers = urlpool_headers_new(err);
    if (headers != NULL && add_all(headers, choice, err) != URLPOOL_OK) {
        urlpool_headers_free(headers);
        headers = NULL;
    }
    return headers;
}
