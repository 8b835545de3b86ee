/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fuzz_control.c - any bytes as a control message: an error in one line, or a message read the same when written again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/changelist.h"
#include "control/message.h"
#include "control/policy_args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(int r, const struct qpw_error *err)
{
    if (r < 0 && (!*err->text || strchr(err->text, '\n')))
        abort();
}

/* What is read as policy options is written the same. */
static void policy(const json_t *args)
{
    struct qpw_policy_options options;
    struct qpw_error err = {""};
    json_t *again;
    int r = json_is_object(args) ? qpw_policy_args_read(args, &options, &err) : -EINVAL;

    if (r < 0) {
        if (json_is_object(args))
            check_error(r, &err);
        return;
    }
    again = qpw_policy_args_over(args, args);
    if (!again || !json_equal(again, args))
        abort();
    json_decref(again);
    qpw_policy_options_clear(&options);
}

static void changes(const json_t *message)
{
    struct qpw_changelist list;
    char text[256];

    if (qpw_changelist_read(message, &list) < 0)
        return;
    if (strlen(qpw_changelist_text(&list, text, sizeof(text))) >= sizeof(text))
        abort();
    qpw_changelist_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char buf[QPW_CONTROL_BYTES];
    struct qpw_error err = {""};
    json_t *message, *again;
    char name[16];
    ssize_t length;
    int r = qpw_message_read((const char *)data, size, &message, &err);

    check_error(r, &err);
    if (r < 0)
        return 0;
    r = qpw_answer_status(message, &err);
    if (r < 0 ? r != -EBADMSG : r > QPW_EXIT_YES)
        abort();
    qpw_message_read_name(json_object_get(message, "interfaces"), name, sizeof(name));
    policy(json_object_get(message, "policy"));
    changes(message);
    length = qpw_message_write(message, buf, sizeof(buf));
    if (length > 0 && (qpw_message_read(buf, length, &again, &err) < 0 || !json_equal(message, again)))
        abort();
    if (length > 0)
        json_decref(again);
    json_decref(message);
    return 0;
}
