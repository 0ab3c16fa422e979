/* An exchange in one go, as the request loop wants it: send, hear, make the response. */

#include "base/error.h"
#include "conn/body_reader.h"
#include "conn/turn.h"

/* A request head that is shorter takes nothing from the heap. */
#define HEAD_BYTES_USUAL 1024

/* send_request sends head and body. The request counts as sent only when all of it is. */
static enum urlpool_code send_request(struct urlpool_connection *connection,
                                      struct urlp_body_plan *body,
                                      struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code = urlp_turn_put_body(connection, body, err);

    if (code == URLPOOL_OK && !urlp_turn_is_over(connection)) {
        urlp_turn_sent(connection);
    }
    return code;
}

static struct urlpool_response *make_exchange(struct urlpool_connection *connection,
                                              const struct urlp_exchange *exchange,
                                              const struct urlp_call *call,
                                              struct urlp_exchange_facts *facts,
                                              struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_turn *turn = &connection->turn;
    struct urlp_answer *answer = NULL;

    if (urlp_turn_begin(connection, exchange, call, err) != URLPOOL_OK) {
        return NULL;
    }
    if (send_request(connection, exchange->body, err) == URLPOOL_OK &&
        urlp_turn_hear(connection, err) == URLPOOL_OK) {
        answer = urlp_answer_new(connection, err);
    }
    facts->request_bytes_sent = turn->bytes_sent > 0;
    facts->response_bytes_seen = turn->response_bytes_seen;
    if (answer == NULL) {
        urlp_turn_failed(connection, err);
        return NULL;
    }
    return &answer->pub;
}

struct urlpool_response *urlp_connection_exchange(struct urlpool_connection *connection,
                                                  const struct urlp_exchange *exchange,
                                                  const struct urlp_call *call,
                                                  struct urlp_exchange_facts *facts,
                                                  struct urlpool_error *err)
{
    uint8_t memory[HEAD_BYTES_USUAL];
    struct urlpool_response *response;

    *facts = (struct urlp_exchange_facts){0};
    if (connection->out.data == NULL) {
        connection->out = urlp_buf_lend(memory, sizeof(memory));
    }
    response = make_exchange(connection, exchange, call, facts, err);
    if (connection->out.is_lent) {
        connection->out = (struct urlp_buf){0};
    }
    return response;
}
