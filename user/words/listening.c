/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "words/listening.h"

#include <netinet/in.h>

#include "util/names.h"
#include "words/printer.h"
#include "words/words.h"

const char *qpw_words_listener_address(const struct qpw_listener *l, char *buf, size_t size)
{
    char address[INET6_ADDRSTRLEN];
    const char *text;

    if (!IN6_IS_ADDR_UNSPECIFIED((const struct in6_addr *)l->address))
        text = qpw_address_text(l->address, address, sizeof(address));
    else
        text = l->v4 && l->v6 ? "any" : l->v6 ? "any IPv6" : "any IPv4";
    return qpw_format(buf, size, "%s%s%s", text, l->device[0] ? "%" : "", l->device);
}

const char *qpw_words_listener_asked(const struct qpw_listening *l, const struct qpw_listening_row *row, uint64_t now_ns,
                                     char *buf, size_t size)
{
    if (!l->counted)
        return "";
    if (!row->asked)
        return "never";
    return row->last_asked_unix_ns ? qpw_words_moment(row->last_asked_unix_ns, now_ns, buf, size) : "yes";
}

const char *qpw_words_listener_verdict(const struct qpw_listening_row *row)
{
    return row->loopback ? "loopback"
         : row->owner_word == QPW_OWNER_OTHER ? QPW_MISMATCH_WORD : qpw_listening_word(row->verdict);
}
