/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cmd/reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "control/control.h"
#include "control/message.h"

#define SECONDS 70 /* the auditor ends the command before */

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-?") || !strcmp(argv[i], "--usage"))
            return true;
    return false;
}

static int fail(const char *name, const char *why)
{
    fprintf(stderr, "qportwatch %s: %s\n", name, why);
    return QPW_EXIT_FAILED;
}

static int ask(int fd, int argc, char **argv)
{
    struct timeval patience = {.tv_sec = SECONDS};
    json_t *request = qpw_request_new("show"), *words = json_array(), *answer = NULL;
    struct qpw_error err = {""};
    int r;

    for (int i = 0; i < argc; i++)
        json_array_append_new(words, json_string(argv[i]));
    json_object_set_new(request, "words", words);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    r = qpw_control_send_with(fd, request, (int[]){STDOUT_FILENO, STDERR_FILENO});
    json_decref(request);
    if (r == 0)
        r = qpw_control_receive(fd, &answer, NULL, &err);
    if (r < 0)
        return fail(argv[0], *err.text ? err.text : "the auditor did not answer");
    r = qpw_answer_status(answer, &err);
    r = r == QPW_EXIT_OK ? (int)json_integer_value(json_object_get(answer, "ended")) : fail(argv[0], err.text);
    json_decref(answer);
    return r;
}

int qpw_reader_run(int argc, char **argv)
{
    struct qpw_error err;
    int fd, r;

    if (geteuid() == 0 || asks_for_help(argc, argv) || qpw_control_connect(&fd, NULL, &err) < 0)
        return -1;
    r = ask(fd, argc, argv);
    close(fd);
    return r;
}
