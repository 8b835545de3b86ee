/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "metrics/openmetrics.h"
#include "serve/listen_internal.h"

void qpw_listen_release(void *data)
{
    struct document *d = data;

    if (!d || --d->users)
        return;
    qpw_listen_release(d->gzip);
    free(d);
}

/* Compress it, quickly rather than well: statements shrink to a tenth either way. NULL: it is not smaller. */
static struct document *compress_document(const struct document *d)
{
    size_t most = d->length / 2 + 64;
    struct document *gzip = malloc(sizeof(*gzip) + most);
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)d->bytes, .avail_in = (uInt)d->length};
    bool done = gzip && deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;

    if (done) {
        *gzip = (struct document){.users = 1};
        z.next_out = (unsigned char *)gzip->bytes;
        z.avail_out = (uInt)most;
        done = deflate(&z, Z_FINISH) == Z_STREAM_END;
        gzip->length = most - z.avail_out;
        deflateEnd(&z);
    }
    if (done)
        return gzip;
    free(gzip);
    return NULL;
}

/* Return the document in the form that this client reads. */
static struct document *form_for(struct MHD_Connection *c, struct document *d)
{
    const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);

    if (!accept || !strstr(accept, "gzip") || strstr(accept, "gzip;q=0"))
        return d;
    if (!d->tried)
        d->gzip = compress_document(d);
    d->tried = true;
    return d->gzip ? d->gzip : d;
}

int qpw_listen_publish(struct qpw_listen *l, enum qpw_served which, const char *bytes, size_t length, const char *etag)
{
    struct document *d = NULL;

    if (bytes) {
        d = malloc(sizeof(*d) + length);
        if (!d)
            return -ENOMEM;
        *d = (struct document){.users = 1, .length = length};
        snprintf(d->etag, sizeof(d->etag), "%s", etag);
        memcpy(d->bytes, bytes, length);
    }
    qpw_listen_release(l->served[which]);
    l->served[which] = d;
    return 0;
}

enum MHD_Result qpw_listen_document(struct qpw_listen *l, struct MHD_Connection *c, enum qpw_served which)
{
    static const char *const types[QPW_SERVED_COUNT] = {
        [QPW_SERVED_STATEMENT] = "application/json", [QPW_SERVED_SAMPLES] = "application/json",
        [QPW_SERVED_METRICS] = QPW_METRICS_TYPE, [QPW_SERVED_OPENMETRICS] = QPW_OPENMETRICS_TYPE};
    const char *known = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    struct document *d = l->served[which], *form = d;
    struct MHD_Response *response;
    char etag[sizeof(d->etag) + 2];
    bool same;

    if (!d)
        return qpw_listen_refuse(l, c, QPW_ANSWER_NOT_READY, MHD_HTTP_SERVICE_UNAVAILABLE);
    snprintf(etag, sizeof(etag), "\"%s\"", d->etag);
    same = known && *d->etag && !strcmp(known, etag);
    if (same) {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    } else {
        form = form_for(c, d);
        response = MHD_create_response_from_buffer_with_free_callback_cls(form->length, form->bytes, qpw_listen_release, form);
        form->users += response != NULL;
    }
    if (response && form != d)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
    if (response && *d->etag)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
    return qpw_listen_finish(l, c, same ? QPW_ANSWER_UNCHANGED : QPW_ANSWER_OK, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response,
                  types[which]);
}
