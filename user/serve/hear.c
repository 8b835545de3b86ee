/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/hear.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/state.h"

#define RECALL_BYTES (64u << 10)
#define PAUSE 6u             /* ticks after an answer that was not valid */
#define AT_ONCE_US 1000000u  /* an answer without events that came earlier did not wait */

void qpw_hear_open(struct qpw_hear *h, const char *state, const char *peer)
{
    char *end = malloc(RECALL_BYTES);

    *h = (struct qpw_hear){.state = state};
    qpw_log_chain_init(&h->heard.chain);
    if (end)
        qpw_heard_recall(&h->heard, end, qpw_state_events_end(state, peer, end, RECALL_BYTES));
    free(end);
}

static void ask(struct qpw_hear *h, struct qpw_poll *poll, const struct qpw_poll_target *target, size_t index, unsigned wait_s)
{
    char path[96];
    struct qpw_poll_ask what = {.path = path, .most = QPW_HEAR_BYTES, .wait_s = wait_s, .kind = QPW_HEAR_KIND};

    snprintf(path, sizeof(path), "/v1/events?after=%" PRIu64 "&wait=%u&limit=500", h->heard.chain.number, wait_s);
    h->asking = qpw_poll_start(poll, target, index, &what) == 0;
    h->asked++;
}

void qpw_hear_tick(struct qpw_hear *h, struct qpw_poll *poll, const struct qpw_poll_target *target, size_t index, unsigned wait_s)
{
    h->asked = 0;
    h->took = 0;
    if (h->asking)
        return;
    if (h->pause)
        h->pause--;
    else
        ask(h, poll, target, index, wait_s);
}

/* Take the lines of an answer. Return whether there are any. */
static bool take(struct qpw_hear *h, const char *peer, const struct qpw_polled *polled)
{
    struct qpw_heard before = h->heard;
    struct qpw_error err = {""};
    size_t length;

    switch (qpw_heard_take(&h->heard, polled->bytes, polled->length, polled->epoch, &length, &err)) {
    case QPW_HEARD_KEEP:
        if (qpw_state_events(h->state, peer, polled->bytes, length) == 0)
            return true;
        h->heard = before; /* a full disk: ask for the same once more, later */
        h->pause = 1;
        return false;
    case QPW_HEARD_INVALID:
        h->result = QPW_POLL_INVALID;
        h->pause = PAUSE;
        snprintf(h->trouble, sizeof(h->trouble), "%.159s", err.text);
        return true;
    case QPW_HEARD_AGAIN: return true;
    default: return false;
    }
}

bool qpw_hear_polled(struct qpw_hear *h, struct qpw_poll *poll, const struct qpw_poll_target *target, const struct qpw_polled *polled)
{
    bool changed = !h->has_result || h->result != polled->result, news;

    h->asking = false;
    h->has_result = true;
    h->result = polled->result;
    snprintf(h->trouble, sizeof(h->trouble), "%s", polled->trouble);
    if (polled->result != QPW_POLL_OK)
        return changed;
    news = take(h, target->name, polled);
    h->took += polled->length;
    if (!h->pause && h->asked < QPW_HEAR_AT_ONCE && h->took < QPW_HEAR_TICK_BYTES && (news || polled->took_us >= AT_ONCE_US))
        ask(h, poll, target, polled->target, QPW_HEAR_WAIT_S);
    return changed || news;
}
