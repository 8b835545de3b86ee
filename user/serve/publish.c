/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "serve/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "metrics/openmetrics.h"

void qpw_publish_statement(struct qpw_listen *l, const char *path, char ret_loaded[QPW_PUBLISH_LOADED])
{
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *epoch = json_string_value(json_object_get(document, "epoch"));
    const char *loaded = json_string_value(json_object_get(json_object_get(document, "policy"), "loaded"));
    json_int_t seq = json_integer_value(json_object_get(document, "seq"));
    char etag[128], *whole = NULL, *without = NULL;

    snprintf(ret_loaded, QPW_PUBLISH_LOADED, "%s", loaded ? loaded : "");
    if (epoch) {
        snprintf(etag, sizeof(etag), "%s-%" JSON_INTEGER_FORMAT, epoch, seq);
        whole = json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);
        json_object_del(document, "samples");
        without = json_dumps(document, JSON_COMPACT | JSON_ENSURE_ASCII);
    }
    if (whole && without) {
        qpw_listen_publish(l, QPW_SERVED_SAMPLES, whole, strlen(whole), etag);
        qpw_listen_publish(l, QPW_SERVED_STATEMENT, without, strlen(without), etag);
    }
    free(whole);
    free(without);
    json_decref(document);
}

static int add_counts(const struct qpw_listen *l, FILE *out)
{
    const uint64_t *counts = qpw_listen_counts(l);

    fputs("# HELP qportwatch_serve_requests_total Requests and connections of peers and readers, by how they ended.\n"
          "# TYPE qportwatch_serve_requests_total counter\n", out);
    for (unsigned i = 0; i < QPW_ANSWER_COUNT; i++)
        fprintf(out, "qportwatch_serve_requests_total{result=\"%s\"} %" PRIu64 "\n", qpw_answer_kind_name(i), counts[i]);
    return ferror(out);
}

static void publish_both_metrics(struct qpw_listen *l, const char *text, size_t length)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    int r = out ? qpw_openmetrics_write(text, out) : -ENOMEM;

    qpw_listen_publish(l, QPW_SERVED_METRICS, text, length, "");
    if (out && fclose(out) == 0 && r == 0)
        qpw_listen_publish(l, QPW_SERVED_OPENMETRICS, bytes, size, "");
    free(bytes);
}

void qpw_publish_metrics(struct qpw_listen *l, const char *path)
{
    gnutls_datum_t text = {0};
    char *bytes = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&bytes, &length);

    if (!out)
        return;
    if (gnutls_load_file(path, &text) == 0)
        fwrite(text.data, 1, text.size, out);
    gnutls_free(text.data);
    if (add_counts(l, out) == 0 && fclose(out) == 0)
        publish_both_metrics(l, bytes, length);
    free(bytes);
}

void qpw_publish_nothing(struct qpw_listen *l)
{
    qpw_listen_publish(l, QPW_SERVED_SAMPLES, NULL, 0, "");
    qpw_listen_publish(l, QPW_SERVED_STATEMENT, NULL, 0, "");
}
