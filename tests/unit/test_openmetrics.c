/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Metrics as OpenMetrics 1.0: families without "_total", an end mark, and who gets them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "metrics/openmetrics.h"

static const char *written(const char *text)
{
    static char out[1024];
    FILE *file = fmemopen(out, sizeof(out), "w");

    cr_assert_eq(qpw_openmetrics_write(text, file), 0);
    fclose(file);
    return out;
}

Test(openmetrics, families_have_no_total)
{
    cr_expect_str_eq(written("# HELP a_total All of a_total.\n# TYPE a_total counter\na_total{x=\"# TYPE b_total counter\"} 1\n"
                             "# comment\n\n# TYPE b gauge\nb 2"),
                     "# HELP a All of a_total.\n# TYPE a counter\na_total{x=\"# TYPE b_total counter\"} 1\n# TYPE b gauge\nb 2\n# EOF\n");
    cr_expect_str_eq(written("# TYPE odd counter\nodd 1\n"), "# TYPE odd unknown\nodd 1\n# EOF\n");
    cr_expect_str_eq(written(""), "# EOF\n");

}

Test(openmetrics, go_to_those_that_read_them)
{
    cr_expect(qpw_openmetrics_accepted("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                                       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
    cr_expect(qpw_openmetrics_accepted("application/openmetrics-text"));
    cr_expect_not(qpw_openmetrics_accepted(NULL));
    cr_expect_not(qpw_openmetrics_accepted("*/*"));
    cr_expect_not(qpw_openmetrics_accepted("text/plain;version=0.0.4"));
    cr_expect_not(qpw_openmetrics_accepted("application/openmetrics-text;version=0.0.1"));
    cr_expect_not(qpw_openmetrics_accepted("application/openmetrics-text;q=0"));
}
