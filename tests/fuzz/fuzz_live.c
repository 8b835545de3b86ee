/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_live.c - any statement, from a peer whose clock may say anything, compared with this node's again and again: an honest
 * node survives it, and what it writes about it can be read again.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alert/found.h"
#include "cluster/statement.h"
#include "facts/live.h"
#include "words/live.h"

#define NOW_NS 1767225600000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The document with its digest put right, for no chance finds one. */
static int read_statement(const char *bytes, size_t size, struct qpw_statement *ret)
{
    json_t *document = json_loadb(bytes, size, 0, NULL);
    char digest[QPW_STATEMENT_DIGEST], *text = NULL;
    struct qpw_error err;
    int r = -EINVAL;

    *ret = (struct qpw_statement){0};
    if (json_is_object(document) && qpw_statement_digest(document, digest)) {
        json_object_set_new(document, "digest", json_string(digest));
        text = json_dumps(document, JSON_COMPACT);
    }
    if (text)
        r = qpw_statement_read(text, strlen(text), "peer", ret, &err);
    free(text);
    json_decref(document);
    return r;
}

static void read_again(const struct qpw_live *live)
{
    struct qpw_found found = {0};
    struct qpw_found_list list = {.at_unix_ns = NOW_NS, .items = &found, .n = 1}, back;
    char text[QPW_DIFFERENCE_BYTES], *bytes;
    struct qpw_error err;
    json_t *document;

    for (size_t i = 0; i < live->n_items; i++) {
        found = (struct qpw_found){.id = live->items[i].id, .signature = QPW_SIG_CLUSTER_LOST};
        snprintf(found.text, sizeof(found.text), "%s", qpw_words_live(&live->items[i], NOW_NS, text));
        qpw_words_live_command(&live->items[i], found.command, sizeof(found.command));
        document = qpw_found_json(&list);
        bytes = document ? json_dumps(document, 0) : NULL;
        if (!bytes || qpw_found_read(bytes, strlen(bytes), &back, &err) < 0)
            abort();
        qpw_found_clear(&back);
        free(bytes);
        json_decref(document);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct qpw_statement self = {0}, peer;
    struct qpw_live_peer known = {.name = "node2", .statement = &peer, .has_offset = true};
    struct qpw_live live = {0};

    if (size < 8)
        return 0;
    memcpy(&known.offset_us, data, 8);
    known.offset_us %= 1LL << 53;
    known.offset_error_us = (uint64_t)llabs(known.offset_us) % 5000001;
    if (read_statement((const char *)data + 8, size - 8, &peer) == 0 && read_statement((const char *)data + 8, size - 8, &self) == 0) {
        snprintf(self.node, sizeof(self.node), "%s", self.n_pairs ? self.pairs[0].peer : "node1");
        for (unsigned i = 0; i < 6; i++) {
            known.got_unix_ns = NOW_NS + i * 10000000000ull;
            if (qpw_live_compare(&live, &self, &known, 1, known.got_unix_ns) < 0)
                abort();
            self.uptime_us += 10000000;
            peer.chain_seq /= 2;
        }
        read_again(&live);
    }
    qpw_live_clear(&live);
    qpw_statement_clear(&self);
    qpw_statement_clear(&peer);
    return 0;
}
