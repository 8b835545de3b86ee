/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * message.h - the messages on the control socket, for both ends: one JSON object a message, one request, one answer.
 *
 *   request  {"schema": "qportwatch.control/1", "request": NAME, …members of that request}
 *   answer   {"schema": "qportwatch.control/1", "status": exit status, "error": reason (status not 0), …members}
 *
 * Requests: ack, alerts, detach, differs, reload, status; auditor/requests.c defines their members and answers. Readers
 * ignore unknown members, so a new one needs no new schema. Nothing here uses a socket: see control.h.
 */
#ifndef QPW_CONTROL_MESSAGE_H
#define QPW_CONTROL_MESSAGE_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define QPW_CONTROL_SCHEMA "qportwatch.control/1"
#define QPW_CONTROL_BYTES 65536u /* maximum length of a message */

/* Make a request or an answer without further members. error may be NULL. The caller owns it; NULL: out of memory. */
json_t *qpw_request_new(const char *name);
json_t *qpw_answer_new(enum qpw_exit status, const char *error);

/* Write a message as text, without a terminator. Return its length, or -EMSGSIZE if it does not fit into size. */
ssize_t qpw_message_write(const json_t *message, char *buf, size_t size);

/* Parse an object of our schema. Return 0, with *ret owned by the caller, or -EBADMSG with err filled. */
int qpw_message_read(const char *bytes, size_t length, json_t **ret, struct qpw_error *err);

/* Return the name of a request, inside the message. NULL: not a request. */
const char *qpw_request_name(const json_t *message);

/* Return the exit status of an answer, with the reason in err if not 0; -EBADMSG with err filled: not an answer. */
int qpw_answer_status(const json_t *message, struct qpw_error *err);

/*
 * Convert an interface name, which may be any bytes: a string, or an array of bytes if it is not UTF-8. Reading: return
 * 0, or -EBADMSG if it is neither or does not fit.
 */
json_t *qpw_message_name(const char *name);
int qpw_message_read_name(const json_t *value, char *ret, size_t size);

#endif
