/* Memory that goes from a response which is over to the next request (`recycle`), so that a loop of
 * small requests takes none from the heap.
 *
 * An idle connection holds no memory for bytes, since there may be many: while a chain of recycled
 * responses goes on, that memory travels with them. */

#include "conn/spares.h"

#include "conn/wire.h"

struct urlp_buf urlp_spares_take(struct urlp_buf *from)
{
    const struct urlp_buf taken = {.data = from->data, .cap = from->cap};

    *from = (struct urlp_buf){0};
    return taken;
}

/* add_one fills a place, or frees what there is no place for. */
static void add_one(struct urlp_buf *place, struct urlp_buf *from)
{
    if (place->data == NULL) {
        *place = urlp_spares_take(from);
    }
    urlp_buf_deinit(from);
}

void urlp_spares_add(struct urlp_spares *spares, struct urlp_spares *from)
{
    add_one(&spares->block, &from->block);
    add_one(&spares->data, &from->data);
    add_one(&spares->inbox, &from->inbox);
}

void urlp_spares_lend(struct urlp_spares *spares, struct urlpool_connection *connection)
{
    struct urlp_inbox *in = &connection->in;

    if (in->data == NULL && spares->inbox.data != NULL) {
        urlp_inbox_set(connection, spares->inbox.data, spares->inbox.cap);
        spares->inbox = (struct urlp_buf){0};
    }
}

void urlp_spares_take_back(struct urlp_spares *spares, struct urlpool_connection *connection)
{
    struct urlp_inbox *in = &connection->in;

    if (urlp_inbox_len(in) == 0 && spares->inbox.data == NULL) {
        spares->inbox = (struct urlp_buf){.data = urlp_inbox_block(in), .cap = in->cap};
        urlp_inbox_set(connection, NULL, 0);
    }
}

void urlp_spares_deinit(struct urlp_spares *spares)
{
    urlp_buf_deinit(&spares->block);
    urlp_buf_deinit(&spares->data);
    urlp_buf_deinit(&spares->inbox);
}
