/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The control socket: who connects and says nothing holds nobody up. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/control.h"
#include "auditor/internal.h"
#include "auditor.h"

TestSuite(control, .timeout = NETNS_TIMEOUT_S);

#define SILENT (QPW_CLIENTS + 8)
#define ANSWER_SECONDS 5 /* far more than an answer takes, far less than waiting for every silent client would */

Test(control, silent_clients_hold_nobody_up)
{
    int fds[SILENT], status = -1;
    struct netns here = netns_here();
    struct qpw_error err = {""};
    char text[QPW_CONTROL_BYTES];
    struct node n;

    netns_first_in_line(); /* who speaks late here speaks before the auditor's patience ends */
    node_open(&n);
    node_attach(&n, "node0 --mode tc");
    netns_enter(&n.node);
    for (unsigned i = 0; i < SILENT; i++)
        cr_assert_eq(qpw_control_connect(&fds[i], NULL, &err), 0, "%s", err.text);
    cr_assert_eq(qpw_control_ask("status\n", ANSWER_SECONDS, &status, text, sizeof(text), NULL, &err), 0, "%s",
                 err.text);
    cr_expect_eq(status, 0);
    cr_expect(strstr(text, "1 interfaces"), "%s", text);
    for (unsigned i = 0; i < SILENT - QPW_CLIENTS; i++)
        cr_expect_eq(qpw_control_receive(fds[i], text, sizeof(text)), 0, "client %u is let go: others came", i);
    cr_expect_eq(qpw_control_send(fds[SILENT - 1], "status\n"), 0, "the last one speaks late, and is heard");
    cr_expect_gt(qpw_control_receive(fds[SILENT - 1], text, sizeof(text)), 0);
    cr_expect(strstr(text, "0\n1 interfaces"), "%s", text);
    cr_expect_eq(qpw_control_receive(fds[SILENT - 2], text, sizeof(text)), 0, "silent for too long");
    for (unsigned i = 0; i < SILENT; i++)
        close(fds[i]);
    netns_enter(&here);
    netns_close(&here);
    cr_expect_eq(node_stop(&n, SIGTERM), 0);
    node_nothing_left(&n);
    node_close(&n);
}
