/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * message.h - what is said on the control socket, for both ends: one JSON object a message, one request, one answer.
 *
 *   request  {"schema": "qportwatch.control/1", "request": NAME, …members of that request}
 *   answer   {"schema": "qportwatch.control/1", "status": exit status, "error": why (status not 0), …members}
 *
 * Requests: ack, alerts, detach, differs, reload, status; auditor/requests.c has what each takes and answers. Members that a reader
 * does not know are ignored, so one may be added without a new schema. Nothing here touches a socket: see control.h.
 */
#ifndef QPW_CONTROL_MESSAGE_H
#define QPW_CONTROL_MESSAGE_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

#define QPW_CONTROL_SCHEMA "qportwatch.control/1"
#define QPW_CONTROL_BYTES 65536u /* the longest message */

/* A request or an answer without further members. error may be NULL. The caller's; NULL: out of memory. */
json_t *qpw_request_new(const char *name);
json_t *qpw_answer_new(enum qpw_exit status, const char *error);

/* Writes a message as text, without a terminator. Its length, or -EMSGSIZE where it does not fit into size. */
ssize_t qpw_message_write(const json_t *message, char *buf, size_t size);

/* Reads an object of our schema. 0 and *ret the caller's, or -EBADMSG with err saying what is wrong with it. */
int qpw_message_read(const char *bytes, size_t length, json_t **ret, struct qpw_error *err);

/* The name of a request, in the message. NULL: it is none. */
const char *qpw_request_name(const json_t *message);

/* The exit status an answer gives, in err why where it is not 0; -EBADMSG with err filled: it is no answer. */
int qpw_answer_status(const json_t *message, struct qpw_error *err);

/*
 * The name of an interface, which may be any bytes: a string, or where it is no UTF-8 an array of its bytes.
 * Reading: 0, or -EBADMSG where it is none of both or does not fit.
 */
json_t *qpw_message_name(const char *name);
int qpw_message_read_name(const json_t *value, char *ret, size_t size);

#endif
