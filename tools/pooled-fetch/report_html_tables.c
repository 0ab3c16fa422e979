/* The page's tables: what transfers came to, the slowest of them, and what the pool did. */

#include <inttypes.h>

#include "html.h"
#include "report_html.h"

enum {
    MESSAGE_MAX = 240
};

/* begin_table begins a table that scrolls by itself where it is wider than the window. */
static void begin_table(struct pf_text *out, const char *css, const char *caption)
{
    pf_text_addf(out,
                 "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
                 "<table class=\"%s\"><caption>%s</caption>\n",
                 caption, css, caption);
}

static void end_table(struct pf_text *out)
{
    pf_text_adds(out, "</tbody></table></div>\n");
}

/* add_bar_cell draws how large a part is, for eyes; the number stands in a cell of its own. */
static void add_bar_cell(struct pf_text *out, const char *css, uint64_t part, uint64_t whole)
{
    pf_text_addf(out,
                 "<td class=\"bar\" aria-hidden=\"true\"><svg width=\"100%%\" height=\"12\">"
                 "<rect class=\"%s\" width=\"%.2f%%\" height=\"12\"/></svg></td>",
                 css, whole > 0 ? 100.0 * (double)part / (double)whole : 0);
}

static void add_count_cells(struct pf_text *out, uint64_t count, uint64_t whole)
{
    pf_text_adds(out, "<td>");
    pf_html_count(out, count);
    pf_text_adds(out, "</td><td>");
    pf_html_share(out, count, whole);
    pf_text_adds(out, "</td>");
}

/* --- outcomes --------------------------------------------------------------------------------- */

static void add_kind(struct pf_text *out, const struct pf_kind *kind, uint64_t num_failed)
{
    pf_text_addf(out, "<tr><th scope=\"row\">(%d) %s", kind->exit_code,
                 pf_exit_name(kind->exit_code));
    if (kind->code != URLPOOL_OK) {
        pf_text_addf(out, "<br><code>%s</code>", urlpool_code_name(kind->code));
    }
    pf_text_addf(out, "</th><td class=\"text\">%s</td>",
                 kind->code != URLPOOL_OK ? urlpool_phase_name(kind->phase) : "–");
    add_count_cells(out, kind->count, num_failed);
    add_bar_cell(out, "failed", kind->count, num_failed);
    pf_text_adds(out, "<td class=\"text words\">");
    pf_html_add_clipped(out, kind->message, MESSAGE_MAX);
    pf_text_adds(out, "</td></tr>\n");
}

/* order_of sorts the kinds by how many there are, the most first. */
static void order_of(const struct pf_findings *findings, size_t out_order[PF_KINDS_MAX])
{
    for (size_t i = 0; i < findings->num_kinds; i++) {
        size_t at = i;

        while (at > 0 && findings->kinds[out_order[at - 1]].count < findings->kinds[i].count) {
            out_order[at] = out_order[at - 1];
            at--;
        }
        out_order[at] = i;
    }
}

static void add_errors(struct pf_text *out, const struct pf_page *page)
{
    const struct pf_findings *findings = page->findings;
    uint64_t num_failed = page->sums->num_failed;
    size_t order[PF_KINDS_MAX] = {0};

    if (num_failed == 0) {
        pf_text_adds(out, "<p class=\"good\">No transfer failed.</p>\n");
        return;
    }
    order_of(findings, order);
    begin_table(out, "kinds", "Errors by kind");
    pf_text_adds(out, "<thead><tr><th scope=\"col\">Kind</th><th scope=\"col\">Phase</th>"
                      "<th scope=\"col\" class=\"number\">Transfers</th><th scope=\"col\" "
                      "class=\"number\">Share</th>"
                      "<td class=\"bar\" aria-hidden=\"true\"></td>"
                      "<th scope=\"col\">The first of them</th></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < findings->num_kinds; i++) {
        add_kind(out, &findings->kinds[order[i]], num_failed);
    }
    if (findings->num_other_kinds > 0) {
        pf_text_adds(out, "<tr><th scope=\"row\">others</th><td class=\"text\">–</td>");
        add_count_cells(out, findings->num_other_kinds, num_failed);
        add_bar_cell(out, "failed", findings->num_other_kinds, num_failed);
        pf_text_adds(out, "<td></td></tr>\n");
    }
    end_table(out);
}

static void add_statuses(struct pf_text *out, const struct pf_sums *sums)
{
    bool has_any = false;

    for (int status = 0; status < PF_STATUS_NUM; status++) {
        if (sums->statuses[status] == 0) {
            continue;
        }
        if (!has_any) {
            begin_table(out, "statuses", "Statuses of the last answers");
            pf_text_adds(out, "<thead><tr><th scope=\"col\">Status</th>"
                              "<th scope=\"col\" class=\"number\">Transfers</th><th scope=\"col\" "
                              "class=\"number\">Share</th>"
                              "<td class=\"bar\" aria-hidden=\"true\"></td></tr></thead>\n"
                              "<tbody>\n");
            has_any = true;
        }
        pf_text_addf(out, "<tr><th scope=\"row\">%d</th>", status);
        add_count_cells(out, sums->statuses[status], sums->num_done);
        add_bar_cell(out, status < 400 ? "ok" : "failed", sums->statuses[status], sums->num_done);
        pf_text_adds(out, "</tr>\n");
    }
    if (has_any) {
        end_table(out);
    }
}

void pf_page_add_outcomes(struct pf_text *out, const struct pf_page *page)
{
    pf_html_begin_section(out, "outcomes", "What they came to");
    add_errors(out, page);
    add_statuses(out, page->sums);
    pf_html_end_section(out);
}

/* --- the slowest ------------------------------------------------------------------------------ */

/* Which steps have a column in any case; the others, only when one of the transfers took them. */
static const bool is_always_shown[PF_PHASE_NUM] = {
    [PF_PHASE_DNS] = true,  [PF_PHASE_DIAL] = true, [PF_PHASE_TLS] = true,
    [PF_PHASE_SEND] = true, [PF_PHASE_WAIT] = true, [PF_PHASE_READ] = true,
};

static const char *const phase_explained[PF_PHASE_NUM] = {
    [PF_PHASE_BEFORE] = "earlier tries, redirects and pauses",
    [PF_PHASE_POOL] = "waiting for a place in the pool",
    [PF_PHASE_DNS] = "asking for the name",
    [PF_PHASE_DIAL] = "TCP",
    [PF_PHASE_PROXY] = "agreeing with a proxy",
    [PF_PHASE_TLS] = "TLS handshake",
    [PF_PHASE_SEND] = "sending the request",
    [PF_PHASE_WAIT] = "waiting for the first byte",
    [PF_PHASE_READ] = "reading the answer",
    [PF_PHASE_REST] = "files, output, the machine",
};

static bool is_shown(const struct pf_findings *findings, int phase)
{
    for (size_t i = 0; i < findings->num_slowest; i++) {
        if (findings->slowest[i].phases[phase] > 0) {
            return true;
        }
    }
    return is_always_shown[phase];
}

static void add_phase_legend(struct pf_text *out, const struct pf_findings *findings)
{
    pf_text_adds(out, "<ul class=\"legend\">");
    for (int phase = 0; phase < PF_PHASE_NUM; phase++) {
        if (is_shown(findings, phase)) {
            const char *name = pf_phase_name((enum pf_phase)phase);
            pf_text_addf(out,
                         "<li><svg class=\"key\" width=\"12\" height=\"12\" aria-hidden=\"true\">"
                         "<rect class=\"p-%s\" width=\"12\" height=\"12\"/></svg>"
                         "<span><b>%s</b> %s</span></li>",
                         name, name, phase_explained[phase]);
        }
    }
    pf_text_adds(out, "</ul>\n");
}

static void add_slow_head(struct pf_text *out, const struct pf_findings *findings)
{
    pf_text_adds(out, "<thead><tr><th scope=\"col\" class=\"number\" data-sort=\"number\" "
                      "aria-sort=\"descending\">Took"
                      "</th><td class=\"bar\" aria-hidden=\"true\"></td>"
                      "<th scope=\"col\" data-sort=\"text\">Request</th>"
                      "<th scope=\"col\" data-sort=\"text\">Outcome</th>");
    for (int phase = 0; phase < PF_PHASE_NUM; phase++) {
        if (is_shown(findings, phase)) {
            pf_text_addf(out, "<th scope=\"col\" class=\"number\" data-sort=\"number\">%s</th>",
                         pf_phase_name((enum pf_phase)phase));
        }
    }
    pf_text_adds(
        out, "<th scope=\"col\" class=\"number\" data-sort=\"number\">Began at</th></tr></thead>\n"
             "<tbody>\n");
}

/* add_time_cell adds a duration; who sorts reads the nanoseconds. */
static void add_time_cell(struct pf_text *out, int64_t ns, bool is_zero_shown)
{
    pf_text_addf(out, "<td data-v=\"%" PRId64 "\">", ns);
    if (ns > 0 || is_zero_shown) {
        pf_html_ns(out, ns);
    } else {
        pf_text_adds(out, "–");
    }
    pf_text_adds(out, "</td>");
}

static void add_phases_bar(struct pf_text *out, const struct pf_slow *slow, int64_t longest_ns)
{
    double whole = (double)(longest_ns > 0 ? longest_ns : 1);
    double at = 0;

    pf_text_adds(out, "<td class=\"bar\" aria-hidden=\"true\"><svg width=\"100%\" height=\"12\">");
    for (int phase = 0; phase < PF_PHASE_NUM; phase++) {
        double width = 100.0 * (double)slow->phases[phase] / whole;

        if (width >= 0.05) {
            pf_text_addf(out, "<rect class=\"p-%s\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"12\"/>",
                         pf_phase_name((enum pf_phase)phase), at, width);
        }
        at += width;
    }
    pf_text_adds(out, "</svg></td>");
}

static void add_request_cell(struct pf_text *out, const struct pf_slow *slow)
{
    pf_text_adds(out, "<td class=\"text url\"><b>");
    pf_html_add(out, slow->method); /* "": nothing was sent */
    pf_text_adds(out, slow->method[0] != '\0' ? "</b> <bdi>" : "</b><bdi>");
    pf_html_add_clipped(out, slow->entry->shown, PF_URL_SHOWN_MAX);
    pf_text_adds(out, "</bdi>");
    if (slow->url[0] != '\0') {
        pf_text_adds(out, "<br>→ <bdi>");
        pf_html_add(out, slow->url);
        pf_text_adds(out, "</bdi>");
    }
    pf_text_adds(out, "</td>");
}

static void add_outcome_cell(struct pf_text *out, const struct pf_slow *slow)
{
    pf_text_addf(out, "<td class=\"text outcome%s\">", slow->exit_code != PF_EXIT_OK ? " bad" : "");
    if (slow->exit_code != PF_EXIT_OK) {
        pf_text_addf(out, "(%d) %s", slow->exit_code, pf_exit_name(slow->exit_code));
    }
    if (slow->status > 0) {
        pf_text_addf(out, "%s%d", slow->exit_code != PF_EXIT_OK ? ", " : "", slow->status);
    }
    if (slow->conn_reused) {
        pf_text_adds(out, ", reused");
    }
    if (slow->num_redirects > 0) {
        pf_text_addf(out, ", %u redirect%s", slow->num_redirects,
                     slow->num_redirects == 1 ? "" : "s");
    }
    if (slow->num_retries > 0) {
        pf_text_addf(out, ", tried %u times", slow->num_retries + 1);
    }
    pf_text_adds(out, "</td>");
}

static void add_slow(struct pf_text *out, const struct pf_findings *findings,
                     const struct pf_slow *slow)
{
    pf_text_adds(out, "<tr>");
    add_time_cell(out, slow->total_ns, true);
    add_phases_bar(out, slow, findings->slowest[0].total_ns);
    add_request_cell(out, slow);
    add_outcome_cell(out, slow);
    for (int phase = 0; phase < PF_PHASE_NUM; phase++) {
        if (is_shown(findings, phase)) {
            add_time_cell(out, slow->phases[phase], false);
        }
    }
    add_time_cell(out, slow->begun_ns, true);
    pf_text_adds(out, "</tr>\n");
}

void pf_page_add_slowest(struct pf_text *out, const struct pf_page *page)
{
    const struct pf_findings *findings = page->findings;

    if (findings->num_slowest == 0) {
        return;
    }
    pf_html_begin_section(out, "slowest", "The slowest");
    add_phase_legend(out, findings);
    begin_table(out, "slowest", "The slowest transfers and where their time went");
    add_slow_head(out, findings);
    for (size_t i = 0; i < findings->num_slowest; i++) {
        add_slow(out, findings, &findings->slowest[i]);
    }
    end_table(out);
    pf_html_end_section(out);
}

/* --- the pool --------------------------------------------------------------------------------- */

static void add_figure(struct pf_text *out, const char *name, uint64_t count)
{
    pf_text_addf(out, "<tr><th scope=\"row\">%s</th><td>", name);
    pf_html_count(out, count);
    pf_text_adds(out, "</td></tr>\n");
}

/* begin_figures begins a table of add_figure's rows. */
static void begin_figures(struct pf_text *out, const char *caption)
{
    pf_text_addf(out, "<div class=\"card\"><table class=\"figures\"><caption>%s</caption><tbody>\n",
                 caption);
}

static void add_requests(struct pf_text *out, const struct pf_page *page)
{
    const struct urlpool_stats *pool = page->pool;

    begin_figures(out, "Requests");
    add_figure(out, "requests sent, redirects too", pool->requests + pool->redirects);
    add_figure(out, "redirects followed", pool->redirects);
    add_figure(out, "tried again", page->sums->num_retries);
    add_figure(out, "of these, after a stale connection", pool->stale_retries);
    add_figure(out, "names asked for", pool->dns_queries);
    add_figure(out, "names remembered", pool->dns_hits);
    end_table(out);
}

static void add_connections(struct pf_text *out, const struct urlpool_stats *pool)
{
    begin_figures(out, "Connections");
    add_figure(out, "opened", pool->opened);
    add_figure(out, "reused", pool->reused);
    add_figure(out, "most at once, with dials", pool->peak_open);
    add_figure(out, "failed dials", pool->dial_failures);
    add_figure(out, "TLS handshakes, full", pool->tls_full);
    add_figure(out, "TLS handshakes, resumed", pool->tls_resumed);
    end_table(out);
}

static void add_waits(struct pf_text *out, const struct urlpool_stats *pool)
{
    static const char *const names[URLPOOL_WAIT_BUCKETS] = {"to 1 ms",   "to 5 ms",   "to 25 ms",
                                                            "to 100 ms", "to 500 ms", "to 2.5 s",
                                                            "to 10 s",   "longer"};

    begin_figures(out, "Waits for a connection");
    add_figure(out, "waits", pool->waits);
    for (int i = 0; i < URLPOOL_WAIT_BUCKETS; i++) {
        if (pool->wait_buckets[i] > 0) {
            add_figure(out, names[i], pool->wait_buckets[i]);
        }
    }
    add_figure(out, "in vain", pool->wait_timeouts);
    pf_text_adds(out, "<tr><th scope=\"row\">all together</th><td>");
    pf_html_ns(out, (int64_t)pool->wait_ns);
    pf_text_adds(out, "</td></tr>\n");
    end_table(out);
}

static void add_closed(struct pf_text *out, const struct urlpool_stats *pool)
{
    bool has_any = false;

    for (int why = 0; why < URLPOOL_CLOSED_NUM; why++) {
        if (pool->closed[why] == 0) {
            continue;
        }
        if (!has_any) {
            begin_figures(out, "Connections closed, by reason");
            has_any = true;
        }
        add_figure(out, urlpool_closed_name((enum urlpool_closed)why), pool->closed[why]);
    }
    if (has_any) {
        end_table(out);
    }
}

void pf_page_add_pool(struct pf_text *out, const struct pf_page *page)
{
    pf_html_begin_section(out, "pool", "What the pool did");
    pf_text_adds(out, "<div class=\"columns\">\n");
    add_requests(out, page);
    add_connections(out, page->pool);
    add_waits(out, page->pool);
    add_closed(out, page->pool);
    pf_text_adds(out, "</div>\n");
    pf_html_end_section(out);
}
