/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * fuzz_events.c - any bytes as a peer's events, as the end of a file of them, as heads of its log, as the parameters of a
 * request: what is kept is whole lines and harmless text, what is not is an error in one line.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "alert/log/heads.h"
#include "metrics/openmetrics.h"
#include "serve/heard.h"
#include "serve/outbox.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Text for people may not steer a terminal. */
static void check_text(const char *text)
{
    char clean[256];

    snprintf(clean, sizeof(clean), "%s", text);
    if (strcmp(qpw_text_clean(clean), text))
        abort();
}

static void take_lines(const char *bytes, size_t length)
{
    struct qpw_heard heard = {0};
    struct qpw_error err = {""};
    size_t kept;

    qpw_log_chain_init(&heard.chain);
    for (int i = 0; i < 2; i++) {
        enum qpw_heard_result result = qpw_heard_take(&heard, bytes, length, "boot:1", &kept, &err);

        if (kept > length || (kept && bytes[kept - 1] != '\n') || (result == QPW_HEARD_KEEP) != (kept > 0) ||
            (result == QPW_HEARD_INVALID && (!*err.text || strchr(err.text, '\n'))))
            abort();
        check_text(heard.newest.text);
    }
    heard = (struct qpw_heard){0};
    qpw_heard_recall(&heard, bytes, length);
    check_text(heard.newest.text);
}

static void take_heads(const char *bytes, size_t length)
{
    struct qpw_log_heads heads = {0};
    struct qpw_error err = {""};
    size_t missing, older;
    char path[64];
    int fd = memfd_create("heads", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (qpw_log_heads_load(&heads, path, &err) < 0 && (!*err.text || strchr(err.text, '\n')))
        abort();
    qpw_log_heads_sort(&heads);
    qpw_log_heads_missing(&heads, 1, &missing, &older);
    qpw_log_heads_clear(&heads);
    close(fd);
}

static void take_parameters(const char *text)
{
    char copy[96], epoch[QPW_LOG_EVENTS_EPOCH], *save = NULL;
    struct qpw_outbox_query query;
    uint64_t after;

    snprintf(copy, sizeof(copy), "%s", text);
    char *first = strtok_r(copy, "&", &save), *second = strtok_r(NULL, "&", &save), *third = strtok_r(NULL, "&", &save);

    if (qpw_outbox_query(first, second, third, &query) == 0 && (query.wait_s > QPW_OUTBOX_WAIT_S || !query.limit || query.limit > QPW_OUTBOX_LIMIT))
        abort();
    if (qpw_log_events_head(text, strlen(text), epoch, &after) && !*epoch)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FILE *out = fopen("/dev/null", "w");

    memcpy(text, data, size);
    text[size] = '\0';
    take_lines((const char *)data, size);
    take_heads((const char *)data, size);
    take_parameters(text);
    qpw_openmetrics_write(text, out);
    qpw_openmetrics_accepted(text);
    fclose(out);
    free(text);
    return 0;
}
