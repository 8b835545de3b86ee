/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* read_internal.h - values of a foreign document, each checked; internal to read*.c. */
#ifndef QPW_CLUSTER_READ_INTERNAL_H
#define QPW_CLUSTER_READ_INTERNAL_H

#include "cluster/statement.h"

struct qpw_reader {
    struct qpw_error *err;
    const char *source;
    bool failed; /* err says what is wrong first */
    bool no_memory;
};

/* Note the first fault. what: which part of the document; why: the rest of the sentence. Returns false. */
bool qpw_reader_fail(struct qpw_reader *r, const char *what, const char *why);

/*
 * One value into *ret, which is empty or 0 where there is none or it is null; an address has to be there. False: it is of
 * another type, and that was noted. Texts are free of what could steer a terminal, and cut to size.
 */
bool qpw_reader_text(struct qpw_reader *r, const json_t *value, const char *what, char *ret, size_t size);
bool qpw_reader_number(struct qpw_reader *r, const json_t *value, const char *what, uint64_t *ret);
bool qpw_reader_bool(struct qpw_reader *r, const json_t *value, const char *what, bool *ret);
bool qpw_reader_time(struct qpw_reader *r, const json_t *value, const char *what, uint64_t *ret);
bool qpw_reader_address(struct qpw_reader *r, const json_t *value, const char *what, uint8_t ret[16]);
bool qpw_reader_mac(struct qpw_reader *r, const json_t *value, const char *what, uint8_t ret[6]);

/* Protocol and port of a row that begins with them; its direction stays empty. */
bool qpw_reader_service(struct qpw_reader *r, const json_t *row, const char *what, struct qpw_stated_service *ret);

/* Everything of a document that is a statement. */
void qpw_reader_document(struct qpw_reader *r, const json_t *document, struct qpw_statement *ret);

#endif
