/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* key.h - the key that a node proves itself by, and its pin: SHA-256 of the SubjectPublicKeyInfo (RFC 7469, section 2.4). */
#ifndef QPW_SERVE_KEY_H
#define QPW_SERVE_KEY_H

#include <gnutls/gnutls.h>

#include "policy/lang/policy.h"
#include "util/error.h"

#define QPW_KEY_FILE "key.pem"
#define QPW_CERTIFICATE_FILE "certificate.pem"
#define QPW_SERVE_GROUP "qportwatch-serve" /* of the service's user, who must read the key */

/*
 * Make a P-256 key (mode 0600; 0640 for QPW_SERVE_GROUP, where there is one) and a self-signed certificate of it for that
 * name in the folder, which is created if necessary. Files that exist are kept. *ret_made: whether they were made. Return 0 with the certificate's pin; or a
 * negative errno with err filled.
 */
int qpw_key_make(const char *folder, const char *name, bool *ret_made, char ret_pin[QPW_KEY_LEN], struct qpw_error *err);

/* Load a file of PEM as text, which the caller clears. Return 0 or a negative errno with err filled. */
int qpw_key_load(const char *path, gnutls_datum_t *ret, struct qpw_error *err);

/* Overwrite and free a text, which may be secret; an empty one is fine. */
void qpw_key_clear(gnutls_datum_t *text);

/* Write the pin of a certificate (DER). Return 0 or -EINVAL: it is none. */
int qpw_key_pin(const gnutls_datum_t *certificate, char ret_pin[QPW_KEY_LEN]);

#endif
