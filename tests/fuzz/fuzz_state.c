/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_state.c - any bytes in serve's state directory: an error in one line, or something that can be shown and written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "alert/found.h"
#include "cluster/status.h"
#include "words/cluster_status.h"

#define NOW_NS 1767225600000000000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(int r, const struct qpw_error *err)
{
    if (r < 0 && (!*err->text || strchr(err->text, '\n')))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FILE *out = fopen("/dev/null", "w");
    struct qpw_printer printer = {.out = out, .width = 80, .indent = 2, .label = 12};
    struct qpw_cluster_status status;
    struct qpw_found_list found;
    struct qpw_error err = {""};
    json_t *document;
    int r = qpw_found_read((const char *)data, size, &found, &err);

    check_error(r, &err);
    document = r == 0 ? qpw_found_json(&found) : NULL;
    if (r == 0 && !document)
        abort();
    json_decref(document);
    qpw_found_clear(&found);
    r = qpw_cluster_status_read((const char *)data, size, &status, &err);
    check_error(r, &err);
    if (r == 0 && qpw_cluster_status_text(&status, NOW_NS, &printer) < 0)
        abort();
    document = r == 0 ? qpw_cluster_status_file(&status) : NULL;
    if (r == 0 && !document)
        abort();
    json_decref(document);
    qpw_cluster_status_clear(&status);
    fclose(out);
    return 0;
}
