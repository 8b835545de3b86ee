/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Alert records: keep what is known to reveal nothing about the site; every other text becomes a name. */
#include <stdio.h>
#include <string.h>

#include "anonymous/anonymous.h"
#include "util/names.h"

/* Members kept unchanged. */
static const char *const kept[] = {"timestamp", "event_type", "vlan", "src_port", "dest_port", "proto", "ip_v", "icmp_type", "icmp_code",
                                   "flow", "stats"};
static const char *const kept_alert[] = {"action", "gid", "signature_id", "rev", "signature", "category", "severity"};

/* Facts of the metadata that are the tool's own words, numbers or times. */
static const char *const kept_facts[] = {
    "kind", "verdict", "direction", "evidence", "outcome", "policy_digest", "old_digest", "new_digest", "pid", "count", "suppressed",
    "first", "last", "written", "sequence", "service", "state", "step", "superseded", "until", "coverage", "event", "loss",
    "lowest_port", "highest_port", "findings", "folded", "total", "waiting", "process_match", "process_reason", "program_before",
    "started", "closed_by", "lost_detail", "signature_id", "pci_dss", "nist_800_53", "cis", "nerc_cip", "tsc"};

static const struct { const char *fact, *kind; } named[] = {
    {"process", "process"}, {"parent", "process"}, {"executable", "exe"}, {"user", "user"}, {"unit", "unit"}, {"container", "container"},
    {"peer", "node"}, {"acknowledged", "user"}, {"policy", "policy"}, {"policy_file", "file"}};

static bool is_one_of(const char *key, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(key, list[i]))
            return true;
    return false;
}

#define IS_ONE_OF(key, list) is_one_of(key, list, sizeof(list) / sizeof(*(list)))

static json_t *named_text(const struct qpw_anonymous *a, const char *kind, const char *value)
{
    char buf[64];

    return json_string(qpw_anonymous_name(a, kind, value ? value : "", buf, sizeof(buf)));
}

/* Return whether it is the tool's reason why packets were undecided, and not a person's reason for a suppression. */
static bool is_reason(const char *text)
{
    for (unsigned i = 0; i < QPW_REASON_COUNT; i++)
        if (!strcmp(text, qpw_reason_name(i)))
            return true;
    return false;
}

/* Return the mapped fact; NULL: leave it out. */
static json_t *fact(const struct qpw_anonymous *a, const char *key, const json_t *value)
{
    const char *text = json_string_value(value);
    char buf[512];

    if (!text)
        return NULL;
    if (IS_ONE_OF(key, kept_facts) || (!strcmp(key, "reason") && is_reason(text)))
        return json_string(text);
    if (!strcmp(key, "by")) { /* "ana (as root), pts/3: COMMAND": keep the user only */
        snprintf(buf, sizeof(buf), "%.*s", (int)strcspn(text, " ,:"), text);
        return named_text(a, "user", buf);
    }
    if (!strcmp(key, "rule") || !strcmp(key, "closed_rule"))
        return json_string(qpw_anonymous_rule(a, text, buf, sizeof(buf)));
    if (!strcmp(key, "allow"))
        return json_string(qpw_anonymous_statement(a, text, buf, sizeof(buf)));
    for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
        if (!strcmp(key, named[i].fact))
            return named_text(a, named[i].kind, text);
    return NULL;
}

static json_t *metadata(const struct qpw_anonymous *a, const json_t *from, const char *signature)
{
    json_t *o = json_object(), *values, *value;
    const char *key;
    size_t i;

    json_object_foreach((json_t *)from, key, values) {
        json_t *list = json_array();

        json_array_foreach(values, i, value) {
            json_t *one = fact(a, key, value);

            if (one)
                json_array_append_new(list, one);
        }
        if (json_array_size(list))
            json_object_set(o, key, list);
        json_decref(list);
    }
    json_object_set_new(o, "text", json_pack("[s]", signature)); /* the sentence names ends and processes */
    return o;
}

static json_t *variables(const struct qpw_anonymous *a, const json_t *from)
{
    json_t *list = json_array(), *one, *value;
    const char *key;
    size_t i;

    json_array_foreach(from, i, one)
        json_object_foreach(one, key, value) {
            json_t *other = fact(a, key, value);

            if (other)
                json_array_append_new(list, json_pack("{s:o}", key, other));
        }
    return list;
}

static json_t *mac(const struct qpw_anonymous *a, const char *text)
{
    unsigned b[6];
    uint8_t bytes[6];
    char written[24];

    if (!text || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
        return NULL;
    for (size_t i = 0; i < 6; i++)
        bytes[i] = (uint8_t)b[i];
    qpw_anonymous_mac(a, bytes, bytes);
    return json_string(qpw_mac_text(bytes, written, sizeof(written)));
}

static void ends(const struct qpw_anonymous *a, const json_t *from, json_t *o)
{
    static const char *const keys[] = {"src_ip", "dest_ip"};
    const json_t *ether = json_object_get(from, "ether");
    uint8_t addr[16];
    char buf[64];

    for (size_t i = 0; i < 2; i++) {
        const char *text = json_string_value(json_object_get(from, keys[i]));

        if (!text || qpw_address_parse(text, addr) < 0)
            continue;
        qpw_anonymous_address(a, addr, addr);
        json_object_set_new(o, keys[i], json_string(qpw_address_text(addr, buf, sizeof(buf))));
    }
    if (!ether)
        return;
    json_object_set_new(o, "ether", json_object());
    json_object_set(json_object_get(o, "ether"), "ether_type", json_object_get(ether, "ether_type"));
    json_object_set_new(json_object_get(o, "ether"), "src_mac", mac(a, json_string_value(json_object_get(ether, "src_mac"))));
    json_object_set_new(json_object_get(o, "ether"), "dest_mac", mac(a, json_string_value(json_object_get(ether, "dest_mac"))));
}

static void copy(const json_t *from, json_t *to, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (json_object_get(from, keys[i]))
            json_object_set(to, keys[i], json_object_get(from, keys[i]));
}

json_t *qpw_anonymous_record(const struct qpw_anonymous *a, const json_t *record)
{
    const json_t *alert = json_object_get(record, "alert"), *engine = json_object_get(record, "engine");
    const char *signature = json_string_value(json_object_get(alert, "signature"));
    json_t *o, *part;

    if (!json_object_get(record, "event_type"))
        return NULL;
    o = json_object();
    copy(record, o, kept, sizeof(kept) / sizeof(*kept));
    if (json_is_integer(json_object_get(record, "flow_id")))
        json_object_set_new(o, "flow_id", json_integer((json_int_t)qpw_anonymous_flow(a, (uint64_t)json_integer_value(json_object_get(record, "flow_id")))));
    json_object_set_new(o, "host", named_text(a, "host", json_string_value(json_object_get(record, "host"))));
    if (json_object_get(record, "in_iface"))
        json_object_set_new(o, "in_iface", named_text(a, "if", json_string_value(json_object_get(record, "in_iface"))));
    ends(a, record, o);
    if (alert) {
        part = json_object();
        copy(alert, part, kept_alert, sizeof(kept_alert) / sizeof(*kept_alert));
        json_object_set_new(part, "metadata", metadata(a, json_object_get(alert, "metadata"), signature ? signature : ""));
        json_object_set_new(o, "alert", part);
    }
    if (engine) { /* its module is the signature's name, the tool's own word */
        const char *module = json_string_value(json_object_get(engine, "module"));

        json_object_set_new(o, "engine", json_pack("{s:s,s:s}", "module", module ? module : "", "message", module ? module : ""));
    }
    part = variables(a, json_object_get(json_object_get(record, "metadata"), "flowvars"));
    if (json_array_size(part))
        json_object_set_new(o, "metadata", json_pack("{s:O}", "flowvars", part));
    json_decref(part);
    return o;
}
