/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "host/rights.h"
#include "instance/kernel_words.h"
#include "metrics/metrics.h"
#include "status/status.h"
#include "util/output.h"
#include "util/usage.h"

#define FILE_NAME "qportwatch.prom"

enum { KEY_TEXTFILE = 0x500 };

static const struct argp_option options_table[] = {
    {"textfile", KEY_TEXTFILE, "DIR", 0,
     "Write DIR/" FILE_NAME " in one step, for the textfile collector of node_exporter, in place of standard output", 0},
    {0},
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
    const char **folder = state->input;

    if (key != KEY_TEXTFILE)
        return ARGP_ERR_UNKNOWN;
    *folder = value;
    return 0;
}

/*
 * Write all metrics. *ret_status: the exit status if writing succeeds. Returns 0, or a negative errno with err filled.
 */
static int write_all(FILE *out, int *ret_status, struct qpw_error *err)
{
    struct qpw_report report;
    struct qpw_status status;
    int r = qpw_status_gather(&status, err);

    if (r == -ENOENT) {
        fprintf(stderr, "qportwatch metrics: %s\n", err->text);
        *ret_status = QPW_EXIT_YES;
        return qpw_metrics_write_nothing(out);
    }
    if (r < 0)
        return r;
    r = qpw_report_make(&status.snapshot, 0, &report);
    if (r == 0) {
        r = qpw_metrics_write(&(struct qpw_metrics){&report, status.policy_state == QPW_POLICY_CURRENT, status.alerts}, out);
        qpw_report_clear(&report);
    }
    qpw_status_clear(&status);
    return r < 0 ? qpw_fail(err, r, "the metrics cannot be written: %s", strerror(-r)) : 0;
}

/* Write to a file in the collector's folder, or to standard output where that is NULL. */
static int write_metrics(const char *folder, int *ret_status, struct qpw_error *err)
{
    struct qpw_output output;
    char path[PATH_MAX];
    int r;

    if (folder && snprintf(path, sizeof(path), "%s/%s", folder, FILE_NAME) >= (int)sizeof(path))
        return qpw_fail(err, -ENAMETOOLONG, "--textfile: the name of the folder is too long");
    r = qpw_output_open(folder ? path : NULL, &output, err);
    if (r < 0)
        return r;
    r = write_all(output.file, ret_status, err);
    if (r < 0) {
        qpw_output_close(&output, /* keep= */ false, NULL);
        return r;
    }
    if (folder)
        fchmod(fileno(output.file), 0644); /* the collector runs as another user */
    return qpw_output_close(&output, /* keep= */ true, err) < 0 ? -EIO : 0;
}

int qpw_cmd_metrics(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options_table, .parser = take_option,
        .doc = "Counters, findings and the state of the audit in the text format of Prometheus. Exit status 3: nothing is attached, "
               "which the metrics say."};
    const char *folder = NULL;
    struct qpw_error err;
    int r, status = QPW_EXIT_OK;

    qpw_arguments_parse(&argp, argc, argv, &folder);
    qpw_quiet_libbpf();
    r = qpw_rights_check(&err);
    if (r == 0)
        r = write_metrics(folder, &status, &err);
    if (r < 0)
        fprintf(stderr, "qportwatch metrics: %s\n", err.text);
    return r < 0 ? QPW_EXIT_FAILED : status;
}
