/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "facts/select.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/names.h"
#include "util/near.h"

/* Minimum length of an abbreviated direction; fewer letters are ambiguous. */
#define LEAST_LETTERS 2

static int parse_direction(const char *word, uint8_t *ret)
{
    static const enum qpw_direction known[] = {QPW_DIR_INBOUND, QPW_DIR_OUTBOUND, QPW_DIR_UNKNOWN};
    size_t length = strlen(word);

    for (size_t i = 0; length >= LEAST_LETTERS && i < sizeof(known) / sizeof(*known); i++)
        if (!strncmp(qpw_direction_name(known[i]), word, length)) {
            *ret = (uint8_t)known[i];
            return 0;
        }
    return -EINVAL;
}

/* Parse "tcp/4444", "icmp/8" or "ip/47". */
static int parse_service(const char *word, struct qpw_selection *ret)
{
    const char *slash = strchr(word, '/');
    size_t length = slash ? (size_t)(slash - word) : 0;
    unsigned long number;
    char *end;

    if (!length || !isdigit((unsigned char)slash[1]))
        return -EINVAL;
    number = strtoul(slash + 1, &end, 10);
    if (*end || number > 65535)
        return -EINVAL;
    if (length == 2 && !strncmp(word, "ip", 2)) {
        ret->kind = QPW_KIND_PROTOCOL;
        ret->protocol = (uint8_t)number;
        return number < 256 ? 0 : -EINVAL;
    }
    for (unsigned protocol = 0; protocol < 256; protocol++) {
        const char *name = qpw_protocol_name(protocol);

        if (!name || strlen(name) != length || strncmp(name, word, length))
            continue;
        ret->kind = protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6 ? QPW_KIND_ICMP : QPW_KIND_PORT;
        ret->protocol = (uint8_t)protocol;
        ret->port = (uint16_t)number;
        return ret->kind == QPW_KIND_PORT || number < 256 ? 0 : -EINVAL;
    }
    return -EINVAL;
}

static int parse_number(const char *word, uint64_t *ret)
{
    char *end;

    if (!isdigit((unsigned char)*word))
        return -EINVAL;
    errno = 0;
    *ret = strtoull(word, &end, 10);
    return errno || *end || !*ret ? -EINVAL : 0;
}

/* Return the end of an error message, with the nearest known word if there is one. */
static const char *give(const struct qpw_near *near, char *buf, size_t size)
{
    snprintf(buf, size, "; give ");
    if (near->best)
        snprintf(buf, size, "; did you mean '%.16s'? Give ", near->best);
    return buf;
}

static const char *near_direction(const char *word, char *buf, size_t size)
{
    const char *const known[] = {"in", "out", "inbound", "outbound", "unknown"};
    struct qpw_near near = qpw_near_to(word, strlen(word));

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        qpw_near_offer(&near, known[i]);
    return give(&near, buf, size);
}

static const char *near_protocol(const char *word, char *buf, size_t size)
{
    struct qpw_near near = qpw_near_to(word, strcspn(word, "/"));

    for (unsigned protocol = 0; protocol < 256; protocol++)
        qpw_near_offer(&near, qpw_protocol_name(protocol));
    if (near.best && strchr(word, '/')) /* keep the port or type as given */
        snprintf(buf, size, "; did you mean '%.16s%.8s'? Give ", near.best, strchr(word, '/'));
    else
        give(&near, buf, size);
    return buf;
}

int qpw_selection_parse(const char *const *words, size_t n, struct qpw_selection *ret, struct qpw_error *err)
{
    struct qpw_selection s = {0};
    char hint[64];

    if (n == 1 && parse_number(words[0], &s.flow_id) == 0) {
        *ret = s;
        return 0;
    }
    if (n < 2 || n > 4)
        return qpw_fail(err, -EINVAL, "which finding? give " QPW_SELECTION_USAGE);
    if (parse_direction(words[0], &s.direction) < 0)
        return qpw_fail(err, -EINVAL, "'%s' is not a direction (in, out, unknown)%s" QPW_SELECTION_USAGE, words[0],
                        near_direction(words[0], hint, sizeof(hint)));
    s.any_service = !strcmp(words[1], "any");
    if (s.any_service && n == 2)
        return qpw_fail(err, -EINVAL, "'any' needs the address of the INITIATOR; give " QPW_SELECTION_USAGE);
    if (!s.any_service && parse_service(words[1], &s) < 0)
        return qpw_fail(err, -EINVAL, "'%s' is not a service such as tcp/9100, icmp/8 or ip/47%s" QPW_SELECTION_USAGE,
                        words[1], near_protocol(words[1], hint, sizeof(hint)));
    s.has_initiator = n > 2;
    s.has_responder = n > 3;
    for (size_t i = 2; i < n; i++)
        if (qpw_address_parse(words[i], i == 2 ? s.initiator : s.responder) < 0)
            return qpw_fail(err, -EINVAL, "'%s' is not an address; give " QPW_SELECTION_USAGE, words[i]);
    *ret = s;
    return 0;
}

bool qpw_selection_is_single(const struct qpw_selection *s)
{
    return s->flow_id || (s->direction == QPW_DIR_OUTBOUND ? s->has_responder : s->has_initiator);
}

bool qpw_selection_has(const struct qpw_selection *s, const struct qpw_finding_row *f)
{
    if (s->flow_id)
        return f->flow_id == s->flow_id;
    if (!s->any_service && (f->key.kind != s->kind || f->key.protocol != s->protocol || f->key.port != s->port))
        return false;
    return f->key.direction == s->direction && (!s->has_initiator || !memcmp(f->key.initiator, s->initiator, 16)) &&
           (!s->has_responder || !memcmp(f->key.responder, s->responder, 16));
}
