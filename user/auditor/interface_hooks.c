/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attach our programs to the hooks of an interface, check that they are still there, remove them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "auditor/internal.h"
#include "host/clock.h"
#include "host/tags.h"
#include "words/words.h"

#define HOOKS_PAUSE_NS 50000000u

static enum qpw_program program_for(const struct qpw_watched *w, enum qpw_point point, bool xdp)
{
    if (point == QPW_POINT_TX)
        return w->l3 ? QPW_PROG_qpw_tc_tx_l3 : QPW_PROG_qpw_tc_tx;
    if (xdp)
        return QPW_PROG_qpw_xdp_rx;
    return w->l3 ? QPW_PROG_qpw_tc_rx_l3 : QPW_PROG_qpw_tc_rx;
}

/* Find our program in the list: one of this very instance, not merely of a known name. */
static const struct qpw_hook_entry *our_entry(const struct qpw_auditor *a, const struct qpw_hook_list *list)
{
    const struct qpw_hook_entry *found;
    uint32_t id;

    for (int program = 0; program < QPW_PROG_COUNT; program++) {
        id = qpw_instance_program_id(&a->kernel, program);
        found = id ? qpw_hooks_ours(list, id) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

/* Find the program of the version being replaced in that hook; NULL: none. */
static const struct qpw_hook_entry *replaced_entry(const struct qpw_auditor *a, const struct qpw_hook_list *list)
{
    const struct qpw_hook_entry *found;

    for (size_t i = 0; i < a->replaced.n; i++) {
        found = qpw_hooks_ours(list, a->replaced.site[i].entry.prog_id);
        if (found)
            return found;
    }
    return NULL;
}

/*
 * Replace another version's program in its hook, if ours would go there: no packet is then missed or counted twice.
 * False: attach ours beside it and remove the other one afterwards.
 */
static bool replace(struct qpw_auditor *a, const struct qpw_watched *w, enum qpw_point point,
                    const struct qpw_hook_list *list, enum qpw_program program, enum qpw_hook *ret_kind)
{
    const struct qpw_hook_entry *old = replaced_entry(a, list);

    if (!old || (old->kind == QPW_HOOK_XDP) != (program == QPW_PROG_qpw_xdp_rx) ||
        qpw_hooks_foreign_before(list, old) > 0 || (a->options.tc == QPW_TC_TCX && old->kind == QPW_HOOK_CLSACT) ||
        (a->options.tc == QPW_TC_CLSACT && old->kind == QPW_HOOK_TCX) ||
        qpw_hooks_replace(w->ifindex, point, old, a->kernel.prog_fd[program], NULL) < 0)
        return false;
    *ret_kind = old->kind;
    return true;
}

/* Attach native XDP, which has room for one program. If the driver cannot replace it, packets in between are missed. */
static int attach_xdp(struct qpw_auditor *a, const struct qpw_watched *w, const struct qpw_hook_list *rx,
                      struct qpw_error *err)
{
    const struct qpw_hook_entry *old = replaced_entry(a, rx);
    int fd = a->kernel.prog_fd[QPW_PROG_qpw_xdp_rx], r;
    uint64_t since_ns;
    enum qpw_hook kind;

    if (replace(a, w, QPW_POINT_RX, rx, QPW_PROG_qpw_xdp_rx, &kind))
        return 0;
    if (!old || old->kind != QPW_HOOK_XDP)
        return qpw_hooks_attach_xdp(w->ifindex, fd, err);
    since_ns = qpw_clock_monotonic_ns();
    r = qpw_hooks_detach(w->ifindex, QPW_POINT_RX, old, err);
    if (r == 0)
        r = qpw_hooks_attach_xdp(w->ifindex, fd, err);
    a->unseen_ns += qpw_clock_monotonic_ns() - since_ns;
    return r;
}

static int attach_tc(struct qpw_auditor *a, struct qpw_watched *w, enum qpw_point point,
                     const struct qpw_hook_list *list, struct qpw_error *err)
{
    enum qpw_program program = program_for(w, point, /* xdp= */ false);
    uint8_t own_before = a->meta.own_qdisc[w->number];
    struct qpw_tc_attached made = {0};
    int r = qpw_instance_complete(&a->kernel, 1u << program, err);

    if (r == 0 && !own_before && !qpw_hooks_have_qdisc(w->ifindex)) {
        a->meta.own_qdisc[w->number] = 1; /* before creating it, so that a killed auditor leaves no qdisc behind */
        r = qpw_meta_write(&a->kernel, &a->meta, err);
    }
    if (r == 0 && !replace(a, w, point, list, program, &made.kind))
        r = qpw_hooks_attach_tc(w->ifindex, point, a->kernel.prog_fd[program], a->options.tc, &made, err);
    a->meta.own_qdisc[w->number] = own_before || made.made_qdisc;
    if (r < 0)
        return r;
    if (point == QPW_POINT_RX)
        a->meta.rx_hook[w->number] = made.kind;
    else
        a->meta.tx_hook[w->number] = made.kind;
    return 0;
}

/* Attach the missing programs; egress first, so that no answer is seen without its request. */
static int attach_missing(struct qpw_auditor *a, struct qpw_watched *w, const struct qpw_link *link,
                          const struct qpw_hook_list *rx, const struct qpw_hook_list *tx, struct qpw_error *err)
{
    struct qpw_mode_choice choice;
    struct qpw_error first;
    uint32_t wanted = 0;
    int r = qpw_mode_choose(link, a->options.mode, rx, &choice, err);

    if (r < 0)
        return r;
    w->l3 = choice.l3;
    /* Load only the missing programs, because verification takes time, and before anything is attached. */
    if (!our_entry(a, tx))
        wanted |= 1u << program_for(w, QPW_POINT_TX, /* xdp= */ false);
    if (!our_entry(a, rx))
        wanted |= 1u << program_for(w, QPW_POINT_RX, choice.xdp);
    r = qpw_instance_complete(&a->kernel, wanted, err);
    if (r == 0 && qpw_watch_update_kernel(a, w, link) < 0)
        r = qpw_fail(err, -EIO, "%s: its entry in the kernel's table cannot be written", w->name);
    if (r == 0 && !our_entry(a, tx))
        r = attach_tc(a, w, QPW_POINT_TX, tx, err);
    if (r < 0 || our_entry(a, rx))
        return r;
    if (choice.xdp) {
        r = attach_xdp(a, w, rx, &first);
        if (r == 0)
            a->meta.rx_hook[w->number] = QPW_HOOK_XDP;
        else if (a->options.mode == QPW_MODE_XDP && r != -EBUSY && r != -EEXIST)
            return qpw_fail(err, r, "%.150s; '--mode tc' works with any driver", first.text);
        else
            snprintf(choice.why, sizeof(choice.why), "native XDP failed: %.40s", strerror(-r));
    }
    if (!choice.xdp || r < 0)
        r = attach_tc(a, w, QPW_POINT_RX, rx, err);
    if (r == 0) {
        memcpy(a->meta.why[w->number], choice.why, sizeof(a->meta.why[w->number]));
        if (*choice.advice)
            qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s", choice.advice);
    }
    return r;
}

bool qpw_watch_tags_unseen(const struct qpw_auditor *a, const struct qpw_watched *w, char buf[QPW_NOTE_TEXT])
{
    struct qpw_note note = {.kind = QPW_NOTE_TAGS_STRIPPED};
    bool asked = false;

    for (size_t i = 0; i < a->policy.n_rules; i++)
        asked |= a->policy.rules[i].vlan != QPW_ANY_VLAN;
    if (!asked || !w->ifindex || a->meta.rx_hook[w->number] != QPW_HOOK_XDP || !qpw_strips_tags(w->name))
        return false;
    snprintf(note.name, sizeof(note.name), "%s", w->name);
    qpw_words_note(&note, buf);
    return true;
}

int qpw_watch_attach(struct qpw_auditor *a, struct qpw_watched *w, const struct qpw_link *link, struct qpw_error *err)
{
    struct qpw_hook_list rx, tx;
    struct qpw_error ignored;
    char unseen[QPW_NOTE_TEXT];
    int r = qpw_hooks_query(w->ifindex, QPW_POINT_RX, &rx, err);

    if (r == 0)
        r = qpw_hooks_query(w->ifindex, QPW_POINT_TX, &tx, err);
    if (r < 0)
        return r;
    w->fresh |= !our_entry(a, &rx) && !our_entry(a, &tx);
    r = attach_missing(a, w, link, &rx, &tx, err);
    if (r < 0 && w->fresh)
        qpw_watch_remove(a, w, &ignored);
    if (r == 0 && qpw_watch_tags_unseen(a, w, unseen))
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", unseen);
    return r;
}

/* Remove every program of this instance from one direction. */
static int remove_point(struct qpw_auditor *a, const struct qpw_watched *w, enum qpw_point point, struct qpw_error *err)
{
    struct qpw_hook_list list;
    const struct qpw_hook_entry *entry;
    int r = qpw_hooks_query(w->ifindex, point, &list, err);

    if (r == -ENODEV)
        return 0;
    while (r == 0 && (entry = our_entry(a, &list))) {
        r = qpw_hooks_detach(w->ifindex, point, entry, err);
        list.entry[entry - list.entry].program = QPW_PROG_COUNT;
    }
    return r;
}

static int remove_points(struct qpw_auditor *a, struct qpw_watched *w, struct qpw_error *err)
{
    int r = remove_point(a, w, QPW_POINT_RX, err), r_tx = remove_point(a, w, QPW_POINT_TX, err);

    if (r < 0)
        return r;
    if (r_tx < 0)
        return r_tx;
    return a->meta.own_qdisc[w->number] ? qpw_hooks_remove_qdisc(w->ifindex, err) : 0;
}

int qpw_watch_remove(struct qpw_auditor *a, struct qpw_watched *w, struct qpw_error *err)
{
    struct qpw_iface forget = {.number = w->number};
    int r = w->ifindex ? remove_points(a, w, err) : 0;

    a->meta.own_qdisc[w->number] = 0;
    a->meta.rx_hook[w->number] = a->meta.tx_hook[w->number] = QPW_HOOK_NONE;
    qpw_kernel_set_iface(&a->kernel, &forget);
    return r;
}

/* Check one direction of an interface. Return whether our program must be restored. */
static bool check_point(struct qpw_auditor *a, struct qpw_watched *w, enum qpw_point point)
{
    static const char *const words[] = {"ingress", "egress"};
    struct qpw_hook_list list;
    const struct qpw_hook_entry *ours, *head;
    struct qpw_error err;
    bool not_first;
    int r = qpw_hooks_query(w->ifindex, point, &list, &err);

    if (r < 0) { /* netlink reports a missing interface; other errors do not show whether ours is present */
        if (r != -ENODEV && !w->unasked[point])
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: cannot check that our %s program is still attached: %s",
                               w->name, words[point], err.text);
        w->unasked[point] = r != -ENODEV;
        return false;
    }
    w->unasked[point] = false;
    ours = our_entry(a, &list);
    if (!ours) {
        head = list.n ? &list.entry[0] : NULL;
        qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s: our %s program was removed from its hook%s%s", w->name,
                           words[point], head ? "; now there: " : "", head ? head->name : "");
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_HOOK_LOST, w->number, "%s%s%.16s.", words[point],
                         head ? ", there now: " : "", head ? head->name : "");
        return true;
    }
    not_first = qpw_hooks_foreign_before(&list, ours) > 0;
    if (not_first != w->not_first[point]) {
        qpw_coverage_add(&a->coverage, not_first ? QPW_COVERAGE_HOOK_NOT_FIRST : QPW_COVERAGE_HOOK_FIRST, w->number,
                         "%s%s%.16s.", words[point], not_first ? ", before it: " : "",
                         not_first ? list.entry[0].name : "");
        if (not_first)
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING,
                               "%s: '%s' runs before our %s program, which may not see everything", w->name,
                               list.entry[0].name, words[point]);
        else
            qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: our %s program is first again", w->name, words[point]);
        w->not_first[point] = not_first;
    }
    return false;
}

void qpw_watch_hooks_changed(struct qpw_auditor *a)
{
    /* If notifications come in quick succession, the check once a second suffices. */
    if (qpw_clock_monotonic_ns() - a->hooks_checked_ns >= HOOKS_PAUSE_NS)
        qpw_watch_check(a);
}

void qpw_watch_check(struct qpw_auditor *a)
{
    const struct qpw_link *link;
    struct qpw_watched *w;
    struct qpw_error err;
    char mode[80];
    bool lost;

    a->hooks_checked_ns = qpw_clock_monotonic_ns();
    for (size_t i = 0; i < a->n_watched; i++) {
        w = &a->watched[i];
        if (!w->ifindex)
            continue;
        lost = check_point(a, w, QPW_POINT_RX);
        lost |= check_point(a, w, QPW_POINT_TX);
        link = qpw_netlink_by_index(a->netlink, w->ifindex);
        if (!lost || !link)
            continue;
        w->fresh = false;
        if (qpw_watch_attach(a, w, link, &err) < 0) {
            qpw_auditor_notify(a, QPW_NOTIFY_WARNING, "%s", err.text);
            continue;
        }
        qpw_meta_write(&a->kernel, &a->meta, NULL);
        qpw_watch_mode(a, w, mode, sizeof(mode));
        qpw_coverage_add(&a->coverage, QPW_COVERAGE_ATTACHED, w->number, "Again. %s.", mode);
        qpw_auditor_notify(a, QPW_NOTIFY_NOTE, "%s: attached again, %s", w->name, mode);
    }
}
