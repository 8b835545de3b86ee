/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "policy/tools/export.h"

#include <stdlib.h>
#include <string.h>

#include "policy/lang/rule_text.h"
#include "policy/lang/services.h"
#include "util/document.h"
#include "util/names.h"

static json_t *addresses_json(bool limited, const struct qpw_addresses *set)
{
    json_t *list;
    char one[96];

    if (!limited)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < set->n; i++)
        json_array_append_new(list, json_string(qpw_range_text(&set->ranges[i], one, sizeof(one))));
    return list;
}

static const char *verdict_of(const struct qpw_rule *rule)
{
    return qpw_verdict_name(rule->flags & QPW_RULE_WEAK ? QPW_VERDICT_WEAK : QPW_VERDICT_ALLOWED);
}

static json_t *rule_json(const struct qpw_rule *rule, int64_t now)
{
    char protocols[512], ports[12 * QPW_MAX_PORT_RANGES + 8], until[32], speaks[QPW_SPEAKS_ROOM];
    json_t *o = json_object();

    json_object_set_new(o, "name", json_string(rule->name));
    json_object_set_new(o, "direction", json_string(qpw_direction_name(rule->direction)));
    json_object_set_new(o, "protocol",
                        json_string(qpw_protocols_text(rule->protocols, rule->flags & QPW_RULE_ANY_PROTOCOL, protocols,
                                                       sizeof(protocols))));
    json_object_set_new(
        o, "ports",
        json_string(qpw_ports_text(rule->ports, rule->n_ports, rule->flags & QPW_RULE_ANY_PORT, ports, sizeof(ports))));
    json_object_set_new(o, "purpose", qpw_json_text(rule->purpose));
    json_object_set_new(o, "verdict", json_string(verdict_of(rule)));
    json_object_set_new(o, "in_force", json_boolean(qpw_rule_in_force(rule, now)));
    json_object_set_new(o, "disabled", json_boolean(rule->flags & QPW_RULE_DISABLED));
    json_object_set_new(o, "default", json_boolean(rule->flags & QPW_RULE_DEFAULT));
    json_object_set_new(o, "optional", json_boolean(rule->flags & QPW_RULE_OPTIONAL));
    json_object_set_new(o, "from", addresses_json(rule->flags & QPW_RULE_FROM, &rule->from));
    json_object_set_new(o, "to", addresses_json(rule->flags & QPW_RULE_TO, &rule->to));
    json_object_set_new(o, "vlan", rule->vlan == QPW_ANY_VLAN ? json_null() : json_integer(rule->vlan));
    json_object_set_new(o, "iface", qpw_json_text(rule->iface));
    json_object_set_new(o, "owner", qpw_json_text(rule->owner));
    json_object_set_new(o, "speaks", rule->speaks ? json_string(qpw_speaks_text(rule->speaks, speaks, sizeof(speaks))) : json_null());
    json_object_set_new(o, "until", qpw_json_text(qpw_until_text(rule->until, until, sizeof(until))));
    json_object_set_new(o, "feature", qpw_json_text(rule->feature));
    json_object_set_new(o, "parent", qpw_json_text(rule->parent));
    json_object_set_new(o, "ref", qpw_json_text(rule->ref));
    json_object_set_new(o, "file", qpw_json_text(rule->where.file));
    json_object_set_new(o, "line", json_integer(rule->where.line));
    json_object_set_new(o, "text", qpw_json_text(rule->text));
    return o;
}

static json_t *suppression_json(const struct qpw_suppression *line, int64_t now)
{
    json_t *o = json_object();
    char until[32];

    json_object_set_new(o, "name", qpw_json_text(line->name));
    json_object_set_new(o, "text", qpw_json_text(line->text));
    json_object_set_new(o, "outcome",
                        json_string(line->outcome == QPW_OUTCOME_DATA ? "answered" : qpw_outcome_name(line->outcome)));
    json_object_set_new(o, "until", qpw_json_text(qpw_until_text(line->until, until, sizeof(until))));
    json_object_set_new(o, "in_force", json_boolean(!line->until || now < line->until));
    json_object_set_new(o, "reason", qpw_json_text(line->reason));
    json_object_set_new(o, "file", qpw_json_text(line->where.file));
    json_object_set_new(o, "line", json_integer(line->where.line));
    return o;
}

static json_t *groups_json(const char *(*name_of)(unsigned), const struct qpw_group_setting *settings, unsigned n)
{
    json_t *o = json_object();

    for (unsigned i = 0; i < n; i++)
        json_object_set_new(o, name_of(i), json_string(settings[i].unexpected ? "unexpected" : "allowed"));
    return o;
}

static json_t *keys_json(const struct qpw_keys *keys)
{
    json_t *list = json_array();

    for (size_t i = 0; i < keys->n; i++)
        json_array_append_new(list, json_string(keys->text[i]));
    return list;
}

static json_t *peers_json(const struct qpw_policy *policy)
{
    json_t *list = json_array();

    for (size_t i = 0; i < policy->n_peers; i++)
        json_array_append_new(list, json_pack("{s:o,s:o,s:b,s:o}", "name", qpw_json_text(policy->peers[i].name), "addresses",
                                              addresses_json(true, &policy->peers[i].addresses), "by_hand", (int)policy->peers[i].by_hand,
                                              "keys", keys_json(&policy->peers[i].keys)));
    return list;
}

static json_t *readers_json(const struct qpw_policy *policy)
{
    json_t *list = json_array();

    for (size_t i = 0; i < policy->n_readers; i++)
        json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "name", qpw_json_text(policy->readers[i].name), "addresses",
                                              addresses_json(true, &policy->readers[i].addresses), "keys", keys_json(&policy->readers[i].keys)));
    return list;
}

json_t *qpw_policy_json(const struct qpw_policy *policy, int64_t now)
{
    json_t *o = qpw_document("qportwatch.policy/1"), *rules = json_array(),
           *suppressions = json_array(), *warnings = json_array();

    qpw_document_set_policy(o, policy->name, policy->digest, policy->source_digest);
    json_object_set_new(o, "name", qpw_json_text(policy->name));
    json_object_set_new(o, "path", qpw_json_text(policy->path));
    json_object_set_new(o, "digest", json_string(policy->digest));
    json_object_set_new(o, "platform", qpw_json_text(policy->platform));
    json_object_set_new(o, "guide", qpw_json_text(policy->platform ? qpw_builtin_guide(policy->platform) : NULL));
    json_object_set_new(o, "source", qpw_json_text(policy->source_name));
    json_object_set_new(o, "source_digest", qpw_json_text(policy->source_digest));
    for (size_t i = 0; i < policy->n_rules; i++)
        json_array_append_new(rules, rule_json(&policy->rules[i], now));
    for (size_t i = 0; i < policy->n_suppressions; i++)
        json_array_append_new(suppressions, suppression_json(&policy->suppressions[i], now));
    for (size_t i = 0; i < policy->n_warnings; i++)
        json_array_append_new(warnings, qpw_json_text(policy->warnings[i]));
    json_object_set_new(o, "rules", rules);
    json_object_set_new(o, "peers", peers_json(policy));
    json_object_set_new(o, "cluster", *policy->cluster ? json_pack("{s:o,s:o}", "name", qpw_json_text(policy->cluster), "ca", qpw_json_text(policy->cluster_ca))
                                                       : json_null());
    json_object_set_new(o, "readers", readers_json(policy));
    json_object_set_new(o, "require_peer_ports", policy->peers_on_any_port ? json_string("any") : json_null());
    json_object_set_new(o, "require_peer_family",
                        policy->peer_family.family ? json_string(policy->peer_family.family == 6 ? "ipv6" : "ipv4")
                                                   : json_null());
    json_object_set_new(o, "infra", groups_json(qpw_infra_name, policy->infra, QPW_INFRA_COUNT));
    json_object_set_new(o, "implied", groups_json(qpw_implied_name, policy->implied, QPW_IMPLIED_COUNT));
    json_object_set_new(o, "suppressions", suppressions);
    json_object_set_new(o, "warnings", warnings);
    return o;
}

static void csv_cell(const char *text, FILE *out)
{
    if (!text)
        text = "";
    if (!strpbrk(text, ",\"\n\r")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void csv_addresses(bool limited, const struct qpw_addresses *set, FILE *out)
{
    char one[96];

    for (size_t i = 0; limited && i < set->n; i++)
        fprintf(out, "%s%s", i ? " " : "", qpw_range_text(&set->ranges[i], one, sizeof(one)));
}

void qpw_policy_csv(const struct qpw_policy *policy, int64_t now, FILE *out)
{
    char protocols[512], ports[12 * QPW_MAX_PORT_RANGES + 8], until[32], speaks[QPW_SPEAKS_ROOM];

    fputs("name,direction,protocol,ports,purpose,verdict,in_force,from,to,vlan,iface,owner,speaks,until,feature,parent,ref,"
          "file,line\r\n",
          out);
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct qpw_rule *rule = &policy->rules[i];

        fprintf(out, "%s,%s,", rule->name, qpw_direction_name(rule->direction));
        csv_cell(qpw_protocols_text(rule->protocols, rule->flags & QPW_RULE_ANY_PROTOCOL, protocols, sizeof(protocols)),
                 out);
        fputc(',', out);
        csv_cell(qpw_ports_text(rule->ports, rule->n_ports, rule->flags & QPW_RULE_ANY_PORT, ports, sizeof(ports)),
                 out);
        fputc(',', out);
        csv_cell(rule->purpose, out);
        fprintf(out, ",%s,%s,", verdict_of(rule), qpw_rule_in_force(rule, now) ? "yes" : "no");
        csv_addresses(rule->flags & QPW_RULE_FROM, &rule->from, out);
        fputc(',', out);
        csv_addresses(rule->flags & QPW_RULE_TO, &rule->to, out);
        fputc(',', out);
        if (rule->vlan != QPW_ANY_VLAN)
            fprintf(out, "%d", rule->vlan);
        fprintf(out, ",%s,", rule->iface ? rule->iface : "");
        csv_cell(rule->owner, out);
        fputc(',', out);
        csv_cell(rule->speaks ? qpw_speaks_text(rule->speaks, speaks, sizeof(speaks)) : NULL, out);
        fprintf(out, ",%s,%s,%s,", qpw_until_text(rule->until, until, sizeof(until)),
                rule->feature ? rule->feature : "", rule->parent ? rule->parent : "");
        csv_cell(rule->ref, out);
        fputc(',', out);
        csv_cell(rule->where.file, out);
        fprintf(out, ",%u\r\n", rule->where.line);
    }
}
