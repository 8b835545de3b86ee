/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "alert/log/heads.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/text.h"

/* Read "TIME NUMBER:SUM". */
static bool read_head(char *line, struct qpw_log_head *ret)
{
    char *blank = strchr(line, ' '), as_fact[QPW_LOG_CHAIN_TEXT + 32];

    if (!blank || (size_t)(blank - line) >= sizeof(ret->time))
        return false;
    *blank = '\0';
    snprintf(ret->time, sizeof(ret->time), "%s", line);
    qpw_text_clean(ret->time);
    snprintf(as_fact, sizeof(as_fact), "\"chain\":[\"%.*s\"]", QPW_LOG_CHAIN_TEXT, blank + 1); /* read as a line of the log has it */
    return qpw_log_chain_read(as_fact, strlen(as_fact), &ret->chain) && ret->chain.number;
}

/* Read an event: a line of the log itself, which a peer kept. */
static bool read_event(const char *line, struct qpw_log_head *ret)
{
    json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    const char *time = json_string_value(json_object_get(record, "timestamp"));
    bool valid = time && strlen(time) < sizeof(ret->time) && qpw_log_chain_read(line, strlen(line), &ret->chain) && ret->chain.number;

    if (valid)
        snprintf(ret->time, sizeof(ret->time), "%s", time);
    qpw_text_clean(ret->time);
    json_decref(record);
    return valid;
}

static bool read_line(char *line, struct qpw_log_head *ret)
{
    return *line == '{' ? read_event(line, ret) : read_head(line, ret);
}

/* Drop an event at the end of a file that was copied while it was written. */
static void drop_torn(char *bytes)
{
    char *last = strrchr(bytes, '\n');

    if (last && last[1] == '{')
        *last = '\0';
}

static int take_lines(struct qpw_log_heads *h, const char *path, char *bytes, struct qpw_error *err)
{
    char *save = NULL;
    unsigned number = 0;

    drop_torn(bytes);
    for (char *line = strtok_r(bytes, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        struct qpw_log_head *head = h->n < QPW_LOG_HEADS_MOST ? QPW_ADD(h->heads, h->n) : NULL;

        number++;
        if (!head)
            return qpw_fail(err, -ENOMEM, "%s: more than %u heads, or out of memory", path, QPW_LOG_HEADS_MOST);
        if (!read_line(line, head))
            return qpw_fail(err, -EINVAL, "%s:%u: is neither a head (TIME NUMBER:SUM) nor an event that a peer kept", path, number);
        head->file = path;
        h->n++;
    }
    return number ? 0 : qpw_fail(err, -EINVAL, "%s: holds neither heads nor events", path);
}

int qpw_log_heads_load(struct qpw_log_heads *h, const char *path, struct qpw_error *err)
{
    QPW_CLEANUP(qpw_freep) char *bytes = NULL;
    QPW_CLEANUP(qpw_closep) int fd = qpw_file_open(path, err);
    size_t length;
    int r;

    if (fd < 0)
        return fd;
    r = qpw_file_bytes(fd, QPW_LOG_HEADS_BYTES, &bytes, &length);
    if (r < 0)
        return qpw_fail(err, r, "%s: %s", path, strerror(-r));
    if (length > QPW_LOG_HEADS_BYTES || memchr(bytes, '\0', length))
        return qpw_fail(err, -EINVAL, "%s: is not a file of heads or events kept by a peer", path);
    return take_lines(h, path, bytes, err);
}

static int by_number(const void *a, const void *b)
{
    const struct qpw_log_head *x = a, *y = b;

    return (x->chain.number > y->chain.number) - (x->chain.number < y->chain.number);
}

void qpw_log_heads_sort(struct qpw_log_heads *h)
{
    if (h->n)
        qsort(h->heads, h->n, sizeof(*h->heads), by_number);
}

void qpw_log_heads_see(struct qpw_log_heads *h, const struct qpw_log_chain *record)
{
    size_t low = 0, high = h->n;

    while (low < high) { /* the first of that number */
        size_t middle = low + (high - low) / 2;

        if (h->heads[middle].chain.number < record->number)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < h->n && h->heads[low].chain.number == record->number; low++)
        h->heads[low].found |= !strcmp(h->heads[low].chain.sum, record->sum);
}

const struct qpw_log_head *qpw_log_heads_missing(const struct qpw_log_heads *h, uint64_t first, size_t *ret_missing, size_t *ret_older)
{
    const struct qpw_log_head *ret = NULL;

    *ret_missing = *ret_older = 0;
    for (size_t i = 0; i < h->n; i++) {
        if (h->heads[i].chain.number < first) {
            ++*ret_older;
        } else if (!h->heads[i].found) {
            ret = ret ? ret : &h->heads[i];
            ++*ret_missing;
        }
    }
    return ret;
}

void qpw_log_heads_clear(struct qpw_log_heads *h)
{
    free(h->heads);
    *h = (struct qpw_log_heads){0};
}
