/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "control/lock.h"
#include "facts/kept.h"
#include "status/status.h"
#include "status/status_alerts.h"
#include "util/names.h"
#include "words/answer.h"
#include "words/coverage.h"
#include "words/finding.h"
#include "words/words.h"

#define COVERAGE_LINES 12u

static void show_answer(const struct qpw_status *s, const struct qpw_printer *p)
{
    char text[320];

    qpw_print_styled_item(p, "answer", qpw_style_of_answer(s->answer.state),
                          qpw_words_headline(&s->answer, s->snapshot.unix_ns, text, sizeof(text)));
}

static void show_hooks(const struct qpw_status *s, const struct qpw_printer *p)
{
    for (size_t i = 0; i < s->n_hooks; i++) {
        const struct qpw_status_hooks *h = &s->hooks[i];
        char mode[80];

        qpw_print_item(p, i ? "" : "attached", "%s: %s; rx %s, tx %s%s", h->iface->name,
                       qpw_words_mode_why(h->iface->hook, h->iface->why, mode, sizeof(mode)), h->rx_hook, h->tx_hook,
                       h->iface->up ? "" : "; link down");
        if (*h->before_rx)
            qpw_print_item(p, "", "may not see everything: %s runs before our rx program", h->before_rx);
        if (*h->before_tx)
            qpw_print_item(p, "", "may not see everything: %s runs before our tx program", h->before_tx);
        if (!qpw_watch_blind(h->state))
            continue;
        qpw_print_item(p, "", "%s: %s; %s", qpw_watch_name(h->state),
                       h->state == QPW_WATCH_GONE ? "there is no such interface now" : "one of our programs is missing",
                       s->snapshot.auditor.own ? "the auditor restores it when it can" : "'attach' restores it");
    }
}

static void show_others(const struct qpw_status *s, const struct qpw_printer *p)
{
    char text[256];

    for (size_t i = 0; i < s->others.n; i++)
        if (!i || s->others.site[i].ifindex != s->others.site[i - 1].ifindex)
            qpw_print_item(p, i ? "" : "other runs", "%s", qpw_run_text(&s->others.site[i], text, sizeof(text)));
}

/* Describe what would limit a compromised auditor. */
static const char *confined(const struct qpw_status *s)
{
    bool calls = s->snapshot.control.flags & QPW_CONTROL_SECCOMP, files = s->snapshot.control.flags & QPW_CONTROL_LANDLOCK;

    if (calls && files)
        return "; system calls and files limited (seccomp, Landlock)";
    return calls ? "; system calls limited (seccomp), files not: no Landlock" : files ? "; files limited (Landlock), system calls not" : "";
}

static void show_auditor(const struct qpw_status *s, const struct qpw_printer *p)
{
    char since[32], ago[32], heart[32], who[64], way[96], stale[160] = "";

    qpw_words_time(s->snapshot.meta.attached_unix_ns, since, sizeof(since));
    qpw_words_duration(s->snapshot.mono_ns - s->snapshot.control.attached_ns, ago, sizeof(ago));
    qpw_words_duration(s->answer.sight.heartbeat_age_ns, heart, sizeof(heart));
    qpw_print_item(p, "since", "%s (%s), by %s", since, ago, s->snapshot.meta.command);
    if (s->answer.sight.auditor == QPW_AUDITOR_SILENT && s->snapshot.lock == QPW_LOCK_HELD)
        snprintf(stale, sizeof(stale), " (stale: it hangs; %s, then 'attach' resumes)",
                 qpw_lock_way_out(s->snapshot.auditor, way, sizeof(way)));
    else if (s->answer.sight.auditor == QPW_AUDITOR_SILENT)
        snprintf(stale, sizeof(stale), " (stale: hung or killed; 'attach' takes over)");
    if (s->answer.sight.auditor == QPW_AUDITOR_NONE)
        qpw_print_item(p, "auditor", "not running; counting continues in the kernel, 'attach' resumes it");
    else
        qpw_print_item(p, "auditor", "%s, heartbeat %s ago%s%s", qpw_pid_text(s->snapshot.auditor, who, sizeof(who)), heart, stale,
                       confined(s));
}

static void show_exceptions(const struct qpw_status *s, const struct qpw_printer *p)
{
    const struct qpw_exception *all = s->snapshot.exceptions;
    size_t n = s->snapshot.n_exceptions;
    char count[24];

    for (size_t i = 0; i < n; i++)
        qpw_print_item(p, i ? "" : "exceptions", "%s%s", all[i].text, all[i].until ? "" : " (no expiry date)");
    if (!n)
        qpw_print_item(p, "exceptions", "none");
    else if (all[0].of > n)
        qpw_print_item(p, "", "and %s more", qpw_words_count(all[0].of - n, count, sizeof(count)));
}

static void show_policy(const struct qpw_status *s, const struct qpw_printer *p)
{
    const struct qpw_meta *m = &s->snapshot.meta;
    char policy[QPW_NAME_LEN + sizeof(m->policy_path) + 16];

    qpw_print_item(p, "policy", "%s", qpw_words_policy(m->policy_name, m->policy_path, policy, sizeof(policy)));
    switch (s->policy_state) {
    case QPW_POLICY_CURRENT: qpw_print_item(p, "", "%s, loaded; file unchanged since", m->policy_digest); break;
    case QPW_POLICY_CHANGED:
        qpw_print_item(p, "", "loaded  %s", m->policy_digest);
        qpw_print_item(p, "", "on file %s: changed since; load it with 'qportwatch reload'", s->policy_file_digest);
        break;
    case QPW_POLICY_UNREADABLE:
        qpw_print_item(p, "", "%s, loaded; the file cannot be read now: %s", m->policy_digest, s->policy_error);
        break;
    }
    show_exceptions(s, p);
}

static void show_shares(const struct qpw_status *s, const struct qpw_printer *p)
{
    const struct qpw_totals *t = &s->totals;
    char packets[24], share[16], found[64];
    struct qpw_list list;

    qpw_list_begin(&list, p, 0, "packets");
    qpw_list_add(&list, "%s", qpw_words_count(t->all.packets, packets, sizeof(packets)));
    for (unsigned d = 0; d < QPW_DIR_COUNT; d++)
        qpw_list_add(&list, "%s %s", qpw_words_direction(d),
                     qpw_words_share(t->by_direction[d].packets, t->all.packets, share, sizeof(share)));
    qpw_list_end(&list);
    qpw_list_begin(&list, p, 0, "verdicts");
    for (unsigned v = QPW_VERDICT_COUNT - 1; v > QPW_VERDICT_NONE; v--)
        if (t->by_verdict[v].packets)
            qpw_list_add(&list, "%s %s", qpw_verdict_name(v),
                         qpw_words_share(t->by_verdict[v].packets, t->all.packets, share, sizeof(share)));
    qpw_list_end(&list);
    qpw_print_item(p, "findings", "%s", qpw_words_found(&s->answer.losses, s->answer.unexpected, s->answer.answered, found, sizeof(found)));
}

static void show_losses(const struct qpw_status *s, const struct qpw_printer *p)
{
    struct qpw_list list;
    char count[24], more[24];

    qpw_list_begin(&list, p, 0, "losses");
    for (unsigned loss = QPW_LOSS_NONE + 1; loss < QPW_LOSS_COUNT; loss++)
        if (s->snapshot.losses[loss])
            qpw_list_add(&list, "%s %s%s", qpw_loss_name(loss),
                         qpw_words_count(s->snapshot.losses[loss], count, sizeof(count)),
                         qpw_loss_delays(loss) ? " (delayed, not lost)" : "");
    qpw_list_end(&list);
    if (s->snapshot.freed[0] || s->snapshot.freed[1])
        qpw_print_item(p, "freed", "slots of %s attempted and %s answered findings that are in the alert log and have ended",
                       qpw_words_count(s->snapshot.freed[0], count, sizeof(count)),
                       qpw_words_count(s->snapshot.freed[1], more, sizeof(more)));
}

static void show_owners(const struct qpw_status *s, const struct qpw_printer *p)
{
    if (s->snapshot.owners_missing[0])
        qpw_print_item(p, "owners", "not noted: %s", s->snapshot.owners_missing);
    else
        qpw_print_item(p, "owners", "noted when a socket is made or connected%s%s%s%s",
                       s->snapshot.owners_below[0] ? ", only in and below the cgroup " : "", s->snapshot.owners_below,
                       s->snapshot.executables_missing[0] ? "; executables of ended processes are not known: "
                                                          : ", with the executable",
                       s->snapshot.executables_missing);
}

static void show_memory(const struct qpw_snapshot *s, const struct qpw_printer *p)
{
    struct qpw_list list;
    char bytes[24];

    qpw_list_begin(&list, p, 0, "memory");
    qpw_list_add(&list, "%s in the kernel", qpw_words_bytes(s->memory_bytes, bytes, sizeof(bytes)));
    for (unsigned part = 1; part <= QPW_MEMORY_COUNT; part++) /* OTHER last */
        qpw_list_add(&list, "%s %s", qpw_memory_name(part % QPW_MEMORY_COUNT),
                     qpw_words_bytes(s->memory[part % QPW_MEMORY_COUNT], bytes, sizeof(bytes)));
    qpw_list_end(&list);
}

static void show_tables(const struct qpw_status *s, const struct qpw_printer *p)
{
    char entries[24], capacity[24], evicted[24];

    for (unsigned c = QPW_CLASS_NONE + 1; c < QPW_CLASS_COUNT; c++) {
        const struct qpw_table_row *t = &s->snapshot.tables[c];

        qpw_print_item(p, c == QPW_CLASS_NONE + 1 ? "connections" : "", "%s: %s of %s, %s evicted", qpw_class_name(c),
                       qpw_words_count(t->entries, entries, sizeof(entries)),
                       qpw_words_count(t->capacity, capacity, sizeof(capacity)),
                       qpw_words_count(t->evicted, evicted, sizeof(evicted)));
    }
    show_memory(&s->snapshot, p);
}

static void show_timeouts(const struct qpw_status *s, const struct qpw_printer *p)
{
    const struct qpw_control *c = &s->snapshot.control;
    const struct {
        const char *name;
        uint64_t ns;
    } all[] = {{"tcp", c->tcp_ns},     {"half-open", c->half_open_ns}, {"udp", c->udp_ns},
               {"other", c->other_ns}, {"tail", c->tail_ns},           {"parent", c->parent_ns},
               {"fragment", c->fragment_ns}};
    struct qpw_list list;
    char text[32];

    qpw_list_begin(&list, p, 0, "timeouts");
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        qpw_list_add(&list, "%s %s", all[i].name, qpw_words_duration(all[i].ns, text, sizeof(text)));
    qpw_list_end(&list);
}

static void show_history(const struct qpw_status *s, const struct qpw_printer *p)
{
    const struct qpw_coverage *stopped = qpw_history_stopped(&s->snapshot);
    const char *path = s->snapshot.meta.history_path;
    char when[40];

    if (!*path)
        return;
    if (stopped)
        qpw_print_item(p, "history", "%s: not written since %s: %.*s", path, qpw_words_time(stopped->unix_ns, when, sizeof(when)),
                       (int)sizeof(stopped->text), stopped->text);
    else
        qpw_print_item(p, "history", "%s", path);
}

static void show_coverage(const struct qpw_status *s, const struct qpw_printer *p)
{
    size_t n = s->snapshot.n_coverage, from = n > COVERAGE_LINES ? n - COVERAGE_LINES : 0;
    const char *label = "coverage";
    char when[32], text[QPW_EVENT_TEXT];

    for (size_t i = from; i < n; i++, label = "") {
        const struct qpw_coverage *c = &s->snapshot.coverage[i];

        qpw_print_item(p, label, "%s %s", qpw_words_time(c->unix_ns, when, sizeof(when)),
                       qpw_words_event(c, qpw_snapshot_iface(&s->snapshot, c->iface), text, sizeof(text)));
    }
    for (size_t i = 0; i < s->snapshot.n_unwatched; i++, label = "")
        qpw_print_item(p, label, "not monitored: %s", qpw_words_unwatched(&s->snapshot.unwatched[i], text, sizeof(text)));
    for (size_t i = 0; i < s->snapshot.n_notes; i++, label = "")
        qpw_print_item(p, label, "%s", qpw_words_note(&s->snapshot.notes[i], text));
}

void qpw_status_text(const struct qpw_status *s, FILE *out)
{
    struct qpw_printer p = qpw_printer_of(out);

    p.indent = 0;
    qpw_print_line(&p, "qportwatch %s on %s", s->snapshot.meta.version, s->snapshot.host);
    show_answer(s, &p);
    show_hooks(s, &p);
    show_others(s, &p);
    show_auditor(s, &p);
    show_policy(s, &p);
    show_shares(s, &p);
    show_losses(s, &p);
    show_owners(s, &p);
    show_tables(s, &p);
    show_timeouts(s, &p);
    qpw_status_alerts_text(s->alerts, &p);
    show_history(s, &p);
    show_coverage(s, &p);
}
