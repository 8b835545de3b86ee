/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Load the policy, compile it for this node, write it into the kernel, and keep it current. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auditor/alerts.h"
#include "auditor/history.h"
#include "auditor/internal.h"
#include "auditor/lives.h"
#include "auditor/owners.h"
#include "auditor/users.h"
#include "auditor/vouching.h"
#include "control/changelist.h"
#include "control/message.h"
#include "control/policy_args.h"
#include "policy/tools/diff.h"
#include "util/document.h"
#include "util/text.h"
#include "words/words.h"

#define CHANGES_BYTES (QPW_NOTIFY_BYTES - 512u) /* limit for the changes shown in the auditor's own output */

static const char *change_words(bool was, bool is)
{
    return is ? was ? "changed:     " : "now in force:" : "no longer:   ";
}

/* Compare both registries by name, the only information if the previous policy is unavailable. */
static void add_names(struct qpw_changelist *list, const struct qpw_registry *before, const struct qpw_registry *after)
{
    size_t none = list->n;
    bool was, is;

    for (size_t i = 1; i < after->n_rules; i++) {
        was = i < before->n_rules && before->rules[i].in_force;
        is = after->rules[i].in_force;
        if (was != is || (is && strcmp(before->rules[i].text, after->rules[i].text)))
            qpw_changelist_add(list, "%s %s: %s", change_words(was, is), after->rules[i].name, after->rules[i].text);
    }
    for (size_t i = 1; i < after->n_peers; i++) {
        was = i < before->n_peers && before->peers[i].in_force;
        is = after->peers[i].in_force;
        if (was != is)
            qpw_changelist_add(list, "%s %s", is ? "now a peer:  " : "no longer a peer:", after->peers[i].name);
    }
    if (list->n == none)
        qpw_changelist_add(list, "no change of rules or names of peers");
    qpw_changelist_add(list, "compared by rules and names of peers only, because no auditor was running: "
                       "what 'only', 'addresses', 'infra', 'implied' and 'suppress' lines or a peer's addresses change "
                       "is in force, but not listed");
}

/* Add the differences in effect between the two policies. */
static void add_effects(struct qpw_changelist *list, const struct qpw_policy *before, const struct qpw_policy *after)
{
    struct qpw_differences differences = {0};

    if (qpw_policy_diff(before, after, time(NULL), &differences) < 0)
        list->incomplete = true;
    for (size_t i = 0; i < differences.n; i++)
        qpw_changelist_add(list, "%s", differences.list[i].text);
    if (!differences.n && !list->incomplete)
        qpw_changelist_add(list, "no effective change");
    qpw_differences_clear(&differences);
}

/* Return the node's own addresses, for which peer entries are ignored. The caller frees the result. */
static uint8_t (*own_addresses(const struct qpw_auditor *a, size_t *ret_n))[16]
{
    size_t n, count = 0;
    const struct qpw_local *locals = qpw_netlink_locals(a->netlink, &n);
    uint8_t(*own)[16] = calloc(n + 1, sizeof(*own));

    for (size_t i = 0; own && i < n; i++)
        if ((locals[i].flags & QPW_LOCAL_ADDRESS) && locals[i].prefix == 128)
            memcpy(own[count++], locals[i].addr, sizeof(*own));
    *ret_n = count;
    return own;
}

/*
 * Compile with new names and put both in force; a->names is then the new registry. *ret_usage: the policy is at fault.
 */
static int put_in_force(struct qpw_auditor *a, const struct qpw_policy *policy, struct qpw_registry *ret_before,
                        bool *ret_usage, struct qpw_error *err)
{
    struct qpw_compile_context context = {.now = time(NULL)};
    struct qpw_registry names = {0};
    struct qpw_compiled compiled = {0};
    uint8_t(*own)[16] = own_addresses(a, &context.n_own);
    int r;

    if (!own)
        return qpw_fail(err, -ENOMEM, "out of memory");
    context.own = (const uint8_t(*)[16])own;
    r = qpw_kernel_get_names(&a->kernel, &names, err);
    if (r == 0) {
        r = qpw_policy_compile(policy, &context, &names, &compiled, err);
        *ret_usage = r < 0 && r != -ENOMEM; /* err holds the position */
    }
    if (r == 0)
        r = qpw_kernel_set_policy(&a->kernel, &compiled, &names, err);
    free(own);
    if (r < 0) {
        qpw_compiled_clear(&compiled);
        qpw_registry_clear(&names);
        return r;
    }
    qpw_compiled_clear(&a->compiled);
    a->compiled = compiled;
    qpw_vouching_forget(a);
    if (ret_before)
        *ret_before = a->names;
    else
        qpw_registry_clear(&a->names);
    a->names = names;
    a->next_expiry = qpw_policy_next_expiry(policy, context.now);
    return qpw_watch_own(a, policy, err);
}

static void describe(struct qpw_auditor *a)
{
    struct qpw_meta *m = &a->meta;

    snprintf(m->policy_name, sizeof(m->policy_name), "%s", a->policy.name);
    snprintf(m->policy_path, sizeof(m->policy_path), "%s", a->policy.path);
    snprintf(m->policy_digest, sizeof(m->policy_digest), "%s", a->policy.digest);
    snprintf(m->source_digest, sizeof(m->source_digest), "%s", a->policy.source_digest);
    if (qpw_policy_args_store(a->policy_args, m->policy_args, sizeof(m->policy_args)) < 0)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "the policy options are too long to store; repeat them for a 'reload' without an "
                "auditor (--peers FILE is shorter than many --peer)");
}

int qpw_audit_load_policy(struct qpw_auditor *a, bool *ret_usage, struct qpw_changelist *changes, struct qpw_error *err)
{
    struct qpw_policy policy = {0};
    struct qpw_registry before = {0};
    const char *chosen = NULL;
    char unseen[QPW_NOTE_TEXT];
    int r = qpw_policy_load(&a->options.policy, &policy, &chosen, err);

    *ret_usage = r < 0;
    if (r == 0 && qpw_policy_warn_writable(&policy) < 0)
        r = qpw_fail(err, -ENOMEM, "out of memory");
    if (r < 0) {
        qpw_policy_clear(&policy);
        return r;
    }
    r = put_in_force(a, &policy, &before, ret_usage, err);
    if (r < 0) {
        qpw_policy_clear(&policy);
        return r;
    }
    if (changes && *a->policy.digest)
        add_effects(changes, &a->policy, &policy);
    else if (changes)
        add_names(changes, &before, &a->names);
    qpw_registry_clear(&before);
    qpw_policy_clear(&a->policy);
    a->policy = policy;
    qpw_owner_watch_forget(a);
    qpw_users_policy(a);
    qpw_audit_history_policy(a);
    describe(a);
    if (chosen && !changes)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "policy %s: %s", a->policy.name, chosen);
    if (!changes && !a->policy.n_peers)
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "no peers defined: traffic from other cluster nodes is reported like any other; "
                "define them with --peer, --peers or 'peer' lines");
    for (size_t i = 0; i < a->policy.n_warnings; i++) {
        if (changes)
            qpw_changelist_add(changes, "warning: %s", a->policy.warnings[i]);
        else
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", a->policy.warnings[i]);
    }
    for (size_t i = 0; changes && i < a->n_watched; i++)
        if (qpw_watch_tags_unseen(a, &a->watched[i], unseen))
            qpw_changelist_add(changes, "warning: %s", unseen);
    qpw_alerts_context(a);
    return qpw_meta_write(&a->kernel, &a->meta, err);
}

int qpw_audit_recompile(struct qpw_auditor *a, struct qpw_error *err)
{
    bool usage;
    int r = put_in_force(a, &a->policy, NULL, &usage, err);

    qpw_alerts_context(a); /* names and on-link prefixes may have changed */
    return r;
}

/* Replace the options that the request contains, for this and later reloads. */
static int take_args(struct qpw_auditor *a, const json_t *more, struct qpw_error *err)
{
    struct qpw_policy_options options;
    json_t *args;
    int r;

    if (!json_is_object(more))
        return qpw_fail(err, -EINVAL, "policy options: not an object");
    args = qpw_policy_args_over(a->policy_args, more);
    r = args ? qpw_policy_args_read(args, &options, err) : qpw_fail(err, -ENOMEM, "out of memory");
    if (r < 0) {
        json_decref(args);
        return r;
    }
    a->options.policy = options;
    a->policy_args = args;
    return 0;
}

/* Load the policy with the options changed by `more` (NULL: none); on failure restore the previous options. */
static int load_with(struct qpw_auditor *a, const json_t *more, bool *ret_usage, struct qpw_changelist *changes,
                     struct qpw_error *err)
{
    struct qpw_policy_options before = a->options.policy, gone;
    json_t *args_before = a->policy_args;
    int r = more ? take_args(a, more, err) : 0;

    if (r < 0) {
        *ret_usage = r == -EINVAL;
        return r;
    }
    r = qpw_audit_load_policy(a, ret_usage, changes, err);
    if (!more)
        return r;
    gone = r < 0 ? a->options.policy : before;
    json_decref(r < 0 ? a->policy_args : args_before);
    if (r < 0) {
        a->options.policy = before;
        a->policy_args = args_before;
    }
    qpw_policy_options_clear(&gone);
    return r;
}

static json_t *reload_failed(struct qpw_auditor *a, enum qpw_exit status, const char *old_digest, const char *why)
{
    qpw_coverage_add(&a->coverage, QPW_COVERAGE_RELOAD_FAILED, 0, "%.110s", why);
    qpw_alerts_reloaded(a, old_digest, NULL, why);
    qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "reload failed, previous policy kept: %s", why);
    return qpw_answer_new(status, why);
}

/* Judge the stored findings by the new policy, and add the result as a line of the changes. */
static void judge_again(struct qpw_auditor *a, struct qpw_changelist *changes)
{
    struct qpw_rejudged done;
    struct qpw_error err;
    char count[48];

    if (qpw_audit_rejudge(a, a->by[0] ? a->by : "a signal", &done, &err) < 0)
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", err.text);
    if (done.closed)
        qpw_changelist_add(changes, "closed: %s that the policy explains now",
                           qpw_words_many(done.closed, "finding", count, sizeof(count)));
    if (done.reopened)
        qpw_changelist_add(changes, "open again: %s that the policy no longer explains",
                           qpw_words_many(done.reopened, "finding", count, sizeof(count)));
    if (done.back)
        qpw_changelist_add(changes, "acknowledged again: %s that the policy no longer explains",
                           qpw_words_many(done.back, "finding", count, sizeof(count)));
}

#define DIFFERENCES_BYTES (QPW_CONTROL_BYTES - 4096u)

static json_t *differences_json(const struct qpw_differences *differences, size_t *ret_left_out)
{
    json_t *list = json_array(), *one;
    size_t i, used = 0;

    for (i = 0; list && i < differences->n; i++) {
        one = json_pack("{s:s,s:o}", "change", qpw_change_name(differences->list[i].change), "text",
                        qpw_json_text(differences->list[i].text));
        used += json_dumpb(one, NULL, 0, 0) + 2;
        if (used > DIFFERENCES_BYTES) {
            json_decref(one);
            break;
        }
        json_array_append_new(list, one);
    }
    *ret_left_out = differences->n - i;
    return list;
}

json_t *qpw_audit_differs(struct qpw_auditor *a, const json_t *request)
{
    struct qpw_differences differences = {0};
    struct qpw_policy file = {0};
    size_t left_out = 0;
    struct qpw_error err;
    json_t *answer;

    (void)request;
    if (qpw_policy_load(&a->options.policy, &file, NULL, &err) < 0)
        return qpw_answer_new(QPW_EXIT_USAGE, err.text);
    if (qpw_policy_diff(&a->policy, &file, time(NULL), &differences) < 0) {
        answer = qpw_answer_new(QPW_EXIT_FAILED, "out of memory");
    } else {
        answer = qpw_answer_new(QPW_EXIT_OK, NULL);
        json_object_set_new(answer, "differences", differences_json(&differences, &left_out));
        json_object_set_new(answer, "left_out", json_integer((json_int_t)left_out));
        json_object_set_new(answer, "old", qpw_json_policy(a->policy.name, a->policy.digest, a->policy.source_digest));
        json_object_set_new(answer, "new", qpw_json_policy(file.name, file.digest, file.source_digest));
    }
    qpw_differences_clear(&differences);
    qpw_policy_clear(&file);
    return answer;
}

json_t *qpw_audit_reload(struct qpw_auditor *a, const json_t *request)
{
    char from[sizeof(a->meta.policy_digest)], text[CHANGES_BYTES], brief[QPW_RELOAD_TEXT], name[352];
    const char *in_force = json_string_value(json_object_get(request, "in_force"));
    struct qpw_changelist changes = {0};
    struct qpw_error err;
    bool usage = false;
    json_t *answer;

    memcpy(from, a->meta.policy_digest, sizeof(from));
    if (in_force && strcmp(in_force, from))
        return qpw_answer_new(QPW_EXIT_FAILED, "the policy's files have other changes that are not in force yet: see "
                                               "'qportwatch policy diff', put them in force with 'qportwatch reload', and try again");
    if (load_with(a, json_object_get(request, "policy"), &usage, &changes, &err) < 0) {
        qpw_changelist_clear(&changes);
        return reload_failed(a, usage ? QPW_EXIT_USAGE : QPW_EXIT_FAILED, from, err.text);
    }
    judge_again(a, &changes);
    qpw_coverage_add(&a->coverage, a->alone ? QPW_COVERAGE_RELOADED_ALONE : QPW_COVERAGE_RELOADED, 0, "%.19s -> %.19s.", from, a->meta.policy_digest);
    qpw_alerts_reloaded(a, from, qpw_changelist_text(&changes, brief, sizeof(brief)), NULL);
    qpw_alerts_offer(a);
    qpw_auditor_notify(a, QPW_NOTIFY_NOTE, QPW_RELOADED_TEXT, qpw_words_policy(a->policy.name, a->policy.path, name, sizeof(name)),
            qpw_changelist_text(&changes, text, sizeof(text)));
    answer = qpw_answer_new(QPW_EXIT_OK, NULL);
    json_object_set_new(answer, "policy", json_pack("{s:o,s:o,s:o}", "name", qpw_json_text(a->policy.name), "path",
                                                    qpw_json_text(a->policy.path), "digest",
                                                    qpw_json_text(a->policy.digest)));
    qpw_changelist_write(&changes, answer, QPW_CONTROL_BYTES - 2048u);
    qpw_changelist_clear(&changes);
    return answer;
}
