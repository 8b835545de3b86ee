/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/in.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "serve/key.h"
#include "serve/listen_internal.h"

static bool has_key(const struct qpw_keys *keys, const char *pin)
{
    for (size_t i = 0; i < keys->n; i++)
        if (!strcmp(keys->text[i], pin))
            return true;
    return false;
}

static bool find_pin(const struct qpw_policy *policy, const char *pin, struct qpw_asker *ret)
{
    for (size_t i = 0; i < policy->n_peers; i++)
        if (has_key(&policy->peers[i].keys, pin)) {
            *ret = (struct qpw_asker){policy->peers[i].name, &policy->peers[i].addresses, true};
            return true;
        }
    for (size_t i = 0; i < policy->n_readers; i++)
        if (has_key(&policy->readers[i].keys, pin)) {
            *ret = (struct qpw_asker){policy->readers[i].name, &policy->readers[i].addresses, false};
            return true;
        }
    return false;
}

/* Find the peer that a certificate of the cluster's authority names. */
static bool find_certified(const struct qpw_policy *policy, gnutls_session_t session, const gnutls_datum_t *der, struct qpw_asker *ret)
{
    gnutls_x509_crt_t certificate;
    unsigned status = 0;
    bool found = false;

    if (gnutls_certificate_verify_peers2(session, &status) < 0 || status || gnutls_x509_crt_init(&certificate) < 0)
        return false;
    if (gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) == 0)
        for (size_t i = 0; i < policy->n_peers && !found; i++)
            if (gnutls_x509_crt_check_hostname2(certificate, policy->peers[i].name, GNUTLS_VERIFY_DO_NOT_ALLOW_WILDCARDS)) {
                *ret = (struct qpw_asker){policy->peers[i].name, &policy->peers[i].addresses, true};
                found = true;
            }
    gnutls_x509_crt_deinit(certificate);
    return found;
}

static void address_of(const struct sockaddr *from, uint8_t ret[16])
{
    memset(ret, 0, 16);
    if (from->sa_family == AF_INET6) {
        memcpy(ret, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
    } else {
        ret[10] = ret[11] = 0xff;
        memcpy(ret + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
    }
}

enum qpw_answer_kind qpw_listen_identify(const struct qpw_listen *l, struct MHD_Connection *c, struct qpw_asker *ret)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_session_t session = info ? info->tls_session : NULL;
    const gnutls_datum_t *list;
    char pin[QPW_KEY_LEN];
    uint8_t from[16];
    unsigned n = 0;

    list = session ? gnutls_certificate_get_peers(session, &n) : NULL;
    if (!list || !n)
        return QPW_ANSWER_NO_KEY;
    if (qpw_key_pin(&list[0], pin) < 0)
        return QPW_ANSWER_WRONG_KEY;
    if (!find_pin(l->policy, pin, ret) && !(l->by_ca && find_certified(l->policy, session, &list[0], ret)))
        return QPW_ANSWER_WRONG_KEY;
    info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info)
        return QPW_ANSWER_WRONG_ADDRESS;
    address_of(info->client_addr, from);
    return qpw_addresses_contain(ret->addresses, from) ? QPW_ANSWER_OK : QPW_ANSWER_WRONG_ADDRESS;
}
